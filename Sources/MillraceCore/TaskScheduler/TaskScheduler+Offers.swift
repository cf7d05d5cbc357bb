import MillraceBase

/// Filling executors with tasks.
///
/// First cores, one task to each executor in turn, then the queues of executors that run short
/// tasks (*prefetch*): a task that waits there for less than a round trip to the driver costs
/// nothing, and its predecessor's end needn't be answered before it starts. Three rules keep that
/// harmless: an executor never holds more work than its cores take in `prefetchQueueTime` beyond a
/// task each, so a long task is never queued behind another; never more than `prefetchLimit` tasks;
/// and never more than its share of what still waits, so the last tasks go where a core is free.
extension TaskScheduler {
    /// Launches what fits. The launches are staged until `flush`.
    mutating func offer(now: Instant) {
        localityDeadline = nil
        offerCount += 1
        while !(freeRing.isEmpty && prefetchRing.isEmpty), let (slot, limit) = queue.next() {
            let launched = offer(slot, limit: limit, now)
            let deadline = sets[slot: slot].localityDeadline
            if sets[slot: slot].boundPendingCount > 0, deadline > now {
                localityDeadline = min(localityDeadline ?? deadline, deadline)
            }
            if sets[slot: slot].pendingCount == 0 {
                dequeue(slot)
            } else if launched < limit {
                queue.passOver()
            }
        }
        queue.endOffer()
        touched.removeAll(keepingCapacity: true)
    }

    /// Launches up to `limit` tasks of one set; returns how many.
    private mutating func offer(_ slot: Int, limit: Int, _ now: Instant) -> Int {
        var launched = 0
        if sets[slot: slot].boundPendingCount > 0 {
            launched = offerPreferred(slot, limit: limit, now)
        }
        if launched < limit { launched += offerAnywhere(slot, limit: limit - launched, now) }
        return launched
    }

    /// Bound tasks, on the executors they prefer: all of these for a new set, else those that got
    /// room.
    private mutating func offerPreferred(_ slot: Int, limit: Int, _ now: Instant) -> Int {
        guard let groups = sets[slot: slot].locality?.groups else { return 0 }
        var launched = 0
        while launched < limit, sets[slot: slot].unseenGroup < groups.count {
            let group = sets[slot: slot].unseenGroup
            launched += fill(
                groups[group].executor, from: group, of: slot, limit: limit - launched, now)
            if launched < limit { sets[slot: slot].unseenGroup += 1 }
        }
        while launched < limit,
            let place = sets[slot: slot].nextTouched(in: offerCount, of: touched.count)
        {
            if let group = sets[slot: slot].locality?.group(of: touched[place]) {
                launched += fill(
                    touched[place], from: group, of: slot, limit: limit - launched, now)
            }
            if launched < limit { sets[slot: slot].advanceTouched() }
        }
        return launched
    }

    private mutating func fill(
        _ executor: Int, from group: Int, of slot: Int, limit: Int, _ now: Instant
    ) -> Int {
        var launched = 0
        while launched < limit,
            executors.states[executor].hasFreeCore || mayPrefetch(executor, slot, now)
        {
            guard let index = sets[slot: slot].popBound(group: group) else { return launched }
            launch(index, of: slot, on: executor, isPreferred: true, now)
            launched += 1
            // Delay scheduling: a local launch starts the wait anew.
            sets[slot: slot].localityDeadline = now + settings.localityWait
        }
        return launched
    }

    /// Tasks that may run anywhere, and bound ones that have waited long enough.
    private mutating func offerAnywhere(_ slot: Int, limit: Int, _ now: Instant) -> Int {
        var launched = 0
        let evenBound = now >= sets[slot: slot].localityDeadline
        while launched < limit, let executor = nextExecutor(slot, evenBound: evenBound, now) {
            guard let index = sets[slot: slot].popAnywhere(evenBound: evenBound) else {
                preconditionFailure("a task set counts waiting tasks that it doesn't find")
            }
            if sets[slot: slot].tasks[index].isBound { codeProbe(.localityWaitOver) }
            launch(index, of: slot, on: executor, isPreferred: false, now)
            launched += 1
            hasRoom(executor)
        }
        return launched
    }

    /// Takes the next executor with room for a task of this set out of its ring; `nil` when nothing
    /// waits or nobody has room. An executor that may not prefetch now is left out until its next
    /// task ends.
    private mutating func nextExecutor(
        _ slot: Int, evenBound: Bool, _ now: Instant
    ) -> Int? {
        let bound = evenBound ? 0 : sets[slot: slot].boundPendingCount
        guard sets[slot: slot].pendingCount > bound else { return nil }
        while let executor = freeRing.popFirst() {
            executors.states[executor].isInFreeRing = false
            if executors.states[executor].hasFreeCore { return executor }
            hasRoom(executor)
        }
        while let executor = prefetchRing.popFirst() {
            executors.states[executor].isInPrefetchRing = false
            if executors.states[executor].takesTasks, mayPrefetch(executor, slot, now) {
                return executor
            }
        }
        return nil
    }

    /// Whether a busy executor may be given one more task of this set in advance.
    private func mayPrefetch(_ executor: Int, _ slot: Int, _ now: Instant) -> Bool {
        guard queueTime > 0, executors.states[executor].takesTasks, isMoving(executor, now) else {
            return false
        }
        let cores = executors.states[executor].cores
        let queued = executors.states[executor].held + executors.states[executor].granted - cores
        let share = sets[slot: slot].pendingCount / max(executors.takingCount, 1)
        guard queued < min(settings.prefetchLimit, share) else { return false }
        let estimate = expectedTime(slot)
        let (work, overflow) = estimate.multipliedReportingOverflow(by: Int64(cores))
        return !overflow && executors.states[executor].heldWork + estimate <= queueTime + work
    }

    /// Of one task, in nanoseconds. Unknown tasks count as so long that `prefetchUnknown` of them
    /// may wait.
    private func expectedTime(_ slot: Int) -> Int64 {
        let estimate = sets[slot: slot].estimate
        if estimate > 0 { return min(estimate, 1 << 52) }
        return queueTime / Int64(max(settings.prefetchUnknown, 1))
            + (settings.prefetchUnknown > 0 ? 0 : 1)
    }

    private mutating func launch(
        _ index: Int, of slot: Int, on executor: Int, isPreferred: Bool, _ now: Instant
    ) {
        let task = nextTask
        nextTask = task.next
        let estimate = expectedTime(slot)
        let attempt = Int(sets[slot: slot].tasks[index].attempts)
        var record = Attempt(
            task: task, setSlot: slot, index: index, attempt: attempt, executor: executor,
            estimate: estimate, isPreferred: isPreferred)
        record.previous = executors.states[executor].lastHeld
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
        countRunning(slot, by: 1)

        let partition = sets[slot: slot].partition(index)
        let inputs = sets[slot: slot].plan.inputs
        stage(
            TaskDescription(
                id: task, stage: sets[slot: slot].stage,
                stageAttempt: sets[slot: slot].stageAttempt, partition: partition, attempt: attempt,
                input: inputs.isEmpty ? [] : inputs[partition]), on: executor)
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
