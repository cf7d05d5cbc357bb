import MillraceBase

/// Sending a task to an executor: what is noted of it, and the one message for each executor.
extension TaskScheduler {
    mutating func launch(
        _ index: Int, of slot: Int, on executor: Int, at level: LocalityLevel, _ now: Instant
    ) {
        let task = nextTask
        nextTask = task.next
        let estimate = expectedTime(slot)
        let attempt = Int(sets[slot: slot].tasks[index].attempts)
        var record = Attempt(
            task: task, setSlot: slot, index: index, attempt: attempt, executor: executor,
            launchedAt: now, estimate: estimate, isPreferred: level == .process)
        record.previous = executors.states[executor].lastHeld
        record.older = sets[slot: slot].tasks[index].attemptSlot
        let attemptSlot = attempts.insert(record, for: task)
        if record.previous >= 0 {
            attempts[slot: Int(record.previous)].next = Int32(attemptSlot)
        } else {
            executors.states[executor].firstHeld = Int32(attemptSlot)
        }
        executors.states[executor].lastHeld = Int32(attemptSlot)
        if executors.states[executor].held == 0 {
            executors.states[executor].lastProgress = now
            idle.end(executor)
        }
        executors.states[executor].held += 1
        if executors.states[executor].isQueueing { queuedCount += 1 }
        executors.states[executor].heldWork += estimate
        sets[slot: slot].launched(index, attemptSlot: attemptSlot)
        if sets[slot: slot].locality != nil {
            sets[slot: slot].locality!.begin(offer: offerCount)
            if sets[slot: slot].locality!.launched(level) { launchedLocally.append(slot) }
        }
        countRunning(slot, by: 1)
        if record.older < 0, isWatched(slot) { watch(attemptSlot, isOld: false, now) }

        let partition = sets[slot: slot].partition(index)
        stage(
            TaskDescription(
                id: task, stage: sets[slot: slot].stage,
                stageAttempt: sets[slot: slot].stageAttempt, partition: partition, attempt: attempt,
                input: sets[slot: slot].input(partition)), on: executor)
    }

    private mutating func stage(_ task: TaskDescription, on executor: Int) {
        let place = Int32(staged.count)
        staged.append(Staged(task: task, next: -1))
        if executors.states[executor].firstStaged < 0 {
            executors.states[executor].firstStaged = place
            stagedExecutors.append(executor)
        } else {
            staged[Int(executors.states[executor].lastStaged)].next = place
        }
        executors.states[executor].lastStaged = place
    }

    /// Turns the staged launches into one effect for each executor.
    mutating func flush(_ effects: inout Effects) {
        flushDrained(&effects)
        guard !staged.isEmpty else { return }
        for executor in stagedExecutors {
            let start = effects.launches.count
            var place = executors.states[executor].firstStaged
            while place >= 0 {
                effects.launches.append(staged[Int(place)].task)
                place = staged[Int(place)].next
            }
            executors.states[executor].firstStaged = -1
            effects.append(.launch(ExecutorID(executor), start..<effects.launches.count))
        }
        staged.removeAll(keepingCapacity: true)
        stagedExecutors.removeAll(keepingCapacity: true)
    }
}
