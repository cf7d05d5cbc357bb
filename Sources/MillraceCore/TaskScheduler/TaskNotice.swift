import MillraceBase

/// What the `TaskScheduler` made of slow and failing tasks, for the log.
public enum TaskNotice: Hashable, Sendable, CustomStringConvertible {
    /// It takes much longer than its siblings, so that a second attempt will be made.
    case taskSpeculatable(
        TaskID, StageID, stageAttempt: Int, partition: Int, ExecutorID, elapsed: Duration)
    /// Too many tasks of the stage attempt failed there: it gets no more of them.
    case executorExcludedForStage(ExecutorID, StageID, stageAttempt: Int)
    /// Too many of its executors are excluded for the stage attempt.
    case hostExcludedForStage(String, StageID, stageAttempt: Int)
    /// The application does without it for a while.
    case executorExcluded(ExecutorID, reason: String, for: Duration)
    case hostExcluded(String, reason: String, for: Duration)
    /// Their time is over.
    case exclusionsEnded([ExecutorID], hosts: [String])
    /// Every executor is excluded for one of its tasks. Without a new one it will be given up.
    case taskSetUnschedulable(StageID, stageAttempt: Int, partition: Int, waits: Duration)

    public var level: LogLevel {
        switch self {
        case .taskSpeculatable, .exclusionsEnded: .info
        case .executorExcludedForStage, .hostExcludedForStage, .executorExcluded, .hostExcluded,
            .taskSetUnschedulable:
            .warn
        }
    }

    public var description: String {
        switch self {
        case .taskSpeculatable(
            let task, let stage, let stageAttempt, let partition, let executor, let elapsed):
            """
            \(task) (\(stage).\(stageAttempt) partition \(partition)) is slow, \
            \(Int(elapsed.milliseconds)) ms on \(executor): it will be launched once more
            """
        case .executorExcludedForStage(let executor, let stage, let attempt):
            "\(executor) gets no more tasks of \(stage).\(attempt): too many failed there"
        case .hostExcludedForStage(let host, let stage, let attempt):
            "host \(host) gets no more tasks of \(stage).\(attempt): too many failed there"
        case .executorExcluded(let executor, let reason, let time):
            "\(executor) is excluded for \(time.confText): \(reason)"
        case .hostExcluded(let host, let reason, let time):
            "host \(host) is excluded for \(time.confText): \(reason)"
        case .exclusionsEnded(let executors, let hosts):
            "no longer excluded: "
                + (executors.map { "\($0)" } + hosts.map { "host \($0)" }).joined(separator: ", ")
        case .taskSetUnschedulable(let stage, let attempt, let partition, let time):
            """
            partition \(partition) of \(stage).\(attempt) cannot run anywhere: every executor is \
            excluded; waiting \(time.confText) for another one
            """
        }
    }
}
