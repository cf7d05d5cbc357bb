import MillraceBase

/// A barrier stage is tried as a whole.
///
/// When one task of an attempt fails, whatever the reason, or loses its output, the attempt is
/// over: the others are asked to end, what they computed is forgotten, what they still report is
/// refused, and after `resubmitDelay` all tasks are launched again. Each such attempt counts
/// towards `maxConsecutiveStageAttempts`. Results are held back until all tasks have succeeded, so
/// that a final stage can be tried again too; only when a task may have committed output elsewhere
/// is it given up. (Spark gives up every final barrier stage.)
extension DAGScheduler {
    /// An attempt that is to end at the end of this step.
    struct BrokenBarrier: Sendable {
        let stage: StageID
        let set: TaskSetID
        let reason: String
    }

    /// A task ended without success. Nothing when its attempt is over already.
    mutating func barrierTaskFailed(
        _ ended: TaskScheduler.Ended, _ reason: TaskEndReason, _ now: Instant,
        _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard let slot = stages.slot(of: ended.stage),
            stages[slot: slot].activeSet == ended.set
        else { return }
        let what =
            "\(ended.task) of partition \(ended.partition) failed on \(ended.executor): "
            + reason.summary
        failBarrier(slot, what, now, &tasks, &effects)
    }

    /// Ends the attempt. Afterwards the stage may be gone with its job.
    private mutating func failBarrier(
        _ slot: Int, _ reason: String, _ now: Instant, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        codeProbe(.barrierAttemptFailed)
        let stage = stages[slot: slot].id
        let attempt = stages[slot: slot].nextAttempt - 1
        effects.append(
            .notice(.barrier(.attemptFailed(stage, stageAttempt: attempt, reason: reason))))
        endAttempt(slot, &tasks)
        fail(slot, now)
        guard abandonBarrier(slot, reason, &tasks, &effects) else { return }
        _ = countFailedAttempt(slot, attempt, reason, &tasks, &effects)
    }

    /// The latest attempt of a barrier stage launches nothing more: ends what runs and forgets what
    /// it computed. False when the stage had to be given up.
    mutating func abandonBarrier(
        _ slot: Int, _ reason: String, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) -> Bool {
        let stage = stages[slot: slot].id
        for set in stages[slot: slot].oldSets {
            tasks.kill(set, reason: "its barrier stage is tried again", &effects)
        }
        stages[slot: slot].oldSets.removeAll { !tasks.sets.contains($0) }
        stages[slot: slot].acceptedFrom = stages[slot: slot].nextAttempt
        forgetBarrierOutput(slot)
        if case .result = stages[slot: slot].kind, commits.hasGranted(stage) {
            codeProbe(.barrierAbortedAfterCommit)
            abort(
                stage,
                """
                Could not recover from a failed barrier stage: tasks of \(stage) may have \
                committed their output. Most recent failure: \(reason)
                """, &tasks, &effects)
            return false
        }
        commits.stageEnded(stage)
        return true
    }

    /// Before every attempt: a barrier stage never computes only what is missing.
    mutating func beginBarrier(_ slot: Int) {
        if case .map(_, let place) = stages[slot: slot].kind {
            if outputs.shuffles[slot: place].isComplete { return }
            if outputs.shuffles[slot: place].available > 0 { codeProbe(.barrierOutputsForgotten) }
        }
        forgetBarrierOutput(slot)
    }

    private mutating func forgetBarrierOutput(_ slot: Int) {
        stages[slot: slot].acceptedTasks = 0
        switch stages[slot: slot].kind {
        case .map(_, let place):
            if outputs.shuffles[slot: place].available > 0 { outputs.removeAll(of: place) }
        case .result(let job): jobs[slot: jobs.slot(of: job)!].dropHeldResults()
        }
    }

    /// Outputs of a running attempt went with an executor.
    mutating func noteBrokenBarrier(
        _ slot: Int, _ loss: MapOutputTracker.Loss, _ executor: ExecutorID
    ) {
        guard let set = stages[slot: slot].activeSet else { return }
        codeProbe(.barrierOutputLost)
        brokenBarriers.append(
            BrokenBarrier(
                stage: stages[slot: slot].id, set: set,
                reason: "\(loss.mapIndexes.count) of its map outputs were lost with \(executor)"))
    }

    mutating func settleBarriers(
        _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        let broken = brokenBarriers
        brokenBarriers.removeAll(keepingCapacity: true)
        for barrier in broken {
            guard let slot = stages.slot(of: barrier.stage),
                stages[slot: slot].activeSet == barrier.set
            else { continue }
            failBarrier(slot, barrier.reason, now, &tasks, &effects)
        }
    }

    // MARK: Results

    /// Keeps a result until all are there. Hands them on with the last one.
    mutating func holdResult(
        _ ended: TaskScheduler.Ended, _ bytes: ArraySlice<UInt8>, _ job: JobID,
        _ effects: inout Effects
    ) -> Bool {
        let slot = jobs.slot(of: job)!
        guard jobs[slot: slot].hold(bytes, of: ended.unit) else { return false }
        for (index, bytes) in jobs[slot: slot].takeHeldResults().enumerated() {
            effects.append(.taskResult(job, index: index, bytes: bytes))
        }
        return true
    }
}

/// Results of a final barrier stage that isn't complete.
struct HeldResults: Sendable {
    fileprivate(set) var bytes: [ArraySlice<UInt8>?]
    fileprivate(set) var count = 0
}

extension ActiveJob {
    /// Whether all are there now.
    mutating func hold(_ bytes: ArraySlice<UInt8>, of unit: Int) -> Bool {
        if held == nil {
            held = HeldResults(
                bytes: [ArraySlice<UInt8>?](repeating: nil, count: isDelivered.count))
        }
        precondition(held!.bytes[unit] == nil, "a barrier task succeeded twice")
        held!.bytes[unit] = bytes
        held!.count += 1
        return held!.count == isDelivered.count
    }

    mutating func takeHeldResults() -> [ArraySlice<UInt8>] {
        let all = held?.bytes.compactMap { $0 } ?? []
        held = nil
        remaining = 0
        for index in isDelivered.indices { isDelivered[index] = true }
        return all
    }

    /// They don't count towards the size of the results either.
    mutating func dropHeldResults() {
        guard held != nil else { return }
        held = nil
        results = ResultSize()
    }
}
