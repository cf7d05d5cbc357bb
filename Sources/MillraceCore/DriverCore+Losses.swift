import MillraceBase

/// Executors and machines that are gone.
extension DriverCore {
    /// Its tasks wait again. Its map outputs are gone, unless a shuffle service has them.
    mutating func lose(
        _ executor: ExecutorID, _ loss: ExecutorLoss, _ now: Instant, _ effects: inout Effects
    ) {
        guard tasks.executors.isAlive(executor) else { return }
        var loss = loss
        let wasDecommissioned = tasks.executors.isDecommissioned(executor)
        if wasDecommissioned {
            codeProbe(.decommissionedExecutorLost)
            loss.causedByApp = false
        }
        endings.count(isRequested: loss.isRequested, wasDecommissioned: wasDecommissioned)
        effects.append(.notice(.executorLost(executor, loss)))
        forgetDeparture(executor)
        let ended = tasks.lose(executor)
        revokeGrants(on: executor, now, &effects)
        if tasks.executors.keepsOutputs(executor) {
            codeProbe(.outputsOutliveExecutor)
        } else {
            dag.loseOutputs(of: executor, &tasks, &effects)
        }
        dag.pusherLost(executor, now, tasks.executors, &effects)
        dag.blocks.lose(executor, tasks.executors, &effects)
        broadcasts.lose(executor, tasks.executors, &effects)
        for (ended, wasRunning) in ended {
            dag.accumulators.attemptEnded(ended.task, &effects)
            fail(
                ended, .executorLost(loss), counts: loss.causedByApp && wasRunning, now, &effects)
        }
    }

    /// The core may know before the shell that its executors are gone.
    mutating func loseHost(
        _ host: String, _ loss: ExecutorLoss, _ now: Instant, _ effects: inout Effects
    ) {
        let executors = tasks.executors.onHost(host)
        if !executors.isEmpty { codeProbe(.hostLost) }
        effects.append(.notice(.hostLost(host, loss)))
        for executor in executors where tasks.executors.isAlive(executor) {
            effects.append(.dismissExecutor(executor, loss))
            lose(executor, loss, now, &effects)
        }
        for executor in executors { dag.loseOutputs(of: executor, &tasks, &effects) }
    }
}
