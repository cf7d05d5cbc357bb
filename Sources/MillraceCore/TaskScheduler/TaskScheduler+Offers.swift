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
    mutating func offer(now: Instant, _ effects: inout Effects) {
        localityDeadline = nil
        offerCount += 1
        let isReserved = reservedFor != nil && !offerReserved(now)
        while !isReserved, !(freeRing.isEmpty && prefetchRing.isEmpty),
            let (slot, limit) = queue.next()
        {
            if sets[slot: slot].plan.isBarrier {
                let outcome = offerTogether(slot, now)
                if outcome == .waits { break }
                if outcome == .impossible { queue.passOver() }
                continue
            }
            let launched = offer(slot, limit: limit, now)
            if !sets[slot: slot].hasWork {
                dequeue(slot)
            } else if launched < limit {
                if sets[slot: slot].boundPendingCount > 0 { noteDelay(slot, now) }
                queue.passOver()
            }
        }
        queue.endOffer()
        settleDelays(now)
        watchBarriers(now, &effects)
        watchUnschedulable(hasLaunched: !staged.isEmpty, now, &effects)
        touched.removeAll(keepingCapacity: true)
    }

    /// Launches up to `limit` tasks of one set; returns how many.
    private mutating func offer(_ slot: Int, limit: Int, _ now: Instant) -> Int {
        var launched = 0
        if sets[slot: slot].boundPendingCount > 0 {
            launched = offerPreferred(slot, limit: limit, now)
        }
        if launched < limit { launched += offerAnywhere(slot, limit: limit - launched, now) }
        if launched < limit, !sets[slot: slot].speculatable.isEmpty {
            launched += offerCopies(slot, limit: limit - launched, now)
        }
        return launched
    }

    /// Tasks that may run anywhere, and bound ones that have waited long enough.
    private mutating func offerAnywhere(_ slot: Int, limit: Int, _ now: Instant) -> Int {
        var launched = 0
        let evenBound = sets[slot: slot].locality.map { $0.delay.level == .any } ?? true
        if sets[slot: slot].mustBeCareful {
            return offerCarefully(slot, limit: limit, evenBound: evenBound, now)
        }
        while launched < limit, let executor = nextExecutor(slot, evenBound: evenBound, now) {
            guard let index = sets[slot: slot].popAnywhere(evenBound: evenBound) else {
                preconditionFailure("a task set counts waiting tasks that it doesn't find")
            }
            if sets[slot: slot].tasks[index].binding != .free { codeProbe(.localityWaitOver) }
            launch(index, of: slot, on: executor, at: .any, now)
            launched += 1
            hasRoom(executor)
        }
        return launched
    }

    /// Takes the next executor with room for a task of this set out of its ring; `nil` when nothing
    /// waits or nobody has room. An executor that may not prefetch now is left out until its next
    /// task ends.
    mutating func nextExecutor(
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
    func mayPrefetch(_ executor: Int, _ slot: Int, _ now: Instant) -> Bool {
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
    @inline(__always) func expectedTime(_ slot: Int) -> Int64 {
        let estimate = sets[slot: slot].estimate
        if estimate > 0 { return min(estimate, 1 << 52) }
        return queueTime / Int64(max(settings.prefetchUnknown, 1))
            + (settings.prefetchUnknown > 0 ? 0 : 1)
    }
}
