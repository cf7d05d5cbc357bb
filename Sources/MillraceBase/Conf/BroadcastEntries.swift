/// Values, and plans of jobs, that go from one to all.
public struct BroadcastEntries: ConfEntries {
    public static let title = "Broadcast"
    public static let entries = BroadcastEntries()

    public let blockSize = ConfEntry(
        "millrace.broadcast.blockSize", default: ByteCount.mebibytes(4),
        doc: "A broadcast value goes in pieces of this size, each from another executor if need "
            + "be. Smaller ones spread sooner, larger ones are fewer.",
        valid: .between(.kibibytes(1), .gibibytes(1)), bareUnit: "k",
        simulate: [.kibibytes(64), .mebibytes(4)])
    public let compress = ConfEntry(
        "millrace.broadcast.compress", default: true,
        doc: "Whether pieces of a broadcast are compressed (LZ4) where that makes them an eighth "
            + "smaller.", simulate: [true, false])
    public let planThreshold = ConfEntry(
        "millrace.broadcast.UDFCompressionThreshold", default: ByteCount.mebibytes(1),
        doc: "A stage's plan with its closures that is larger than this is broadcast: the driver "
            + "sends it about once, not once to each executor.",
        valid: .atLeast(.kibibytes(1)), simulate: [.kibibytes(1), .mebibytes(1)])
}
