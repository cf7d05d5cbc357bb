import MillraceBase

/// What happens to barrier stages, for the log.
public enum BarrierNotice: Hashable, Sendable, CustomStringConvertible {
    /// It isn't begun before there are slots for all tasks of its largest barrier stage.
    case jobWaits(JobID, tasks: Int, slots: Int, BarrierSettings)
    /// Slots that were there are gone.
    case stageWaits(StageID, stageAttempt: Int, tasks: Int, slots: Int, BarrierSettings)
    /// One task failed, so all are tried again.
    case attemptFailed(StageID, stageAttempt: Int, reason: String)
    /// Its tasks will never all be at the barrier.
    case syncFailed(StageID, stageAttempt: Int, epoch: Int, reason: String)

    public var level: LogLevel { .warn }

    public var description: String {
        switch self {
        case .jobWaits(let job, let tasks, let slots, let settings):
            "\(job) waits: \(Self.shortage(tasks, slots)); \(Self.patience(settings))"
        case .stageWaits(let stage, let attempt, let tasks, let slots, let settings):
            "\(stage).\(attempt) waits: \(Self.shortage(tasks, slots)); \(Self.patience(settings))"
        case .attemptFailed(let stage, let attempt, let reason):
            "\(stage).\(attempt) is a barrier stage and ends here: \(reason)"
        case .syncFailed(let stage, let attempt, let epoch, let reason):
            "barrier \(epoch) of \(stage).\(attempt) cannot be passed: \(reason)"
        }
    }

    /// What is wanted, and what there is.
    static func shortage(_ tasks: Int, _ slots: Int) -> String {
        "a barrier stage needs \(tasks) slots at once, and the executors have \(slots)"
    }

    private static func patience(_ settings: BarrierSettings) -> String {
        "looking \(settings.maxCheckFailures) times more, every \(settings.checkInterval.confText)"
    }
}
