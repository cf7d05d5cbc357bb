import MillraceBase

/// What there is to do, in tasks.
public struct SchedulerLoad: Hashable, Sendable {
    /// Not launched, or launched in advance and queued at an executor, where Spark would not have
    /// sent it.
    public var pending = 0
    /// Second attempts of slow tasks that wait to be launched.
    public var pendingSpeculative = 0
    public var running = 0
    /// Task sets with a task that no executor may run, because all are excluded for it.
    public var unschedulableSets = 0
    /// Tasks of the largest barrier stage that waits: it needs so many slots at once, whatever the
    /// allocation ratio.
    public var atOnce = 0

    public init(
        pending: Int = 0, pendingSpeculative: Int = 0, running: Int = 0, unschedulableSets: Int = 0,
        atOnce: Int = 0
    ) {
        self.pending = pending
        self.pendingSpeculative = pendingSpeculative
        self.running = running
        self.unschedulableSets = unschedulableSets
        self.atOnce = atOnce
    }
}

extension TaskScheduler {
    /// Its last task may have ended.
    mutating func noteIfIdle(_ executor: Int) {
        guard executors.states[executor].isIdle, executors.states[executor].isAlive else { return }
        idle.begin(executor)
    }

    /// Whether some task waits. The price of a look is that of two comparisons.
    var isBacklogged: Bool { !queue.isEmpty || queuedCount > 0 || grantedWaiting > 0 }

    /// Tasks of the largest barrier stage that waits to be launched.
    var largestBarrier: Int {
        barrierWaits.lazy.compactMap { sets[$0.set]?.tasks.count }.max() ?? 0
    }

    /// One addition for each task set that waits; the sets themselves count as their tasks come and
    /// go.
    var load: SchedulerLoad {
        var waiting = 0
        var copies = 0
        for pool in queue.pools {
            for entry in pool.entries {
                waiting += sets[slot: entry.slot].pendingCount
                copies += sets[slot: entry.slot].speculatable.count
            }
        }
        return SchedulerLoad(
            pending: waiting + queuedCount + grantedWaiting, pendingSpeculative: copies,
            running: attempts.count - queuedCount + grantedCount - grantedWaiting,
            unschedulableSets: unschedulable.count, atOnce: largestBarrier)
    }
}
