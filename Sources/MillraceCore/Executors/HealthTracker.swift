import MillraceBase

/// Which executors and hosts the application does without for a while, because tasks failed there.
/// Spark's HealthTracker.
///
/// What failed in a stage attempt counts when that has succeeded: then the executor was to blame
/// and not the program. Counts and exclusions are forgotten after `ExclusionSettings.timeout`.
struct HealthTracker: Sendable {
    private struct Failure: Sendable {
        var set: TaskSetID
        var index: Int
        var expiry: Instant
    }

    private let rules: ExclusionSettings
    /// By executor.
    private var failures: [[Failure]] = []
    /// What is excluded until when, earliest first; the timeout is always the same.
    private var executors = RingBuffer<(id: Int, until: Instant)>()
    private var hosts = RingBuffer<(id: Int, until: Instant)>()

    init(settings: CoreSettings) { rules = settings.exclusion }

    var isEmpty: Bool { executors.isEmpty && hosts.isEmpty }
    /// When an exclusion ends.
    var nextExpiry: Instant? {
        guard let executor = executors.first?.until else { return hosts.first?.until }
        return hosts.first.map { min($0.until, executor) } ?? executor
    }

    /// Counts the failed tasks of a stage attempt that succeeded. Returns the number by which the
    /// executor is to be excluded, if it is.
    mutating func note(_ tasks: [Int], of set: TaskSetID, on executor: Int, now: Instant) -> Int? {
        while failures.count <= executor { failures.append([]) }
        failures[executor].removeAll { $0.expiry < now }
        for index in tasks {
            failures[executor].append(Failure(set: set, index: index, expiry: now + rules.timeout))
        }
        let count = failures[executor].count
        return count >= rules.maxFailedTasksPerExecutor ? count : nil
    }

    /// Returns until when.
    mutating func exclude(executor: Int, now: Instant) -> Instant {
        let until = now + rules.timeout
        executors.append((executor, until))
        if executor < failures.count { failures[executor] = [] }
        return until
    }

    mutating func exclude(host: Int, now: Instant) -> Instant {
        let until = now + rules.timeout
        hosts.append((host, until))
        return until
    }

    /// Whose time is over.
    mutating func expire(_ now: Instant) -> (executors: [Int], hosts: [Int]) {
        var expired: (executors: [Int], hosts: [Int]) = ([], [])
        while let first = executors.first, first.until <= now {
            expired.executors.append(first.id)
            _ = executors.popFirst()
        }
        while let first = hosts.first, first.until <= now {
            expired.hosts.append(first.id)
            _ = hosts.popFirst()
        }
        return expired
    }
}
