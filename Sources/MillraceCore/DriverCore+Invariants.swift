import MillraceBase

/// What is always true between two steps. Checked after every step of a debug build as long as the
/// state is small, and by the simulation.
extension DriverCore {
    /// States larger than this are only checked on request: a check looks at everything.
    private static let checkedSize = 512

    /// Nothing runs, waits or is held: no job, no task, no failed stage. Executors and finished
    /// shuffles may be there.
    public var isQuiescent: Bool {
        dag.jobs.isEmpty && dag.stages.isEmpty && dag.failedStages.isEmpty && dag.commits.isEmpty
            && dag.waitingJobs.isEmpty && tasks.barrierWaits.isEmpty
            && tasks.synchronisations.isEmpty && tasks.sets.isEmpty && tasks.attempts.isEmpty
            && tasks.queue.isEmpty && grants.isIdle
    }

    /// Shuffles that were named by a job and not yet removed.
    public var shuffleCount: Int { dag.outputs.shuffles.count }

    func assertInvariants() {
        #if DEBUG
            guard settings.checksInvariants else { return }
            let size = tasks.attempts.count + tasks.sets.count + dag.stages.count
            guard size <= DriverCore.checkedSize else { return }
            let violations = self.violations()
            precondition(violations.isEmpty, violations.joined(separator: "; "))
        #endif
    }

    /// The broken invariants, in words; empty when all is well.
    public func violations() -> [String] {
        var found: [String] = []
        executorViolations(&found)
        setViolations(&found)
        found += tasks.violations
        barrierViolations(&found)
        stageViolations(&found)
        shuffleViolations(&found)
        mergeViolations(&found)
        accumulatorViolations(&found)
        grantViolations(&found)
        blockViolations(&found)
        return found
    }

    private func executorViolations(_ found: inout [String]) {
        var held = [Int](repeating: 0, count: tasks.executors.states.count)
        for slot in 0..<tasks.attempts.slotBound where tasks.attempts.id(at: slot) != nil {
            held[tasks.attempts[slot: slot].executor] += 1
        }
        var (queued, taking, takingCores) = (0, 0, 0)
        for id in tasks.executors.states.indices {
            let state = tasks.executors.states[id]
            queued += max(state.held - state.cores, 0)
            taking += state.takesTasks ? 1 : 0
            takingCores += state.takesTasks ? state.cores : 0
        }
        if queued != tasks.queuedCount { found.append("queued tasks are counted wrongly") }
        if taking != tasks.executors.takingCount || takingCores != tasks.executors.takingCores {
            found.append("executors that take tasks are counted wrongly")
        }
        for (id, state) in tasks.executors.states.enumerated() {
            if state.held != held[id] { found.append("executor \(id) counts its tasks wrongly") }
            if !state.isAlive, state.held > 0 { found.append("executor \(id) is dead with tasks") }
            if state.held > state.cores + settings.prefetchLimit {
                found.append("executor \(id) holds \(state.held) tasks")
            }
            if state.heldWork < 0 || (state.held == 0 && state.heldWork != 0) {
                found.append("executor \(id) counts its work wrongly")
            }
            let isWanted = !state.isDecommissioned && !tasks.executors.isExcluded(id)
            if state.cores > 0, state.takesTasks != (state.isAlive && isWanted) {
                found.append("executor \(id) takes tasks or doesn't, wrongly")
            }
            if state.hasFreeCore, !state.isInFreeRing, !tasks.resting.contains(id) {
                found.append("executor \(id) has a free core that no offer finds")
            }
        }
        if !tasks.freeRing.isEmpty, tasks.reservedFor == nil,
            tasks.executors.states.contains(where: \.hasFreeCore)
        {
            for pool in tasks.queue.pools {
                for entry in pool.entries {
                    let set = tasks.sets[slot: entry.slot]
                    let isChoosy = set.tasks.contains { $0.isPending && $0.mustLeave }
                    if set.pendingCount > set.boundPendingCount, set.exclusions == nil,
                        set.barrier == nil, !isChoosy
                    {
                        found.append("a task of \(set.stage) waits beside a free core")
                    }
                }
            }
        }
    }

    private func setViolations(_ found: inout [String]) {
        for slot in 0..<tasks.sets.slotBound where tasks.sets.id(at: slot) != nil {
            let set = tasks.sets[slot: slot]
            let pending = set.tasks.count { $0.isPending }
            let done = set.tasks.count { $0.isDone }
            let toHosts = set.tasks.count { $0.isPending && $0.binding == .host }
            let toExecutors = set.tasks.count { $0.isPending && $0.binding == .executor }
            if pending != set.pendingCount || done != set.doneCount
                || toHosts != set.hostBound || toExecutors != set.executorBound
            {
                found.append("\(set.stage).\(set.stageAttempt) counts its tasks wrongly")
            }
            if set.isZombie, set.runningCount == 0 { found.append("\(set.id) is left over") }
            let isQueued = tasks.queue.pools[set.pool].entries.contains { $0.slot == slot }
            if isQueued != (!set.isZombie && set.hasWork) {
                found.append("\(set.stage).\(set.stageAttempt) is queued wrongly")
            }
            guard !set.isZombie else { continue }
            if dag.stages[set.stage]?.activeSet != set.id { found.append("\(set.id) has no stage") }
            let isIdle = set.tasks.contains { !$0.isPending && !$0.isDone && $0.attemptSlot < 0 }
            if isIdle { found.append("a task of \(set.stage) is forgotten") }
        }
    }

    private func stageViolations(_ found: inout [String]) {
        for slot in 0..<dag.stages.slotBound where dag.stages.id(at: slot) != nil {
            let stage = dag.stages[slot: slot]
            if stage.jobs.isEmpty || stage.jobs.contains(where: { !dag.jobs.contains($0) }) {
                found.append("\(stage.id) has no running job")
            }
            if (stage.status == .running) != (stage.activeSet != nil) {
                found.append("\(stage.id) is \(stage.status) with the wrong set")
            }
            if let set = stage.activeSet, !tasks.launches(set) {
                found.append("\(stage.id) runs but launches nothing")
            }
            if let set = stage.activeSet, tasks.hasPending(set),
                !stage.awaited.allSatisfy(dag.outputs.isReadable)
            {
                found.append("\(stage.id) would launch tasks whose inputs are lost or being merged")
            }
            if (stage.status == .failed) != dag.failedStages.contains(stage.id) {
                found.append("\(stage.id) is \(stage.status) but listed otherwise")
            }
            if stage.status == .waiting, stage.awaited.allSatisfy(dag.outputs.isReadable) {
                found.append("\(stage.id) waits for nothing")
            }
        }
        if dag.failedStages.isEmpty != (dag.resubmitAt == nil) {
            found.append("failed stages wait without a time, or a time without stages")
        }
    }

    private func blockViolations(_ found: inout [String]) {
        for slot in 0..<dag.blocks.datasets.slotBound
        where dag.blocks.datasets.id(at: slot) != nil {
            let dataset = dag.blocks.datasets[slot: slot]
            if dataset.available != dataset.holders.count(where: { !$0.isEmpty }) {
                found.append("\(dataset.id) counts its blocks wrongly")
            }
            for executor in dataset.holders.joined().map(\.executor) + dataset.asked.map(\.executor)
            where !tasks.executors.isAlive(executor) {
                found.append("\(dataset.id) has blocks on a dead \(executor)")
            }
        }
    }

    private func shuffleViolations(_ found: inout [String]) {
        var listed = 0
        for slot in 0..<dag.outputs.shuffles.slotBound
        where dag.outputs.shuffles.id(at: slot) != nil {
            let shuffle = dag.outputs.shuffles[slot: slot]
            if shuffle.available != shuffle.statuses.count(where: { $0 != nil }) {
                found.append("\(shuffle.id) counts its outputs wrongly")
            }
            if shuffle.mapStage == nil, !shuffle.readers.isEmpty {
                found.append("\(shuffle.id) is read but nobody could compute it")
            }
            if shuffle.isReleased, shuffle.isUnused {
                found.append("\(shuffle.id) should be gone")
            }
            listed += shuffle.available
            for status in shuffle.statuses {
                if let status, !tasks.executors.isAlive(status.executor),
                    !tasks.executors.keepsOutputs(status.executor)
                {
                    found.append("\(shuffle.id) has outputs on a dead \(status.executor)")
                }
            }
        }
        if listed != dag.outputs.index.count { found.append("outputs are listed wrongly") }
    }

    private func grantViolations(_ found: inout [String]) {
        for (id, state) in tasks.executors.states.enumerated() {
            let held = state.isAlive ? grants.held(on: ExecutorID(id)) : (0, 0, 0)
            if (state.granted, state.grantedWork, state.parked) != held {
                found.append("executor \(id) counts its granted tasks wrongly")
            }
        }
        var (granted, waiting) = (0, 0)
        for id in tasks.executors.states.indices where tasks.executors.states[id].isAlive {
            granted += tasks.executors.states[id].granted
            waiting += tasks.executors.states[id].grantedWaiting
        }
        if granted != tasks.grantedCount || waiting != tasks.grantedWaiting {
            found.append("granted tasks are counted wrongly")
        }
        for run in grants.runs {
            if run.remaining == 0 { found.append("\(run.job.id) is done and still at work") }
            if dag.jobs.contains(run.job.id) { found.append("\(run.job.id) runs twice") }
        }
    }
}
