/// Values, and plans of jobs, that go from one to all.
public struct BroadcastEntries: ConfEntries {
    public static let title = "Broadcast"
    public static let entries = BroadcastEntries()

    public let planThreshold = ConfEntry(
        "millrace.broadcast.UDFCompressionThreshold", default: ByteCount.mebibytes(1),
        doc: "A stage's plan with its closures that is larger than this is broadcast: the driver "
            + "sends it about once, not once to each executor.",
        valid: .atLeast(.kibibytes(1)), simulate: [.kibibytes(1), .mebibytes(1)])
}
