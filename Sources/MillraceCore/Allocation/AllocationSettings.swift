import MillraceBase

/// What dynamic allocation decides by: `millrace.dynamicAllocation.*`, with everything that depends
/// on other settings resolved.
public struct AllocationSettings: Hashable, Sendable {
    public var minExecutors = 0
    public var maxExecutors = Int(Int32.max)
    /// What was asked for before the first decision.
    public var initialExecutors = 0
    /// Slots wanted for each task that waits or runs.
    public var allocationRatio = 1.0
    public var backlogTimeout: Duration = .seconds(1)
    public var sustainedBacklogTimeout: Duration = .seconds(1)
    public var idleTimeout: Duration = .seconds(60)
    public var cachedIdleTimeout: Duration = .seconds(Int64(Int32.max))
    public var isShuffleTracked = true
    public var shuffleTimeout: Duration = .seconds(Int64(Int32.max))
    /// Cores of an executor over cores of a task.
    public var tasksPerExecutor = 1
    /// Whether an executor that isn't needed may move its blocks before it ends.
    public var decommissions = true
    /// Least time between two looks. Spark's.
    public var interval: Duration = .milliseconds(100)

    public init() {}
}
