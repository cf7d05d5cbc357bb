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
    public let groupScheduling = ConfEntry(
        "millrace.streaming.groupScheduling.enabled", default: true,
        doc: "Whether many micro-batches of a query run on one scheduling decision, with their "
            + "reduce tasks placed beforehand.", simulate: [true, false])
    public let minGroupSize = ConfEntry(
        "millrace.streaming.groupScheduling.minSize", default: 1,
        doc: "The fewest micro-batches that one decision is made for.", valid: .between(1, 100_000),
        simulate: [1, 10])
    public let maxGroupSize = ConfEntry(
        "millrace.streaming.groupScheduling.maxSize", default: 100,
        doc: "The most micro-batches that one decision is made for; a new executor waits for the "
            + "next decision only as long as the batch at work.",
        valid: .between(1, 100_000), simulate: [1, 10, 100])
    public let lowerGroupOverhead = ConfEntry(
        "millrace.streaming.groupScheduling.overhead.lower", default: 0.05,
        doc: "When scheduling and coordination take a smaller share of the batches' time, the "
            + "next group is one batch shorter.", valid: .between(0, 1))
    public let upperGroupOverhead = ConfEntry(
        "millrace.streaming.groupScheduling.overhead.upper", default: 0.1,
        doc: "When scheduling and coordination take a larger share of the batches' time, the "
            + "next group is twice as long.", valid: .between(0, 1))
}
