import MillraceBase

/// What a task's success means for its stage and job.
///
/// Late successes count too: of an attempt that was replaced (a zombie) or asked to end. What
/// counts is whether the output is still missing; so each result is delivered once, whoever
/// computed it.
extension DAGScheduler {
    /// What is wrong with a success, if anything: a report that doesn't fit its stage is a failure
    /// of the executor.
    @inline(__always) func objection(to end: TaskEnd, of stage: StageID) -> String? {
        guard let slot = stages.slot(of: stage) else { return nil }
        switch (stages[slot: slot].kind, end.reason) {
        case (_, .fetchFailed(let failure)):
            if stages[slot: slot].parents.contains(failure.shuffle) { return nil }
            return "could not read \(failure.shuffle), which its stage doesn't read"
        case (_, .exception), (_, .killed), (_, .commitDenied), (_, .executorLost): return nil
        case (.map, .mapOutput(let sizes)):
            let expected = stages[slot: slot].reducerCount
            if sizes.count == expected { return nil }
            return "reported \(sizes.count) blocks instead of \(expected)"
        case (.result, .result): return nil
        case (.map, _): return "reported no map output from a map stage"
        case (.result, _): return "reported a map output from a result stage"
        }
    }

    /// Takes the output if it's needed.
    mutating func taskSucceeded(
        _ ended: TaskScheduler.Ended, _ end: TaskEnd, _ now: Instant,
        _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard let slot = stages.slot(of: ended.stage) else {
            return codeProbe(.lateSuccessOfEndedStage)
        }
        guard !isRefused(ended, slot) else {
            codeProbe(.successRefused)
            return effects.append(
                .notice(.successRefused(ended.task, ended.stage, stageAttempt: ended.stageAttempt)))
        }
        switch (stages[slot: slot].kind, end.reason) {
        case (.map(_, let place), .mapOutput(let sizes)):
            let status = MapStatus(
                executor: ended.executor, mapTask: ended.task, mapIndex: ended.unit, sizes: sizes)
            guard outputs.add(status, to: place) else {
                codeProbe(.secondMapOutputDropped)
                // It was there before, by an attempt that had been forgotten; what was lost since
                // may be in no other attempt.
                restartIfSpent(slot, now, &tasks, &effects)
                return
            }
            accept(ended, end, slot, now, &tasks, &effects)
            if outputs.shuffles[slot: place].isComplete {
                outputs.shuffles[slot: place].isExposed = true
                stageSucceeded(slot, &tasks, &effects)
                if !closeMerge(place, now, tasks.executors, &effects) {
                    startReaders(of: place, now, &tasks, &effects)
                }
            } else {
                restartIfSpent(slot, now, &tasks, &effects)
            }
        case (.result(let job), .result(let bytes)):
            let jobSlot = jobs.slot(of: job)!
            if jobs[slot: jobSlot].isDelivered[ended.unit], settings.canary != .secondResult {
                return codeProbe(.secondResultDropped)
            }
            if let problem = jobs[slot: jobSlot].results.add(
                bytes.count, limit: settings.maxResultSize)
            {
                return abort(ended.stage, problem, &tasks, &effects)
            }
            if stages[slot: slot].plan.isBarrier {
                accept(ended, end, slot, now, &tasks, &effects)
                guard holdResult(ended, bytes, job, &effects) else { return }
            } else {
                jobs[slot: jobSlot].isDelivered[ended.unit] = true
                jobs[slot: jobSlot].remaining -= 1
                accept(ended, end, slot, now, &tasks, &effects)
                effects.append(.taskResult(job, index: ended.unit, bytes: bytes))
            }
            if jobs[slot: jobSlot].remaining == 0 {
                stageSucceeded(slot, &tasks, &effects)
                completeIfDone(job, &tasks, &effects)
            }
        default: preconditionFailure("a success that doesn't fit its stage was let through")
        }
    }

    /// Counts the task, and spares the stage's other attempts the same work.
    private mutating func accept(
        _ ended: TaskScheduler.Ended, _ end: TaskEnd, _ slot: Int, _ now: Instant,
        _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        stages[slot: slot].acceptedTasks += 1
        stages[slot: slot].recordsRead += end.recordsRead
        stages[slot: slot].recordsWritten += end.recordsWritten
        stages[slot: slot].runTime += end.runTime
        if stages[slot: slot].longestTask < end.runTime {
            stages[slot: slot].longestTask = end.runTime
        }
        if !end.metrics.isEmpty {
            effects.append(
                .taskMetrics(
                    stages[slot: slot].jobs[0], ended.stage, partition: ended.partition,
                    on: ended.executor, end.metrics))
        }
        contribute(ended, end.accumulators, slot, &effects)
        guard !stages[slot: slot].oldSets.isEmpty else { return }
        if stages[slot: slot].activeSet != ended.set { codeProbe(.zombieSuccessAccepted) }
        let active = stages[slot: slot].activeSet.map { [$0] } ?? []
        for set in stages[slot: slot].oldSets + active where set != ended.set {
            tasks.completeElsewhere(set, unit: ended.unit, now, &effects)
        }
    }

    /// All outputs are there. Forgets the failed attempts, and ends what still computes the same
    /// again.
    private mutating func stageSucceeded(
        _ slot: Int, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        if let set = stages[slot: slot].activeSet {
            tasks.kill(set, reason: "the stage is complete", &effects)
        }
        for set in stages[slot: slot].oldSets {
            tasks.kill(set, reason: "the stage is complete", &effects)
        }
        if stages[slot: slot].status == .failed {
            codeProbe(.failedStageCompleted)
            let id = stages[slot: slot].id
            failedStages.removeAll { $0 == id }
            if failedStages.isEmpty { resubmitAt = nil }
        }
        stages[slot: slot].activeSet = nil
        stages[slot: slot].oldSets.removeAll()
        stages[slot: slot].failedAttempts.removeAll()
        stages[slot: slot].status = .idle
        stages[slot: slot].hasSucceeded = true
    }

    /// All tasks of the active set are done, and yet an output is missing: it was there when the
    /// attempt started and was lost since. The next attempt computes it.
    private mutating func restartIfSpent(
        _ slot: Int, _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard let set = stages[slot: slot].activeSet, !tasks.launches(set) else { return }
        codeProbe(.spentAttemptRestarted)
        stages[slot: slot].oldSets.append(set)
        stages[slot: slot].activeSet = nil
        stages[slot: slot].status = .idle
        submitStage(stages[slot: slot].id, now, &tasks, &effects)
    }
}
