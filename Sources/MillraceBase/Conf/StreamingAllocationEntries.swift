/// How many slots streaming queries ask for, by what they lag behind.
public struct StreamingAllocationEntries: ConfEntries {
    public static let title = "Streaming queries' dynamic allocation"
    public static let entries = StreamingAllocationEntries()

    public let isEnabled = ConfEntry(
        "millrace.streaming.dynamicAllocation.enabled", default: false,
        doc: "Whether streaming queries say how many slots they need, by the rows that wait and "
            + "arrive and the measured rate of a slot, instead of being judged by the tasks that "
            + "wait. Needs `millrace.dynamicAllocation.enabled`.")
    public let minExecutors = ConfEntry(
        "millrace.streaming.dynamicAllocation.minExecutors", default: 1,
        doc: "Executors that a query asks for at least.", valid: .between(0, 100_000))
    public let maxExecutors = ConfEntry(
        "millrace.streaming.dynamicAllocation.maxExecutors",
        default: DynamicAllocationEntries.endless,
        doc: "Executors that a query asks for at most.",
        valid: .between(1, DynamicAllocationEntries.endless))
    public let scalingInterval = ConfEntry(
        "millrace.streaming.dynamicAllocation.scalingInterval", default: Duration.seconds(60),
        doc: "How long fewer slots must have been enough before some are given back.",
        valid: .between(.milliseconds(100), .seconds(86_400)), bareUnit: "s")
    public let catchUpTarget = ConfEntry(
        "millrace.streaming.dynamicAllocation.catchUpTarget", default: Duration.seconds(60),
        doc: "In how long a backlog is to be worked off.",
        valid: .between(.milliseconds(100), .seconds(86_400)), bareUnit: "s")
    public let targetUtilization = ConfEntry(
        "millrace.streaming.dynamicAllocation.targetUtilization", default: 0.8,
        doc: "Share of the time for which a slot is to be busy.",
        valid: ConfRule("above 0 and at most 1") { $0 > 0 && $0 <= 1 })
    public let maxTriggerShare = ConfEntry(
        "millrace.streaming.dynamicAllocation.maxTriggerShare", default: 0.6,
        doc: "Share of the trigger's interval that a batch may take with fewer slots, if slots "
            + "are to be given back.",
        valid: ConfRule("above 0 and at most 1") { $0 > 0 && $0 <= 1 })
    public let rateWindow = ConfEntry(
        "millrace.streaming.dynamicAllocation.rateWindow", default: Duration.seconds(10),
        doc: "The time over which rates are averaged.",
        valid: .between(.milliseconds(100), .seconds(3_600)), bareUnit: "s")
    public let stateRate = ConfEntry(
        "millrace.streaming.dynamicAllocation.stateRate", default: ByteCount.mebibytes(32),
        doc: "Bytes of state that a slot reads in a second when a partition moves to it: what "
            + "giving slots back costs.", valid: .atLeast(.mebibytes(1)))
}
