import MillraceBase

/// Fetch failures, lost map outputs, and giving up.
extension DAGScheduler {
    /// A task couldn't read its input. Its stage's attempt is over: the set launches nothing more
    /// (what runs may still succeed), the outputs it complained about are forgotten, and after
    /// `resubmitDelay` the stage is submitted again, its map stage first. Spark:
    /// `DAGScheduler.handleTaskCompletion`, `case FetchFailed`.
    mutating func fetchFailed(
        _ ended: TaskScheduler.Ended, _ failure: FetchFailure, _ now: Instant,
        _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard let slot = stages.slot(of: ended.stage) else { return }
        guard ended.stageAttempt == stages[slot: slot].nextAttempt - 1 else {
            codeProbe(.fetchFailureIgnored)
            effects.append(
                .notice(
                    .fetchFailureIgnored(ended.stage, stageAttempt: ended.stageAttempt, failure)))
            return
        }
        effects.append(
            .notice(.fetchFailed(ended.stage, stageAttempt: ended.stageAttempt, failure)))
        stages[slot: slot].awaitAllParents()
        if stages[slot: slot].status == .running {
            endAttempt(slot, &tasks)
            fail(slot, now)
            if stages[slot: slot].plan.isBarrier,
                !abandonBarrier(slot, "\(failure)", &tasks, &effects)
            {
                return
            }
        } else {
            codeProbe(.fetchFailureOfFailedStage)
        }
        if let executor = failure.executor {
            forgetOutputs(blamedOn: executor, by: ended.task, &tasks, &effects)
            // It is known to be gone with all its outputs: no other complaint says anything new.
            if !tasks.executors.isAlive(executor), resubmitAt != nil { resubmitAt = now }
        }
        if let mapStage = outputs.shuffles[failure.shuffle]?.mapStage {
            rollBackIfExposed(mapStage, now, &tasks, &effects)
        }
        guard let slot = stages.slot(of: ended.stage) else { return }
        let isDecommissioned = failure.executor.map(tasks.executors.isDecommissioned) ?? false
        if isDecommissioned, settings.ignoresDecommissionFetchFailures { return }
        _ = countFailedAttempt(slot, ended.stageAttempt, "\(failure)", &tasks, &effects)
    }

    /// Without a service that serves its blocks for it, one unreadable block of an executor means
    /// they all are. With one, its machine may have lost those of all executors there. (Spark:
    /// `removeExecutorAndUnregisterOutputs`.)
    private mutating func forgetOutputs(
        blamedOn executor: ExecutorID, by task: TaskID, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        let registry = tasks.executors
        var blamed = [executor]
        if settings.unregistersOutputsOfHost, registry.keepsOutputs(executor) {
            blamed = registry.onHost(of: executor)
        }
        for executor in blamed {
            loseOutputs(of: executor, before: task, &tasks, &effects)
        }
    }

    /// The debounce is over: many fetch failures of one lost executor make one resubmission.
    mutating func resubmitIfDue(
        _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard let due = resubmitAt, now >= due else { return }
        resubmitAt = nil
        let failed = failedStages.sorted()
        failedStages.removeAll(keepingCapacity: true)
        effects.append(.notice(.stagesResubmitted(failed)))
        for stage in failed {
            if let slot = stages.slot(of: stage) { stages[slot: slot].status = .idle }
        }
        for stage in failed { submitStage(stage, now, &tasks, &effects) }
    }

    /// Outputs on an executor are gone. A map stage that is just running computes its share again
    /// at once; the others do when a reader is submitted again.
    mutating func loseOutputs(
        of executor: ExecutorID, before: TaskID? = nil, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        let counts =
            !(settings.ignoresDecommissionFetchFailures
            && tasks.executors.isDecommissioned(executor))
        let isKnownLoss = !tasks.executors.isAlive(executor)
        for loss in outputs.removeOutputs(on: executor, before: before) {
            effects.append(
                .notice(.mapOutputsLost(loss.shuffle, count: loss.mapIndexes.count, executor)))
            disturbReaders(
                of: loss.shuffle, lostWith: executor, isKnownLoss: isKnownLoss, counts: counts)
            guard let id = loss.mapStage, let slot = stages.slot(of: id) else { continue }
            stages[slot: slot].acceptedTasks -= min(
                loss.mapIndexes.count, stages[slot: slot].acceptedTasks)
            if stages[slot: slot].plan.isBarrier {
                noteBrokenBarrier(slot, loss, executor)
                continue
            }
            guard let set = stages[slot: slot].activeSet else { continue }
            codeProbe(.outputsRecomputed)
            for unit in loss.mapIndexes { tasks.recompute(set, unit: unit) }
        }
    }

    // MARK: Attempts

    /// The attempt launches nothing more; what runs may still succeed. The status is the caller's.
    mutating func endAttempt(_ slot: Int, _ tasks: inout TaskScheduler) {
        if let set = stages[slot: slot].activeSet {
            tasks.retire(set)
            stages[slot: slot].oldSets.append(set)
            stages[slot: slot].activeSet = nil
        }
        stages[slot: slot].oldSets.removeAll { !tasks.sets.contains($0) }
    }

    /// To be submitted again after the debounce.
    mutating func fail(_ slot: Int, _ now: Instant) {
        stages[slot: slot].status = .failed
        failedStages.append(stages[slot: slot].id)
        if resubmitAt == nil {
            resubmitAt = now + settings.resubmitDelay
        } else {
            codeProbe(.debounceMerged)
        }
    }

    /// Once for each attempt, however many of its tasks complain. Whether the stage is given up.
    mutating func countFailedAttempt(
        _ slot: Int, _ attempt: Int, _ reason: String, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) -> Bool {
        guard stages[slot: slot].failedAttempts.last != attempt else { return false }
        stages[slot: slot].failedAttempts.append(attempt)
        let attempts = stages[slot: slot].failedAttempts.count
        guard attempts >= settings.maxConsecutiveStageAttempts else { return false }
        let stage = stages[slot: slot].id
        codeProbe(.stageAbortedByFetchFailures)
        abort(
            stage,
            """
            \(stage) has failed the maximum allowable number of times: \(attempts). \
            Most recent failure: \(reason)
            """, &tasks, &effects)
        return true
    }

    /// Fails every job that needs the stage.
    mutating func abort(
        _ stage: StageID, _ message: String, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard let slot = stages.slot(of: stage) else { return }
        for job in stages[slot: slot].jobs {
            failJob(job, .stageFailed(stage, message: message), &tasks, &effects)
        }
    }
}
