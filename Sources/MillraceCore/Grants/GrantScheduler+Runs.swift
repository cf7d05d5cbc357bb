import MillraceBase

/// Batches at work: what their tasks' ends change, and how they end.
extension GrantScheduler {
    /// What is wrong with a task's end; nil when it's a success that fits its stage.
    static func problem(in end: TaskEnd, of run: GrantedRun, stage: Int) -> TaskEndReason? {
        let isLast = stage == run.resultStage
        switch end.reason {
        case .result:
            guard !isLast else { return nil }
            return .exception(message: "reported no map output from a map stage", trace: "")
        case .mapOutput(let sizes):
            guard !isLast, sizes.count == run.grant.stages[stage].reducerCount else {
                return .exception(message: "reported a map output that doesn't fit", trace: "")
            }
            return nil
        case .fetchFailed, .exception, .killed, .commitDenied, .executorLost: return end.reason
        }
    }

    /// Whether a granted task may commit its output. A batch has one attempt of each partition as
    /// long as it runs under its grant.
    func mayCommit(_ task: TaskID, on executor: ExecutorID) -> Bool {
        guard let run = runs.first(where: { $0.contains(task) }) else { return false }
        let stage = run.stage(of: task)
        let partition = run.partition(of: task, stage)
        return run.executor(stage, partition) == executor && !run.hasEnded(stage, partition)
    }

    /// A moving average over about the last eight tasks.
    mutating func learn(_ runTime: Duration, _ stage: Int, of query: QueryID) {
        guard let slot = queries.slot(of: query) else { return }
        let sample = max(runTime.nanoseconds, 1)
        let old = queries[slot: slot].estimates[stage]
        queries[slot: slot].estimates[stage] =
            old == 0 ? sample : max(old + (sample - old) / 8, 1)
    }

    /// The last output of a stage is reported: who reads it and has the rest may run.
    mutating func startReaders(of stage: Int, _ position: Int, _ tasks: inout TaskScheduler) {
        let stages = runs[position].grant.stages
        for reader in stages.indices
        where stages[reader].parents.contains(stage) && runs[position].hasInputs(reader) {
            GrantScheduler.occupy(reader, of: &runs[position], &tasks)
        }
    }

    /// All tasks are done.
    mutating func finish(_ position: Int, _ now: Instant) {
        let run = runs.remove(at: position)
        finished.append(
            FinishedBatch(job: run.job.id, groupSize: run.grant.batches, work: run.work))
        guard let slot = queries.slot(of: run.query),
            queries[slot: slot].active?.grant.id == run.grant.id
        else { return }
        queries[slot: slot].active?.work += run.work
        queries[slot: slot].active?.total += now - run.begun
    }

    /// Takes a batch off its executors.
    mutating func revoke(
        _ position: Int, _ tasks: TaskScheduler, _ effects: inout Effects
    ) -> GrantedRun {
        let run = runs.remove(at: position)
        if let slot = queries.slot(of: run.query),
            queries[slot: slot].active?.grant.id == run.grant.id
        {
            queries[slot: slot].active = nil
            queries[slot: slot].size.groupFailed()
        }
        let executors = run.grant.executors.filter(tasks.executors.isAlive)
        if !executors.isEmpty { effects.append(.revokeGrant(run.grant.id, executors)) }
        revoked.append(run)
        for executor in run.grant.executors where !tasks.executors.isAlive(executor) {
            forget(executor)
        }
        dropEnded()
        return run
    }

    /// A task of a batch that was taken back has ended: its core is free, and that is all. False
    /// when it's none.
    mutating func refuse(
        _ task: TaskID, on executor: ExecutorID, _ tasks: inout TaskScheduler
    ) -> Bool {
        guard let position = revoked.firstIndex(where: { $0.contains(task) }) else { return false }
        let stage = revoked[position].stage(of: task)
        let partition = revoked[position].partition(of: task, stage)
        guard revoked[position].executor(stage, partition) == executor,
            !revoked[position].hasEnded(stage, partition)
        else { return false }
        let before = revoked[position].refuse(stage, partition)
        tasks.vacate(
            executor.rawValue, for: revoked[position].work(of: stage, before))
        dropEnded()
        return true
    }

    /// It's lost, and with it its tasks.
    mutating func forget(_ executor: ExecutorID) {
        for position in revoked.indices {
            let stages = revoked[position].grant.stages
            for stage in stages.indices {
                for partition in stages[stage].executors.indices
                where stages[stage].executors[partition] == executor {
                    _ = revoked[position].refuse(stage, partition)
                }
            }
        }
        dropEnded()
    }

    /// Whether a granted task's end is still to be reported.
    func isWaiting(for task: TaskID) -> Bool {
        (runs + revoked).contains { run in
            guard run.contains(task) else { return false }
            let stage = run.stage(of: task)
            return !run.hasEnded(stage, run.partition(of: task, stage))
        }
    }

    private mutating func dropEnded() { revoked.removeAll { !$0.isWaiting } }

    /// What is held there, to compare with what the executor's state says.
    func held(on executor: ExecutorID) -> (runnable: Int, work: Int64, parked: Int) {
        var found: (runnable: Int, work: Int64, parked: Int) = (0, 0, 0)
        for run in runs + revoked {
            for stage in run.grant.stages.indices {
                for partition in run.grant.stages[stage].executors.indices
                where run.executor(stage, partition) == executor {
                    switch run.states[run.index(stage, partition)] {
                    case .parked: found.parked += 1
                    case .runnable:
                        found.runnable += 1
                        found.work += run.estimates[stage]
                    case .done, .refused: break
                    }
                }
            }
        }
        return found
    }
}
