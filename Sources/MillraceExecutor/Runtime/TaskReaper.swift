import MillraceBase
import MillraceCore

/// Watches tasks that were asked to end and don't: a task hears that only at its next chunk of
/// rows, which a loop or a call in the program's own code may never reach. Spark's TaskReaper.
public struct TaskReaper: Sendable {
    private struct Killed: Sendable {
        var task: TaskID
        var reason: String
        var since: ContinuousClock.Instant
    }

    /// A task that still runs.
    struct Overdue: Sendable {
        var task: TaskID
        var reason: String
        var time: Duration
        /// Whether its process is to be given up for it.
        var isExpired: Bool
    }

    /// `millrace.task.reaper.pollingInterval`
    public let pollingInterval: Duration
    /// `millrace.task.reaper.killTimeout`; nil for no end.
    let killTimeout: Duration?
    /// `millrace.task.reaper.threadDump`
    let dumpsThreads: Bool
    private var tasks: [Killed] = []

    public init(pollingInterval: Duration, killTimeout: Duration?, dumpsThreads: Bool = false) {
        self.pollingInterval = pollingInterval
        self.killTimeout = killTimeout
        self.dumpsThreads = dumpsThreads
    }

    /// As the settings say; nil when nothing is to be watched.
    public init?(_ conf: Conf) {
        guard conf.scheduler.isReaperEnabled else { return nil }
        self.init(
            pollingInterval: conf.scheduler.reaperPollingInterval,
            killTimeout: conf.scheduler.reaperKillTimeout.duration,
            dumpsThreads: conf.scheduler.dumpsThreads)
    }

    /// The first time counts.
    mutating func killed(_ task: TaskID, reason: String, at now: ContinuousClock.Instant) {
        guard !tasks.contains(where: { $0.task == task }) else { return }
        tasks.append(Killed(task: task, reason: reason, since: now))
    }

    mutating func ended(_ task: TaskID) { tasks.removeAll { $0.task == task } }

    /// Those that have had a polling interval's time.
    func overdue(at now: ContinuousClock.Instant) -> [Overdue] {
        tasks.compactMap { task in
            let time = now - task.since
            guard time >= pollingInterval else { return nil }
            return Overdue(
                task: task.task, reason: task.reason, time: time,
                isExpired: killTimeout.map { time >= $0 } ?? false)
        }
    }
}

extension TaskReaper.Overdue {
    func log() {
        if isExpired {
            Log.error(
                "executor", "a killed task does not end",
                ["task": task.rawValue, "reason": reason, "after": time])
        } else {
            Log.warn(
                "executor", "a killed task still runs",
                ["task": task.rawValue, "reason": reason, "after": time])
        }
    }
}
