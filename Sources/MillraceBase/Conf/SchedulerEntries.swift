/// Stages, tasks, and which of them run where.
public struct SchedulerEntries: ConfEntries {
    public static let title = "Scheduler"
    public static let entries = SchedulerEntries()

    public let maxTaskFailures = ConfEntry(
        "millrace.task.maxFailures", default: 4,
        doc: "Failures of one task before its job is aborted. A task lost with its executor, or "
            + "for want of a map output, did not fail.",
        valid: .between(1, 1_000), simulate: [1, 2, 4])
    public let maxConsecutiveStageAttempts = ConfEntry(
        "millrace.stage.maxConsecutiveAttempts", default: 4,
        doc: "Attempts of one stage in a row that may end with a lost map output before its job "
            + "is aborted.", valid: .between(1, 1_000), simulate: [2, 4])
    public let maxStageAttempts = ConfEntry(
        "millrace.stage.maxAttempts", default: Int.max,
        doc: "Attempts of one stage in all before its job is aborted; at least "
            + "millrace.stage.maxConsecutiveAttempts.", valid: .atLeast(1))
    public let ignoresDecommissionFetchFailures = ConfEntry(
        "millrace.stage.ignoreDecommissionFetchFailure", default: true,
        doc: "Whether map outputs lost with a decommissioned executor are no reason to count an "
            + "attempt of the stage that reads them.", simulate: [true, false])
    public let cancelledGroupLimit = ConfEntry(
        "millrace.scheduler.numCancelledJobGroupsToTrack", default: 1_000,
        doc: "Job groups of which it is remembered that their future jobs are cancelled too; the "
            + "oldest is forgotten first.", valid: .between(1, 1_000_000))
    public let mode = ConfEntry(
        "millrace.scheduler.mode", default: SchedulingMode.fifo,
        doc: "Whether jobs are served one after the other (FIFO), or pools of jobs by their shares "
            + "(FAIR).", simulate: SchedulingMode.allCases)
    public let allocationFile = ConfEntry<String?>(
        "millrace.scheduler.allocation.file", default: nil,
        doc: "The pools of FAIR mode, their weights and minimum shares, in the format of Spark's "
            + "fairscheduler.xml. A pool that is not there has weight 1 and no minimum.")
    public let localityWait = ConfEntry(
        "millrace.locality.wait", default: Duration.seconds(3),
        doc: "How long a task waits for an executor that has its data, then for one on the same "
            + "host, before it takes any.",
        simulate: [.zero, .milliseconds(100), .seconds(3)])
    public let processLocalityWait = ConfEntry<Duration?>(
        "millrace.locality.wait.process", default: nil,
        doc: "How long a task waits for an executor that has its data; `millrace.locality.wait` if "
            + "not set.")
    public let nodeLocalityWait = ConfEntry<Duration?>(
        "millrace.locality.wait.node", default: nil,
        doc: "How long a task waits for a host that has its data; `millrace.locality.wait` if not "
            + "set.")
    public let stateLocalityWait = ConfEntry(
        "millrace.locality.wait.state", default: Duration.seconds(10),
        doc: "How long a task of a streaming query waits for the executor that owns its state: "
            + "anywhere else it has to load the state first.",
        simulate: [.zero, .milliseconds(100), .seconds(10)])
    public let prefetchQueueTime = ConfEntry(
        "millrace.scheduler.prefetch.queueTime", default: Duration.milliseconds(2),
        doc: "About how long a task may wait at an executor, so that a short task does not cost a "
            + "round trip to the driver; 0 sends a task only to a free core.",
        valid: .between(.zero, .seconds(1)),
        simulate: [.zero, .milliseconds(2), .milliseconds(50)])
    public let maxPrefetchedTasks = ConfEntry(
        "millrace.scheduler.prefetch.maxTasks", default: 64,
        doc: "Tasks that an executor holds beyond its cores at most, however short they are.",
        valid: .between(0, 65_536), simulate: [0, 1, 64])
    public let starvationTimeout = ConfEntry(
        "millrace.starvation.timeout", default: Duration.seconds(15),
        doc: "How long a job may wait for its first core before a warning, and between two.",
        valid: .atLeast(.milliseconds(10)))
    public let registrationWait = ConfEntry(
        "millrace.scheduler.maxRegisteredResourcesWaitingTime", default: Duration.seconds(30),
        doc: "How long the first job waits for the executors that were asked for before it starts "
            + "with those that are there.", simulate: [.seconds(1), .seconds(30)])
    public let idlePlansSize = ConfEntry(
        "millrace.scheduler.idlePlans.maxSize", default: ByteCount.mebibytes(32),
        doc:
            "Plans that no job at work needs are kept up to this size together, by the driver and "
            + "by executors, in case they come again; the longest unused goes first. 0 keeps none.",
        simulate: [.zero, .kibibytes(1), .mebibytes(32)])
    public let isReaperEnabled = ConfEntry(
        "millrace.task.reaper.enabled", default: false,
        doc: "Whether an executor watches tasks that were asked to end and still run, and says so.")
    public let reaperPollingInterval = ConfEntry(
        "millrace.task.reaper.pollingInterval", default: Duration.seconds(10),
        doc: "Time between two looks at tasks that were asked to end.",
        valid: .atLeast(.milliseconds(1)))
    public let reaperKillTimeout = ConfEntry(
        "millrace.task.reaper.killTimeout", default: TimeLimit.never,
        doc: "How long a task that was asked to end may go on before its executor ends itself with "
            + "exit code 57, and before the driver gives up an executor that doesn't; for ever "
            + "with -1. The driver's own threads (`local[N]`) stay.")
    public let dumpsThreads = ConfEntry(
        "millrace.task.reaper.threadDump", default: true,
        doc: "Whether it is said what the threads of the process do when a killed task still runs.")
}
