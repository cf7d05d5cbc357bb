/// What Spark's `ExecutorAllocationManagerSource` shows, under its names.
public struct AllocationGauges: Hashable, Sendable {
    /// Executors that the next request may add.
    public var numberExecutorsToAdd = 0
    /// Always 0: here an executor that is killed is gone for the scheduler at once.
    public var numberExecutorsPendingToRemove = 0
    /// Registered, also those that are leaving.
    public var numberAllExecutors = 0
    public var numberTargetExecutors = 0
    public var numberMaxNeededExecutors = 0
    public var numberDecommissioningExecutors = 0
    public var numberExecutorsGracefullyDecommissioned = 0
    public var numberExecutorsDecommissionUnfinished = 0
    public var numberExecutorsExitedUnexpectedly = 0
    public var numberExecutorsKilledByDriver = 0

    public init() {}

    /// By Spark's names, in its order.
    public var named: [(name: String, value: Int)] {
        [
            ("executors.numberExecutorsToAdd", numberExecutorsToAdd),
            ("executors.numberExecutorsPendingToRemove", numberExecutorsPendingToRemove),
            ("executors.numberAllExecutors", numberAllExecutors),
            ("executors.numberTargetExecutors", numberTargetExecutors),
            ("executors.numberMaxNeededExecutors", numberMaxNeededExecutors),
            ("executors.numberDecommissioningExecutors", numberDecommissioningExecutors),
            (
                "executors.numberExecutorsGracefullyDecommissioned.count",
                numberExecutorsGracefullyDecommissioned
            ),
            (
                "executors.numberExecutorsDecommissionUnfinished.count",
                numberExecutorsDecommissionUnfinished
            ),
            (
                "executors.numberExecutorsExitedUnexpectedly.count",
                numberExecutorsExitedUnexpectedly
            ),
            ("executors.numberExecutorsKilledByDriver.count", numberExecutorsKilledByDriver),
        ]
    }
}

/// How executors went that aren't there any more.
struct ExecutorEndings: Sendable {
    var decommissioned = 0
    var decommissionUnfinished = 0
    var unexpected = 0
    var killed = 0

    mutating func count(isRequested: Bool, wasDecommissioned: Bool) {
        switch (isRequested, wasDecommissioned) {
        case (true, true): decommissioned += 1
        case (false, true): decommissionUnfinished += 1
        case (true, false): killed += 1
        case (false, false): unexpected += 1
        }
    }
}
