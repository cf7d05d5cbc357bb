import MillraceBase

/// Executors that will go: their machine is taken away, or they aren't needed any more.
///
/// From the event on such an executor gets no task. What runs there may finish, what is only queued
/// there is taken back. `Effect.executorDrained` says when its last task has ended; whoever wanted
/// it gone may end it then. Its blocks are the shell's business (`Effect.decommissionExecutor`).
/// If it takes longer than `CoreSettings.decommissionTimeout` it's given up. Spark:
/// `CoarseGrainedSchedulerBackend.decommissionExecutors`.
extension TaskScheduler {
    /// Nothing when it isn't there, or was told before.
    mutating func decommission(
        _ executor: ExecutorID, reason: String, _ now: Instant, _ effects: inout Effects
    ) {
        guard executors.decommission(executor, reason: reason, now: now) else { return }
        effects.append(.decommissionExecutor(executor, reason: reason))
        rebind(from: executor.rawValue)
        recallQueue(
            of: executor.rawValue, evenPreferred: true, reason: "its executor is decommissioned",
            &effects)
        if let timeout = settings.decommissionTimeout {
            decommissionDeadlines.append((executor, now + timeout))
        }
        noteIfDrained(executor.rawValue)
    }

    /// Its last task may have ended.
    mutating func noteIfDrained(_ executor: Int) {
        let state = executors.states[executor]
        guard state.isAlive, state.isDecommissioned, state.isIdle else { return }
        drained.append(executor)
    }

    mutating func flushDrained(_ effects: inout Effects) {
        guard !drained.isEmpty else { return }
        for executor in drained where executors.states[executor].isAlive {
            codeProbe(.executorDrained)
            effects.append(.executorDrained(ExecutorID(executor)))
        }
        drained.removeAll(keepingCapacity: true)
    }

    /// Who was told that it will go and is still there.
    var nextDecommissionDeadline: Instant? { decommissionDeadlines.first?.deadline }

    /// Those whose time is over.
    mutating func overdueDecommissions(_ now: Instant) -> [ExecutorID] {
        var overdue: [ExecutorID] = []
        while let first = decommissionDeadlines.first, first.deadline <= now {
            decommissionDeadlines.removeFirst()
            overdue.append(first.executor)
        }
        return overdue
    }
}
