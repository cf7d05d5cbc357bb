/// Executors and hosts on which tasks fail.
public struct ExclusionEntries: ConfEntries {
    public static let title = "Exclusion on failure"
    public static let entries = ExclusionEntries()

    public let isEnabled = ConfEntry<Bool?>(
        "millrace.excludeOnFailure.enabled", default: nil,
        doc: "Whether executors and hosts on which tasks fail get no more of them: for the task, "
            + "the stage attempt, and the application. Not if not set. Micro-batches are then "
            + "scheduled one by one, without group scheduling.",
        simulate: [nil, true])
    public let isEnabledForApplication = ConfEntry<Bool?>(
        "millrace.excludeOnFailure.application.enabled", default: nil,
        doc: "The same for the application alone; takes the place of "
            + "`millrace.excludeOnFailure.enabled` there if set.")
    public let isEnabledForStages = ConfEntry<Bool?>(
        "millrace.excludeOnFailure.taskAndStage.enabled", default: nil,
        doc: "The same for tasks and stage attempts alone; takes the place of "
            + "`millrace.excludeOnFailure.enabled` there if set.")
    public let timeout = ConfEntry(
        "millrace.excludeOnFailure.timeout", default: Duration.seconds(3_600),
        doc: "How long the application does without an executor or host.",
        valid: .atLeast(.milliseconds(1)))
    public let maxTaskAttemptsPerExecutor = ConfEntry(
        "millrace.excludeOnFailure.task.maxTaskAttemptsPerExecutor", default: 1,
        doc: "Attempts of one task that may fail on an executor before it is tried elsewhere.",
        valid: .between(1, 1_000))
    public let maxTaskAttemptsPerHost = ConfEntry(
        "millrace.excludeOnFailure.task.maxTaskAttemptsPerNode", default: 2,
        doc: "The same on a host. Below `millrace.task.maxFailures`, or a bad host fails the job.",
        valid: .between(1, 1_000))
    public let maxFailedTasksPerExecutorInStage = ConfEntry(
        "millrace.excludeOnFailure.stage.maxFailedTasksPerExecutor", default: 2,
        doc: "Tasks of one stage attempt that may fail on an executor before it gets no more of "
            + "that attempt.", valid: .between(1, 1_000_000))
    public let maxFailedExecutorsPerHostInStage = ConfEntry(
        "millrace.excludeOnFailure.stage.maxFailedExecutorsPerNode", default: 2,
        doc: "Executors of a host that may be excluded for a stage attempt before the host is.",
        valid: .between(1, 1_000_000))
    public let maxFailedTasksPerExecutor = ConfEntry(
        "millrace.excludeOnFailure.application.maxFailedTasksPerExecutor", default: 2,
        doc: "Tasks that may fail on an executor, in stages that succeeded elsewhere, before the "
            + "application does without it.", valid: .between(1, 1_000_000))
    public let maxFailedExecutorsPerHost = ConfEntry(
        "millrace.excludeOnFailure.application.maxFailedExecutorsPerNode", default: 2,
        doc: "Executors of a host that may be excluded for the application before the host is.",
        valid: .between(1, 1_000_000))
    public let excludesOnFetchFailure = ConfEntry(
        "millrace.excludeOnFailure.application.fetchFailure.enabled", default: false,
        doc: "Whether the application does without an executor as soon as nobody can fetch its map "
            + "outputs; without the host, if a shuffle service serves them.")
    public let killsExecutors = ConfEntry(
        "millrace.excludeOnFailure.killExcludedExecutors", default: false,
        doc: "Whether executors that the application does without are ended.")
    public let decommissionsKilled = ConfEntry(
        "millrace.excludeOnFailure.killExcludedExecutors.decommission", default: false,
        doc: "Whether they may finish what they run before they end.")
    public let unschedulableTimeout = ConfEntry(
        "millrace.scheduler.excludeOnFailure.unschedulableTaskSetTimeout",
        default: Duration.seconds(120),
        doc: "How long a stage may wait for an executor when all are excluded for one of its "
            + "tasks, before its jobs are aborted.", valid: .atLeast(.zero), bareUnit: "s")
}
