import MillraceBase

/// Datasets whose blocks executors were asked to remove, and who waits for that. Belongs to the
/// driver's loop.
final class BlockRemovals {
    private struct Removal {
        var executors: Set<ExecutorID>
        var waiters: [() -> Void] = []
    }
    private var removals: [RDDID: Removal] = [:]

    func begin(_ rdd: RDDID, on executors: [ExecutorID]) {
        guard !executors.isEmpty else { return }
        removals[rdd, default: Removal(executors: [])].executors.formUnion(executors)
    }

    /// Calls back when no executor has blocks of the dataset, at once when none was asked.
    func whenDone(_ rdd: RDDID, _ done: @escaping () -> Void) {
        guard removals[rdd] != nil else { return done() }
        removals[rdd]!.waiters.append(done)
    }

    func answer(_ rdd: RDDID, of executor: ExecutorID) {
        guard removals[rdd]?.executors.remove(executor) != nil else { return }
        finishIfDone(rdd)
    }

    /// What is gone has no blocks.
    func lose(_ executor: ExecutorID) {
        for rdd in removals.keys.sorted() { answer(rdd, of: executor) }
    }

    private func finishIfDone(_ rdd: RDDID) {
        guard let removal = removals[rdd], removal.executors.isEmpty else { return }
        removals[rdd] = nil
        for waiter in removal.waiters { waiter() }
    }

    /// The driver stops: nobody answers any more.
    func abandon() {
        let waiters = removals.keys.sorted().flatMap { removals[$0]!.waiters }
        removals = [:]
        for waiter in waiters { waiter() }
    }
}
