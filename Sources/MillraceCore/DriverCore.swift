import MillraceBase

/// Everything the driver decides, as one plain value: events in, effects out.
///
/// Owns the machines and routes between them: `DAGScheduler` (which stages), `TaskScheduler` (which task where),
/// `MapOutputTracker` (where map outputs lie), `ExecutorRegistry` and `HeartbeatMonitor` (who is there).
public struct DriverCore: Sendable {
    public init(settings: CoreSettings = CoreSettings()) {}

    /// One step. Appends what is to be done to `effects`; never fails, never blocks.
    public mutating func handle(_ event: DriverEvent, now: Instant, into effects: inout Effects) {
        preconditionFailure("not yet")
    }

    /// What an executor must know of a stage attempt before its first task there; `nil` when it's over.
    public func setup(of stage: StageID, attempt: Int) -> StageSetup? { preconditionFailure("not yet") }

    /// The known map outputs of a shuffle; `nil` when it's released or was never submitted.
    public func mapOutputs(of shuffle: ShuffleID) -> MapOutputs? { preconditionFailure("not yet") }

    /// The epoch of `mapOutputs(of:)` without the copy, to see whether an executor's copy is stale.
    public func mapOutputEpoch(of shuffle: ShuffleID) -> UInt64? { preconditionFailure("not yet") }

    /// Nothing runs, waits or is held: no job, no task, no timer for one.
    public var isQuiescent: Bool { preconditionFailure("not yet") }

    public var runningJobCount: Int { preconditionFailure("not yet") }
    /// Tasks an executor holds, running or queued there.
    public func heldTaskCount(of executor: ExecutorID) -> Int { preconditionFailure("not yet") }
}
