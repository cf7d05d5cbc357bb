/// The executor processes.
public struct ExecutorEntries: ConfEntries {
    public static let title = "Executors"
    public static let entries = ExecutorEntries()

    public let instances = ConfEntry(
        "millrace.executor.instances", default: 2,
        doc: "Executors to start, where the master does not say it.", valid: .between(1, 100_000))
    public let cores = ConfEntry(
        "millrace.executor.cores", default: 1, doc: "Tasks that an executor runs at once.",
        valid: .between(1, 4_096))
    public let memory = ConfEntry(
        "millrace.executor.memory", default: ByteCount.gibibytes(1),
        doc: "What an executor process may use.", valid: .atLeast(.mebibytes(64)), bareUnit: "m")
    public let heartbeatInterval = ConfEntry(
        "millrace.executor.heartbeatInterval", default: Duration.seconds(10),
        doc: "Time between an executor's signs of life. Below `millrace.network.timeout`.",
        valid: .between(.milliseconds(10), .seconds(3_600)),
        simulate: [.milliseconds(100), .seconds(1), .seconds(10)])
    public let dropsZeroAccumulatorUpdates = ConfEntry(
        "millrace.executor.heartbeat.dropZeroAccumulatorUpdates", default: true,
        doc: "Whether what running tasks report with heartbeats leaves out accumulators that are "
            + "zero.")
    public let maxFailures = ConfEntry<Int?>(
        "millrace.executor.maxNumFailures", default: nil,
        doc: "Executors that may fail before the application is given up and its program exits "
            + "with 11; twice as many as there are to be, at least 3, if not set.",
        valid: .ifSet(.between(0, 1_000_000)))
    public let failuresValidityInterval = ConfEntry<Duration?>(
        "millrace.executor.failuresValidityInterval", default: nil,
        doc: "How long a failed executor counts towards `millrace.executor.maxNumFailures`; for "
            + "ever if not set. A stream that runs for months wants an hour.",
        valid: .ifSet(.atLeast(.milliseconds(1))))
    public let decommissionTimeout = ConfEntry<Duration?>(
        "millrace.executor.decommission.forceKillTimeout", default: nil,
        doc: "How long a decommissioned executor may take to finish its tasks and move its blocks "
            + "before it is given up; for ever if not set.",
        valid: .ifSet(.atLeast(.milliseconds(1))))
}
