import MillraceBase
import MillraceCore

extension DriverEngine {
    /// Asks the shuffle services of the hosts, which answer later. The events of those that cannot
    /// be asked.
    func finalize(_ shuffle: ShuffleID, _ plan: MergePlan, _ hosts: [String]) -> [DriverEvent] {
        func answer(_ merger: ExecutorID, _ sizes: [MergedSize]?) -> DriverEvent {
            .mergeFinalized(
                MergeAnswer(shuffle: shuffle, merge: plan.merge, merger: merger, sizes: sizes))
        }
        guard let shuffleServices else { return plan.mergers.map { answer($0, nil) } }
        for (merger, host) in zip(plan.mergers, hosts) {
            shuffleServices.finalizeMerge(shuffle, plan.merge, on: host) { [weak self] sizes in
                self?.answered(answer(merger, sizes))
            }
        }
        return []
    }
}
