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
        if let executor = failure.executor {
            // Without a service that serves its blocks for it, one unreadable block means they all
            // are.
            loseOutputs(of: executor, before: ended.task, now, &tasks, &effects)
        }
        guard stages[slot: slot].status == .running else {
            return codeProbe(.fetchFailureOfFailedStage)
        }

        if let set = stages[slot: slot].activeSet {
            tasks.retire(set)
            stages[slot: slot].oldSets.append(set)
            stages[slot: slot].activeSet = nil
        }
        stages[slot: slot].oldSets.removeAll { !tasks.sets.contains($0) }
        stages[slot: slot].failedAttempts.append(ended.stageAttempt)
        stages[slot: slot].status = .failed
        failedStages.append(ended.stage)
        if resubmitAt == nil {
            resubmitAt = now + settings.resubmitDelay
        } else {
            codeProbe(.debounceMerged)
        }

        let attempts = stages[slot: slot].failedAttempts.count
        if attempts >= settings.maxStageAttempts {
            codeProbe(.stageAbortedByFetchFailures)
            abort(
                ended.stage,
                """
                \(ended.stage) has failed the maximum allowable number of times: \(attempts). \
                Most recent failure: \(failure)
                """, &tasks, &effects)
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
    /// at once; the others do when a reader is submitted, or fails to fetch.
    mutating func loseOutputs(
        of executor: ExecutorID, before: TaskID? = nil, _ now: Instant,
        _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        for loss in outputs.removeOutputs(on: executor, before: before) {
            effects.append(
                .notice(.mapOutputsLost(loss.shuffle, count: loss.mapIndexes.count, executor)))
            guard let id = loss.mapStage, let slot = stages.slot(of: id) else { continue }
            stages[slot: slot].acceptedTasks -= min(
                loss.mapIndexes.count, stages[slot: slot].acceptedTasks)
            guard let set = stages[slot: slot].activeSet else { continue }
            codeProbe(.outputsRecomputed)
            for unit in loss.mapIndexes { tasks.recompute(set, unit: unit) }
        }
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

    // MARK: Commits

    /// Whether a running attempt may commit its unit.
    mutating func mayCommit(_ task: TaskID, stage: StageID, unit: Int) -> Bool {
        guard let slot = stages.slot(of: stage) else { return false }
        switch stages[slot: slot].kind {
        case .map(_, let place):
            guard outputs.shuffles[slot: place].statuses[unit] == nil else { return false }
        case .result(let job):
            guard let jobSlot = jobs.slot(of: job), !jobs[slot: jobSlot].isDelivered[unit] else {
                return false
            }
        }
        if settings.canary == .everybodyCommits { return true }
        return commits.request(stage, unit: unit, of: stages[slot: slot].unitCount, by: task)
    }
}
