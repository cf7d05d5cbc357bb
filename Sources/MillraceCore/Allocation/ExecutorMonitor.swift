import MillraceBase

/// Which executors have been idle for so long that they may go. Spark's ExecutorMonitor.
///
/// The time is `idleTimeout`, longer for an executor that holds cached blocks or map outputs;
/// while a running job needs its map outputs an executor doesn't time out at all. So an executor is
/// looked at when `idleTimeout` is over, and from then on whenever something has changed.
struct ExecutorMonitor: Sendable {
    let settings: AllocationSettings
    /// Idle for `idleTimeout`, the longest first. Some may have got tasks since.
    private var overdue: [Int] = []
    /// When one of those times out for which a longer time holds.
    private var nextDeadline: Instant?

    init(settings: AllocationSettings) { self.settings = settings }

    /// When to look next, if nothing changes.
    func nextLook(_ idle: IdleExecutors) -> Instant? {
        guard let oldest = idle.oldest else { return nextDeadline }
        let due = oldest + settings.idleTimeout
        return nextDeadline.map { min($0, due) } ?? due
    }

    /// The executors that may go now, the longest idle first.
    mutating func timedOut(
        _ tasks: inout TaskScheduler, _ outputs: MapOutputTracker, _ blocks: BlockManagerMaster,
        now: Instant
    ) -> [ExecutorID] {
        overdue.removeAll { !tasks.idle.isOverdue($0) }
        let longAgo = Instant(nanoseconds: now.nanoseconds - settings.idleTimeout.nanoseconds)
        while let executor = tasks.idle.popFirst(idleSince: longAgo) { overdue.append(executor) }
        nextDeadline = nil
        var found: [ExecutorID] = []
        for executor in overdue where tasks.executors.takesTasks(ExecutorID(executor)) {
            let held =
                settings.isShuffleTracked
                ? outputs.holdings(of: ExecutorID(executor)) : MapOutputTracker.Holdings()
            if held.isNeeded { continue }
            let hasCache = blocks.holdsBlocks(ExecutorID(executor))
            let deadline = tasks.idle.since(executor) + timeout(hasCache: hasCache, held)
            if deadline <= now {
                found.append(ExecutorID(executor))
            } else {
                nextDeadline = min(nextDeadline ?? deadline, deadline)
            }
        }
        return found
    }

    private func timeout(hasCache: Bool, _ held: MapOutputTracker.Holdings) -> Duration {
        max(
            settings.idleTimeout, hasCache ? settings.cachedIdleTimeout : .zero,
            held.isSome ? settings.shuffleTimeout : .zero)
    }
}
