import MillraceBase
import MillraceCore
import Synchronization

/// One attempt of one stage on this executor: its resident plan bound to shuffles and batch. Shared
/// by its tasks.
package final class ResidentStage: Sendable {
    package let setup: StageSetup
    /// Who waits for its map outputs, under a grant.
    package let readers: GrantedReaders?
    private let plans: ResidentPlans
    private let decoded = Mutex<ExecutablePlan?>(nil)

    init(setup: StageSetup, plans: ResidentPlans, readers: GrantedReaders? = nil) {
        self.setup = setup
        self.readers = readers
        self.plans = plans
    }

    func executable() throws -> ExecutablePlan {
        if let plan = decoded.withLock({ $0 }) { return plan }
        let plan = try plans.executable(setup.plan)
        decoded.withLock { $0 = plan }
        return plan
    }
}

/// A task on its way to a thread, with what it runs; nil when its stage isn't set up here.
package struct QueuedTask: Sendable {
    package var task: TaskDescription
    package var stage: ResidentStage?
}
