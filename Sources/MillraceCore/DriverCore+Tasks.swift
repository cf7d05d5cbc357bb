import MillraceBase

/// What the `TaskScheduler` wants at certain times, and what follows for stages and executors.
extension DriverCore {
    mutating func fireTasks(_ now: Instant, _ effects: inout Effects) {
        tasks.recallIfDue(now, &effects)
        tasks.speculateIfDue(now, &effects)
        tasks.expireExclusions(now, &effects)
        tasks.breakOverdueSyncs(now, &effects)
        for abort in tasks.overdueUnschedulable(now) + tasks.overdueBarriers(now) {
            dag.abort(abort.stage, abort.message, &tasks, &effects)
        }
        while let executor = tasks.popOverdueKill(now) {
            let loss = ExecutorLoss(reason: "it did not say in time that a killed task has ended")
            effects.append(.dismissExecutor(executor, loss))
            lose(executor, loss, now, &effects)
        }
        for executor in tasks.overdueDecommissions(now) where tasks.executors.isAlive(executor) {
            codeProbe(.decommissionOverdue)
            dismiss(executor, "decommissioned, and not gone in time", now, &effects)
        }
    }

    /// Ends excluded executors, if that is wanted.
    mutating func endCondemned(_ now: Instant, _ effects: inout Effects) {
        while let executor = tasks.condemned.popLast() {
            codeProbe(.excludedExecutorEnded)
            if settings.exclusion.decommissionsKilled {
                tasks.decommission(executor, reason: "it is excluded", now, &effects)
            } else {
                dismiss(executor, "it is excluded", now, &effects)
            }
        }
    }

    private mutating func dismiss(
        _ executor: ExecutorID, _ reason: String, _ now: Instant, _ effects: inout Effects
    ) {
        guard tasks.executors.isAlive(executor) else { return }
        let loss = ExecutorLoss(reason: reason, causedByApp: false, isRequested: true)
        effects.append(.dismissExecutor(executor, loss))
        lose(executor, loss, now, &effects)
    }
}

extension TaskScheduler {
    /// When to be asked next, if nothing happens before.
    @inline(__always) var nextDeadline: Instant {
        var next = Instant.distantFuture
        if let due = recallAt { next = min(next, due) }
        if let due = localityDeadline { next = min(next, due) }
        if let due = speculationAt { next = min(next, due) }
        if let due = nextDecommissionDeadline { next = min(next, due) }
        if let due = health.nextExpiry { next = min(next, due) }
        if let due = nextUnschedulableDeadline { next = min(next, due) }
        if let due = nextBarrierCheck { next = min(next, due) }
        if let due = nextSyncDeadline { next = min(next, due) }
        if let due = killDeadlines.next { next = min(next, due) }
        return next
    }
}
