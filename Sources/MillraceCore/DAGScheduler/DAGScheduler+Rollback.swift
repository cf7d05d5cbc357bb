import MillraceBase

/// Stages whose tasks, run again, may give something else: an indeterminate stage.
///
/// Its map output is one whole: once a reader may have seen it, a lost part of it cannot be
/// computed again beside the rest, because a row may have moved from a partition that was read to
/// one that wasn't. So all of it is computed again, and everything that was made from it is rolled
/// back: the attempts of all succeeding stages end, their map outputs are forgotten, and what their
/// tasks still report is refused. A job that has handed on results made from it cannot be rolled
/// back and is given up. Same rule as Spark's (SPARK-23243, SPARK-25341), but in one step: there is
/// no time in which an old task can still deliver.
///
/// Outputs of jobs that are over may have been made from it too. Each indeterminate shuffle
/// therefore has a generation, and remembers those of the shuffles that it was computed from: one
/// that was computed from another generation is forgotten when a job wants it again.
extension DAGScheduler {
    /// Before an attempt of an indeterminate map stage, or when it's clear that there will be one:
    /// rolls back what has read its outputs. Afterwards the stage itself may be gone with its job.
    mutating func rollBackIfExposed(
        _ stage: StageID, _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard let slot = stages.slot(of: stage), stages[slot: slot].isIndeterminate,
            case .map(_, let place) = stages[slot: slot].kind,
            outputs.shuffles[slot: place].isExposed, !outputs.shuffles[slot: place].isComplete
        else { return }
        let readers = succeeding(place)
        codeProbe(.readersRolledBack)
        effects.append(.notice(.rolledBack(stage, readers)))
        reset(slot, &tasks, &effects)
        for reader in readers { rollBack(reader, because: stage, &tasks, &effects) }
        for reader in readers {
            // Those that ran wait for their inputs now, and somebody has to compute these.
            guard let slot = stages.slot(of: reader), stages[slot: slot].status == .waiting else {
                continue
            }
            stages[slot: slot].status = .idle
            submitStage(reader, now, &tasks, &effects)
        }
    }

    /// All stages that read the shuffle, or what is computed from it, ascending.
    private func succeeding(_ place: Int) -> [StageID] {
        var found: [StageID] = []
        var stack = [place]
        while let place = stack.popLast() {
            for reader in outputs.shuffles[slot: place].readers where !found.contains(reader) {
                found.append(reader)
                if let slot = stages.slot(of: reader),
                    case .map(_, let output) = stages[slot: slot].kind
                {
                    stack.append(output)
                }
            }
        }
        return found.sorted()
    }

    private mutating func rollBack(
        _ reader: StageID, because stage: StageID, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        guard let slot = stages.slot(of: reader) else { return }
        if case .result(let job) = stages[slot: slot].kind {
            let jobSlot = jobs.slot(of: job)!
            let isDelivered = jobs[slot: jobSlot].remaining < stages[slot: slot].unitCount
            guard !isDelivered, !commits.hasGranted(reader) else {
                return abort(
                    reader,
                    """
                    A shuffle map stage with indeterminate output (\(stage)) was failed and \
                    retried. However, \(reader) has delivered results already and cannot be \
                    rolled back. Please eliminate the indeterminacy by checkpointing the RDD \
                    before repartition and try again.
                    """, &tasks, &effects)
            }
        }
        reset(slot, &tasks, &effects)
        if stages[slot: slot].status == .running { stages[slot: slot].status = .waiting }
    }

    /// Ends all attempts for good, and forgets what they have computed.
    private mutating func reset(
        _ slot: Int, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        endAttempt(slot, &tasks)
        for set in stages[slot: slot].oldSets {
            tasks.kill(set, reason: "its input is computed again", &effects)
        }
        stages[slot: slot].oldSets.removeAll()
        stages[slot: slot].acceptedFrom = stages[slot: slot].nextAttempt
        stages[slot: slot].acceptedTasks = 0
        switch stages[slot: slot].kind {
        case .map(_, let place): outputs.removeAll(of: place)
        case .result(let job): jobs[slot: jobs.slot(of: job)!].dropHeldResults()
        }
    }

    /// Whether a success comes from an attempt whose outputs don't fit those of a later one.
    @inline(__always) func isRefused(_ ended: TaskScheduler.Ended, _ slot: Int) -> Bool {
        // Where tasks of one attempt count together, it would sing so loud that the core stops.
        if settings.canary == .staleOutput, !stages[slot: slot].plan.isBarrier { return false }
        if ended.stageAttempt < stages[slot: slot].acceptedFrom { return true }
        guard stages[slot: slot].isIndeterminate else { return false }
        if ended.stageAttempt < stages[slot: slot].nextAttempt - 1 { return true }
        // The other attempt of a task whose output was seen, and is lost: not what was seen.
        guard case .map(_, let place) = stages[slot: slot].kind else { return false }
        return outputs.shuffles[slot: place].isExposed
    }

    // MARK: Generations

    /// A job wants a shuffle again that no running job computes.
    mutating func forgetIfStale(_ place: Int, readFrom parents: [ShuffleID]) {
        guard outputs.shuffles[slot: place].available > 0,
            !outputs.shuffles[slot: place].sources.isEmpty,
            outputs.shuffles[slot: place].sources != generations(of: parents)
        else { return }
        codeProbe(.staleOutputsForgotten)
        outputs.removeAll(of: place)
    }

    func generations(of shuffles: [ShuffleID]) -> [Int] {
        shuffles.map { outputs.shuffles[$0]?.generation ?? -1 }
    }
}
