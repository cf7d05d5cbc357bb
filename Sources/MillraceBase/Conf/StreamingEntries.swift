/// Streaming queries.
public struct StreamingEntries: ConfEntries {
    public static let title = "Streaming"
    public static let entries = StreamingEntries()

    public let checkpointLocation = ConfEntry<String?>(
        "millrace.streaming.checkpointLocation", default: nil,
        doc: "The directory under which queries that name no checkpoint location keep theirs, "
            + "each under its query name.",
        aliases: ["spark.sql.streaming.checkpointLocation"])
    public let minBatchesToRetain = ConfEntry(
        "millrace.streaming.minBatchesToRetain", default: 100,
        doc: "Batches whose offsets, commits and state stay recoverable.",
        valid: .atLeast(1), aliases: ["spark.sql.streaming.minBatchesToRetain"],
        simulate: [1, 2, 100])
    public let pollingDelay = ConfEntry(
        "millrace.streaming.pollingDelay", default: Duration.milliseconds(10),
        doc: "Time until a source that had nothing new, and cannot announce it, is asked again.",
        aliases: ["spark.sql.streaming.pollingDelay"], simulate: [.zero, .milliseconds(10)])
    public let runsNoDataBatches = ConfEntry(
        "millrace.streaming.noDataMicroBatches.enabled", default: true,
        doc: "Whether a batch without input runs when the watermark has moved.",
        aliases: ["spark.sql.streaming.noDataMicroBatches.enabled"])
    public let numRecentProgressUpdates = ConfEntry(
        "millrace.streaming.numRecentProgressUpdates", default: 100,
        doc: "Progress reports that `recentProgress` keeps.",
        valid: .between(0, 1_000_000), aliases: ["spark.sql.streaming.numRecentProgressUpdates"])
    public let noDataProgressEventInterval = ConfEntry(
        "millrace.streaming.noDataProgressEventInterval", default: Duration.seconds(10),
        doc: "How often a query that has no input reports that it is alive.",
        aliases: ["spark.sql.streaming.noDataProgressEventInterval"])
    public let stopTimeout = ConfEntry(
        "millrace.streaming.stopTimeout", default: Duration.zero,
        doc: "How long `stop` waits for the query to end before it throws; 0 waits as long as it "
            + "takes.", aliases: ["spark.sql.streaming.stopTimeout"])
    public let watermarkPolicy = ConfEntry(
        "millrace.streaming.multipleWatermarkPolicy", default: WatermarkPolicy.min,
        doc: "Which of several inputs' watermarks is the query's.",
        aliases: ["spark.sql.streaming.multipleWatermarkPolicy"])
    public let fileSinkCompactInterval = ConfEntry(
        "millrace.streaming.fileSink.log.compactInterval", default: 10,
        doc: "Batches after which the file sink's manifest is written anew as one file.",
        valid: .between(2, 100_000),
        aliases: ["spark.sql.streaming.fileSink.log.compactInterval"], simulate: [2, 10])
    public let fileSourceCompactInterval = ConfEntry(
        "millrace.streaming.fileSource.log.compactInterval", default: 10,
        doc: "Batches after which the file source's list of files read is written anew as one "
            + "file.", valid: .between(2, 100_000),
        aliases: ["spark.sql.streaming.fileSource.log.compactInterval"], simulate: [2, 10])
}

/// Which watermark of several inputs counts.
public enum WatermarkPolicy: String, ConfChoice {
    case min, max
}
