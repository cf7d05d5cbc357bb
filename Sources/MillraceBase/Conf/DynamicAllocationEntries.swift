/// How many executors there are, by the tasks that wait. Spark's dynamic allocation.
public struct DynamicAllocationEntries: ConfEntries {
    public static let title = "Dynamic allocation"
    public static let entries = DynamicAllocationEntries()

    /// Spark's Int.MaxValue: no limit, and as seconds never.
    static let endless = 2_147_483_647

    public let isEnabled = ConfEntry(
        "millrace.dynamicAllocation.enabled", default: false,
        doc: "Whether executors are asked for while tasks wait and given back while they are idle.")
    public let minExecutors = ConfEntry(
        "millrace.dynamicAllocation.minExecutors", default: 0,
        doc: "Executors that are always kept.", valid: .between(0, endless),
        simulate: [0, 1, 2])
    public let maxExecutors = ConfEntry(
        "millrace.dynamicAllocation.maxExecutors", default: endless,
        doc: "Most executors that are asked for. On local-cluster[N,…] the default is N.",
        valid: .between(1, endless), simulate: [3, 8, endless])
    public let initialExecutors = ConfEntry<Int?>(
        "millrace.dynamicAllocation.initialExecutors", default: nil,
        doc: "Executors to start with; when it is not set the minimum, or "
            + "`millrace.executor.instances` where that is set and more.",
        valid: .ifSet(.between(0, endless)))
    public let executorAllocationRatio = ConfEntry(
        "millrace.dynamicAllocation.executorAllocationRatio", default: 1.0,
        doc:
            "Slots to ask for by task that waits or runs; below 1 for tasks so short that starting "
            + "an executor for them is a waste.",
        valid: ConfRule("above 0 and at most 1") { $0 > 0 && $0 <= 1 }, simulate: [0.5, 1])
    public let schedulerBacklogTimeout = ConfEntry(
        "millrace.dynamicAllocation.schedulerBacklogTimeout", default: Duration.seconds(1),
        doc: "How long tasks must have waited before executors are asked for.",
        valid: .between(.milliseconds(1), .seconds(86_400)), bareUnit: "s",
        simulate: [.milliseconds(100), .seconds(1)])
    public let sustainedSchedulerBacklogTimeout = ConfEntry<Duration?>(
        "millrace.dynamicAllocation.sustainedSchedulerBacklogTimeout", default: nil,
        doc: "The same for each further request, twice as large as the one before; when it is not "
            + "set `millrace.dynamicAllocation.schedulerBacklogTimeout`.",
        valid: .ifSet(.between(.milliseconds(1), .seconds(86_400))), bareUnit: "s")
    public let executorIdleTimeout = ConfEntry(
        "millrace.dynamicAllocation.executorIdleTimeout", default: Duration.seconds(60),
        doc: "How long an executor is without tasks before it is given back.", bareUnit: "s",
        simulate: [.seconds(1), .seconds(60)])
    public let cachedExecutorIdleTimeout = ConfEntry(
        "millrace.dynamicAllocation.cachedExecutorIdleTimeout",
        default: Duration.seconds(endless),
        doc: "The same for an executor that holds cached blocks.", bareUnit: "s")
    public let isShuffleTracked = ConfEntry(
        "millrace.dynamicAllocation.shuffleTracking.enabled", default: true,
        doc: "Whether an executor that holds map outputs is kept while a running job needs them, "
            + "and `millrace.dynamicAllocation.shuffleTracking.timeout` longer.")
    public let shuffleTrackingTimeout = ConfEntry(
        "millrace.dynamicAllocation.shuffleTracking.timeout", default: Duration.seconds(endless),
        doc: "How long an executor without tasks is kept for map outputs that no running job "
            + "needs, though a later one might.")
}
