import MillraceBase

/// What an attempt's end means for its executor and its task. What it means for the stage is the
/// `DAGScheduler`'s.
extension TaskScheduler {
    /// An attempt that has just ended and been taken off its executor; its set is still there until
    /// `settle`.
    struct Ended: Sendable {
        var task: TaskID
        var setSlot: Int
        var set: TaskSetID
        var stage: StageID
        var stageAttempt: Int
        var index: Int
        var unit: Int
        var partition: Int
        var attempt: Int
        var executor: ExecutorID
        var launchedAt: Instant
        /// Whether the set has a successor, or needs nothing more.
        var isZombie: Bool
    }

    /// Why a stage is given up.
    struct Abort: Sendable {
        var stage: StageID
        var message: String
    }

    /// Takes a reported attempt off its executor; `nil` when it isn't running there.
    mutating func release(_ task: TaskID, on executor: ExecutorID, now: Instant) -> Ended? {
        guard let slot = attempts.slot(of: task),
            attempts[slot: slot].executor == executor.rawValue
        else { return nil }
        if !attempts[slot: slot].isKilled {
            executors.states[executor.rawValue].lastProgress = now
        }
        let ended = release(slot)
        noteIfIdle(executor.rawValue)
        return ended
    }

    private mutating func release(_ attemptSlot: Int) -> Ended {
        let attempt = attempts[slot: attemptSlot]
        let executor = attempt.executor
        if attempt.previous >= 0 {
            attempts[slot: Int(attempt.previous)].next = attempt.next
        } else {
            executors.states[executor].firstHeld = attempt.next
        }
        if attempt.next >= 0 {
            attempts[slot: Int(attempt.next)].previous = attempt.previous
        } else {
            executors.states[executor].lastHeld = attempt.previous
        }
        unwatch(attemptSlot)
        forget(attemptSlot)
        if executors.states[executor].isQueueing { queuedCount -= 1 }
        executors.states[executor].held -= 1
        executors.states[executor].heldWork -= attempt.estimate
        attempts.remove(attempt.task)
        hasRoom(executor)
        if !executors.states[executor].takesTasks { noteIfDrained(executor) }
        if touched.last != executor { touched.append(executor) }

        let slot = attempt.setSlot
        countRunning(slot, by: -1)
        return Ended(
            task: attempt.task, setSlot: slot, set: sets[slot: slot].id,
            stage: sets[slot: slot].stage, stageAttempt: sets[slot: slot].stageAttempt,
            index: attempt.index, unit: sets[slot: slot].unit(attempt.index),
            partition: sets[slot: slot].partition(attempt.index),
            attempt: attempt.attempt, executor: ExecutorID(executor),
            launchedAt: attempt.launchedAt, isZombie: sets[slot: slot].isZombie)
    }

    /// Takes an attempt out of its task's list.
    private mutating func forget(_ attemptSlot: Int) {
        let slot = attempts[slot: attemptSlot].setSlot
        let index = attempts[slot: attemptSlot].index
        let older = attempts[slot: attemptSlot].older
        var newer = Int(sets[slot: slot].tasks[index].attemptSlot)
        if newer == attemptSlot {
            sets[slot: slot].tasks[index].attemptSlot = older
            return
        }
        while Int(attempts[slot: newer].older) != attemptSlot {
            newer = Int(attempts[slot: newer].older)
        }
        attempts[slot: newer].older = older
    }

    /// An attempt of the task that runs and wasn't asked to end.
    private func living(_ index: Int, of slot: Int) -> Int? {
        var attempt = Int(sets[slot: slot].tasks[index].attemptSlot)
        while attempt >= 0, attempts[slot: attempt].isKilled {
            attempt = Int(attempts[slot: attempt].older)
        }
        return attempt >= 0 ? attempt : nil
    }

    /// The task succeeded; other attempts of it are asked to end. Call `settle` afterwards.
    mutating func succeed(
        _ ended: Ended, runTime: Int64, _ now: Instant, _ effects: inout Effects
    ) {
        let slot = ended.setSlot
        guard sets.slot(of: ended.set) != nil else { return }
        sets[slot: slot].learn(runTime)
        if !sets[slot: slot].tasks[ended.index].isDone {
            sets[slot: slot].runTimes?.insert(now.nanoseconds(since: ended.launchedAt))
        }
        if sets[slot: slot].tasks[ended.index].attemptSlot >= 0 {
            codeProbe(.slowerAttemptKilled)
            killAttempts(of: ended.index, in: slot, reason: "another attempt succeeded", &effects)
        }
        // Waits although it ran: it had been killed and queued again, and was faster than the kill.
        let wasPending = sets[slot: slot].tasks[ended.index].isPending
        if wasPending { codeProbe(.killOvertaken) }
        sets[slot: slot].markDone(ended.index)
        if wasPending, !sets[slot: slot].hasWork { dequeue(slot) }
        retireIfDone(slot, now, &effects)
    }

    /// What a running attempt would commit; `nil` when it isn't running there or was asked to end.
    func committer(_ task: TaskID, on executor: ExecutorID) -> (stage: StageID, unit: Int)? {
        guard let slot = attempts.slot(of: task),
            attempts[slot: slot].executor == executor.rawValue, !attempts[slot: slot].isKilled
        else { return nil }
        let set = attempts[slot: slot].setSlot
        return (sets[slot: set].stage, sets[slot: set].unit(attempts[slot: slot].index))
    }

    /// The task waits again, unless somebody else cares for it or it failed too often. Call
    /// `settle` afterwards. With `elsewhere` its executor was at fault.
    mutating func fail(
        _ ended: Ended, _ reason: TaskEndReason, counts: Bool, elsewhere: Bool = false,
        _ now: Instant, _ effects: inout Effects
    ) -> Abort? {
        let slot = ended.setSlot
        // The end of a sibling may have been the stage's.
        guard sets.slot(of: ended.set) != nil else { return nil }
        let task = sets[slot: slot].tasks[ended.index]
        guard !sets[slot: slot].isZombie, !task.isDone, !task.isPending else {
            codeProbe(.failureOfUnneededTask)
            return nil
        }
        sets[slot: slot].tasks[ended.index].failedOn = Int32(ended.executor.rawValue)
        // Exclusion, if it's on, decides about that itself.
        sets[slot: slot].tasks[ended.index].mustLeave =
            elsewhere && !settings.exclusion.isEnabledForStages
        if counts {
            noteFailure(ended, reason, now, &effects)
            sets[slot: slot].tasks[ended.index].failures += 1
            let failures = Int(task.failures) + 1
            if failures >= sets[slot: slot].maxFailures {
                return abort(ended, "failed \(failures) times, most recently on", reason)
            }
        }
        if Int(task.attempts) >= TaskSet.attemptLimit {
            return abort(ended, "was attempted \(task.attempts) times, most recently on", reason)
        }
        // Its siblings fail with it.
        if sets[slot: slot].plan.isBarrier { return nil }
        if let attempt = living(ended.index, of: slot) {
            codeProbe(.copyGoesOn)
            if isWatched(slot), !attempts[slot: attempt].isWatched {
                watch(attempt, isOld: true, now)
            }
            return nil
        }
        requeue(ended.index, in: slot)
        return nil
    }

    private func abort(_ ended: Ended, _ what: String, _ reason: TaskEndReason) -> Abort {
        let task = "Task \(ended.partition) in \(ended.stage).\(ended.stageAttempt)"
        var message = "\(task) \(what) \(ended.executor) as \(ended.task): \(reason.summary)"
        if case .exception(_, let trace) = reason, !trace.isEmpty { message += "\n\(trace)" }
        return Abort(stage: ended.stage, message: message)
    }

    /// Lets go of the set if that was its last attempt and it launches nothing more.
    mutating func settle(_ ended: Ended) {
        if sets.contains(ended.set) { removeIfOver(ended.setSlot) }
    }

    /// The executor is gone: its attempts end, in launch order. The first `cores` of them were
    /// running and may be to blame, the others were still queued there. (Spark: a task that hadn't
    /// reported its start isn't counted.)
    mutating func lose(_ executor: ExecutorID) -> [(ended: Ended, wasRunning: Bool)] {
        guard executors.remove(executor) else { return [] }
        idle.end(executor.rawValue)
        forgetGranted(executor.rawValue)
        var ended: [(ended: Ended, wasRunning: Bool)] = []
        let cores = executors.states[executor.rawValue].cores
        while executors.states[executor.rawValue].firstHeld >= 0 {
            let slot = Int(executors.states[executor.rawValue].firstHeld)
            if ended.count == cores { codeProbe(.queuedTasksLost) }
            ended.append((release(slot), ended.count < cores))
        }
        rebind(from: executor.rawValue)
        return ended
    }

    /// Waiting tasks needn't wait for this executor any longer.
    mutating func rebind(from executor: Int) {
        for pool in queue.pools {
            for entry in pool.entries {
                sets[slot: entry.slot].rebind(from: executor, executors)
            }
        }
    }
}
