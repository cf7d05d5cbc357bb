/// The state of streaming queries.
public struct StateEntries: ConfEntries {
    public static let title = "State"
    public static let entries = StateEntries()

    public let keyGroups = ConfEntry(
        "millrace.state.keyGroups", default: 256,
        doc: "Groups that a query's keys are divided into, and so the most partitions its state "
            + "can have. Fixed when a query first starts.",
        valid: .between(1, 32_768), simulate: [4, 256])
    public let minDeltasForSnapshot = ConfEntry(
        "millrace.state.minDeltasForSnapshot", default: 10,
        doc: "Deltas of the state that are written before it is written whole.",
        valid: .between(1, 100_000),
        aliases: ["spark.sql.streaming.stateStore.minDeltasForSnapshot"], simulate: [1, 2, 10])
}
