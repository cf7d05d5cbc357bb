import MillraceBase

/// When executors and hosts on which tasks fail get no more of them: `millrace.excludeOnFailure.*`,
/// with Spark's defaults.
public struct ExclusionSettings: Hashable, Sendable {
    /// Of one task, of the tasks of one stage attempt.
    public var isEnabledForStages = false
    /// Of the whole application.
    public var isEnabledForApplication = false
    /// How long the application does without an executor or host.
    public var timeout: Duration = .seconds(3_600)

    /// Attempts of one task on one executor, on one host.
    public var maxTaskAttemptsPerExecutor = 1
    public var maxTaskAttemptsPerHost = 2
    /// Tasks of one stage attempt that may fail on an executor, and executors of a host that may be
    /// excluded for it, until the executor or host is excluded for the stage attempt.
    public var maxFailedTasksPerExecutorInStage = 2
    public var maxFailedExecutorsPerHostInStage = 2
    /// The same for the application, counted over stages that succeeded all the same.
    public var maxFailedTasksPerExecutor = 2
    public var maxFailedExecutorsPerHost = 2

    /// Whether the application does without an executor as soon as nobody can fetch from it.
    public var excludesOnFetchFailure = false
    /// Whether executors that the application does without are ended, and if so, whether they may
    /// finish what they run.
    public var killsExecutors = false
    public var decommissionsKilled = false
    /// How long a stage may wait for an executor when all are excluded for one of its tasks.
    public var unschedulableTimeout: Duration = .seconds(120)

    public init() {}

    public var isEnabled: Bool { isEnabledForStages || isEnabledForApplication }
}
