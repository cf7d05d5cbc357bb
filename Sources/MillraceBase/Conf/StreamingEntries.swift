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
    public let numRecentProgressUpdates = ConfEntry(
        "millrace.streaming.numRecentProgressUpdates", default: 100,
        doc: "Progress reports that `recentProgress` keeps.",
        valid: .between(0, 1_000_000), aliases: ["spark.sql.streaming.numRecentProgressUpdates"])
    public let noDataProgressEventInterval = ConfEntry(
        "millrace.streaming.noDataProgressEventInterval", default: Duration.seconds(10),
        doc: "How often a query that has no input reports that it is alive.",
        aliases: ["spark.sql.streaming.noDataProgressEventInterval"])
}
