/// What moves between stages.
public struct ShuffleEntries: ConfEntries {
    public static let title = "Shuffle"
    public static let entries = ShuffleEntries()

    public let partitions = ConfEntry<Int?>(
        "millrace.shuffle.partitions", default: nil,
        doc: "Partitions of a Dataset's shuffle that names no number; "
            + "`millrace.default.parallelism` if not set.",
        valid: .ifSet(.between(1, 100_000)), aliases: ["spark.sql.shuffle.partitions"])
    public let maxSizeInFlight = ConfEntry(
        "millrace.reducer.maxSizeInFlight", default: ByteCount.mebibytes(48),
        doc: "Map output that one reduce task has under way at most, over all peers; one request "
            + "asks for a fifth of it.",
        valid: .atLeast(.kibibytes(64)), bareUnit: "m",
        simulate: [.kibibytes(64), .mebibytes(1), .mebibytes(48)])
    public let maxFetchRetries = ConfEntry(
        "millrace.shuffle.fetch.maxRetries", default: 3,
        doc: "Attempts after the first to fetch a block over a connection that fails or brings "
            + "damaged bytes.",
        valid: .between(0, 100), aliases: ["spark.shuffle.io.maxRetries"], simulate: [0, 3])
    public let fetchRetryWait = ConfEntry(
        "millrace.shuffle.fetch.retryWait", default: Duration.seconds(5),
        doc: "Mean time between two attempts to fetch a block. The first waits are shorter and the "
            + "last one is longer, so that all together they are `fetch.maxRetries` times this.",
        aliases: ["spark.shuffle.io.retryWait"], bareUnit: "s",
        simulate: [.milliseconds(10), .seconds(5)])
    public let unregistersOutputsOfHost = ConfEntry(
        "millrace.files.fetchFailure.unRegisterOutputOnHost", default: false,
        doc: "Whether an output that a shuffle service cannot serve means that the outputs of all "
            + "executors on that host are lost, not only those of the one that wrote it.",
        simulate: [true, false])
    public let compress = ConfEntry(
        "millrace.shuffle.compress", default: true,
        doc: "Whether shuffle output is compressed, by `millrace.io.compression.codec`.",
        simulate: [true, false])
    public let spillCompress = ConfEntry(
        "millrace.shuffle.spill.compress", default: true,
        doc: "Whether what sorts and aggregations spill is compressed, by "
            + "`millrace.io.compression.codec`.",
        simulate: [true, false])
    public let readsHostLocalDisk = ConfEntry(
        "millrace.shuffle.readHostLocalDisk", default: true,
        doc: "Whether a reduce task reads map outputs of other executors on its host straight from "
            + "their files.",
        simulate: [true, false])
    public let maxInlineBlock = ConfEntry(
        "millrace.shuffle.inline.maxBlockSize", default: ByteCount.kibibytes(64),
        doc: "A block of a micro-batch's shuffle up to this size is sent to its reduce task as "
            + "soon as it is there; a larger one is fetched by the task.",
        valid: .between(.zero, .mebibytes(1)),
        simulate: [.zero, .kibibytes(1), .kibibytes(64)])
    public let maxMemoryBlock = ConfEntry(
        "millrace.shuffle.memoryOutput.max", default: ByteCount.mebibytes(4),
        doc: "A map task's output up to this size stays in the executor's memory; a larger one is "
            + "written to a file.",
        valid: .between(.zero, .gibibytes(1)), simulate: [.zero, .kibibytes(64), .mebibytes(4)])
    public let isReduceLocalityEnabled = ConfEntry(
        "millrace.shuffle.reduceLocality.enabled", default: true,
        doc: "Whether a reduce task prefers the hosts that have a fifth or more of its input.")
}
