import MillraceBase

/// What a `LagController` decides by: `millrace.streaming.dynamicAllocation.*`.
public struct LagSettings: Hashable, Sendable {
    public var minSlots = 1
    public var maxSlots = Int(Int32.max)
    /// In which a backlog is to be worked off.
    public var catchUpTarget: Duration = .seconds(60)
    /// Share of the time for which a slot is to be busy: the rest is for what varies.
    public var targetUtilization = 0.8
    /// Share of the trigger that a batch may take when slots are given back.
    public var maxTriggerShare = 0.6
    /// Over which rates are averaged.
    public var window: Duration = .seconds(10)
    /// For which a lower need must have lasted; and how long executors that were asked for may take
    /// before more are.
    public var scalingInterval: Duration = .seconds(60)
    /// Least time between two requests for more.
    public var growthInterval: Duration = .seconds(1)
    /// What one slot reads of a state that moves to it.
    public var stateBytesPerSecond = 32 << 20

    public init() {}
}

/// What a batch, or a while without one, has shown of a streaming query.
public struct LagSample: Hashable, Sendable {
    /// Rows at the sources that no batch has read.
    public var backlogRows: Int64
    /// Rows of the batch.
    public var processedRows: Int64
    /// Time of slots that its tasks took together.
    public var busyTime: Duration
    public var batchDuration: Duration
    /// Zero for as fast as possible.
    public var triggerInterval: Duration
    /// Bytes of the query's state, in memory.
    public var stateBytes: Int64
    /// Slots there were.
    public var slots: Int
    /// Tasks of the widest stage: more slots are of no use. 0 while unknown.
    public var parallelism: Int

    public init(
        backlogRows: Int64 = 0, processedRows: Int64 = 0, busyTime: Duration = .zero,
        batchDuration: Duration = .zero, triggerInterval: Duration = .zero, stateBytes: Int64 = 0,
        slots: Int = 0, parallelism: Int = 0
    ) {
        self.backlogRows = backlogRows
        self.processedRows = processedRows
        self.busyTime = busyTime
        self.batchDuration = batchDuration
        self.triggerInterval = triggerInterval
        self.stateBytes = stateBytes
        self.slots = slots
        self.parallelism = parallelism
    }
}
