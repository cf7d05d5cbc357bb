import MillraceBase

/// Tasks that were asked to end, and by when their executors must have said that they did. An
/// executor that doesn't is given up: its own reaper should have ended its process by then, so it
/// hangs.
struct KillDeadlines: Sendable {
    /// Time from asking to giving up; `nil` waits for ever.
    let limit: Duration?
    /// In the order of their times, for all get the same. Those that have ended stay until then.
    private var waiting: [(task: TaskID, due: Instant)] = []
    private var first = 0

    init(limit: Duration?) { self.limit = limit }

    mutating func note(_ task: TaskID, _ now: Instant) {
        if let limit { waiting.append((task, now + limit)) }
    }

    /// When to look; there may turn out to be nothing.
    var next: Instant? { first < waiting.count ? waiting[first].due : nil }

    /// The oldest whose time is over.
    mutating func popDue(_ now: Instant) -> TaskID? {
        guard let due = next, due <= now else { return nil }
        defer {
            first += 1
            if first == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                first = 0
            }
        }
        return waiting[first].task
    }
}

extension TaskScheduler {
    /// The executor of a task that should have ended long ago.
    mutating func popOverdueKill(_ now: Instant) -> ExecutorID? {
        while let task = killDeadlines.popDue(now) {
            if let slot = attempts.slot(of: task) {
                return ExecutorID(attempts[slot: slot].executor)
            }
        }
        return nil
    }
}
