/// Push-based merge: small blocks of a shuffle become large ones before they are read.
public struct ShufflePushEntries: ConfEntries {
    public static let title = "Push-based shuffle"
    public static let entries = ShufflePushEntries()

    public let isEnabled = ConfEntry(
        "millrace.shuffle.push.enabled", default: false,
        doc: "Executors push the blocks of their map outputs to shuffle services, which merge "
            + "them by reduce partition; reduce tasks read what is merged in large pieces and the "
            + "rest as ever. Needs `millrace.shuffle.service.enabled`.")
    public let minMergersRatio = ConfEntry(
        "millrace.shuffle.push.mergersMinThresholdRatio", default: 0.05,
        doc: "A shuffle is merged by at least this part of the hosts that it would take.",
        valid: .between(0, 1))
    public let minMergers = ConfEntry(
        "millrace.shuffle.push.mergersMinStaticThreshold", default: 5,
        doc: "A shuffle is merged by at least so many hosts, or by all that it would take.",
        valid: .between(1, 100_000))
    public let maxBlockSize = ConfEntry(
        "millrace.shuffle.push.maxBlockSizeToPush", default: ByteCount.mebibytes(1),
        doc: "A larger block is not pushed.",
        valid: .between(ByteCount(1), .mebibytes(8)))
    public let maxBatchSize = ConfEntry(
        "millrace.shuffle.push.maxBlockBatchSize", default: ByteCount.mebibytes(3),
        doc: "Neighbouring blocks are pushed together up to this size.",
        valid: .between(.kibibytes(1), .mebibytes(8)))
    public let minChunkSize = ConfEntry(
        "millrace.shuffle.push.minChunkSize", default: ByteCount.mebibytes(2),
        doc: "Merged blocks are read in pieces of at least this size.",
        valid: .between(ByteCount(1), .mebibytes(64)),
        aliases: ["spark.shuffle.push.server.minChunkSizeInMergedShuffleFile"])
    public let finalizeTimeout = ConfEntry(
        "millrace.shuffle.push.finalize.timeout", default: Duration.seconds(10),
        doc: "How long pushes may take after a shuffle's last map output is there, before the "
            + "services are asked what they have merged.",
        valid: .between(.zero, .seconds(3_600)), bareUnit: "s")
    public let minShuffleSizeToWait = ConfEntry(
        "millrace.shuffle.push.minShuffleSizeToWait", default: ByteCount.mebibytes(500),
        doc: "For the pushes of a smaller shuffle nobody waits.",
        valid: .between(.zero, .gibibytes(1_024)))
    public let minPushedRatio = ConfEntry(
        "millrace.shuffle.push.minCompletedPushRatio", default: 1.0,
        doc: "The wait ends as soon as this part of the map outputs is pushed.",
        valid: .between(0, 1))
    public let resultsTimeout = ConfEntry(
        "millrace.shuffle.push.results.timeout", default: Duration.seconds(10),
        doc: "How long the driver waits for the services to say what they have merged.",
        valid: .between(.milliseconds(1), .seconds(3_600)), bareUnit: "s")
}
