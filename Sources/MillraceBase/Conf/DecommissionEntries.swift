/// Executors that leave before the application ends.
public struct DecommissionEntries: ConfEntries {
    public static let title = "Decommission"
    public static let entries = DecommissionEntries()

    public let isEnabled = ConfEntry(
        "millrace.decommission.enabled", default: true,
        doc: "Whether an executor that is not needed any more, or whose process gets SIGTERM or "
            + "SIGPWR, ends its tasks and hands on its map outputs before it goes. Without it, it "
            + "goes at once. Spark's default is false.")
    public let isStorageMoved = ConfEntry(
        "millrace.storage.decommission.enabled", default: true,
        doc: "Whether an executor that leaves hands on what it stores. Spark's default is false.")
    public let areShuffleBlocksMoved = ConfEntry(
        "millrace.storage.decommission.shuffleBlocks.enabled", default: true,
        doc: "Whether an executor that leaves hands on its map outputs, so that they are not "
            + "computed again.")
    public let maxShuffleMoves = ConfEntry(
        "millrace.storage.decommission.shuffleBlocks.maxThreads", default: 8,
        doc: "Map outputs of one executor that are on their way to others at a time. The name is "
            + "Spark's; here they take no threads.", valid: .between(1, 1_024))
    public let maxMoveFailures = ConfEntry(
        "millrace.storage.decommission.maxReplicationFailuresPerBlock", default: 3,
        doc: "Attempts to hand on one map output before it is left behind.",
        valid: .between(1, 1_000))
    public let reattemptInterval = ConfEntry(
        "millrace.storage.decommission.replicationReattemptInterval",
        default: Duration.seconds(30),
        doc: "How long an executor that has nothing else to do waits for another one to take its "
            + "map outputs.", valid: .atLeast(.milliseconds(1)))
}
