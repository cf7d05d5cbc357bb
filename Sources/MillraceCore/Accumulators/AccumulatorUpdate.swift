import MillraceBase

/// What one attempt, or a stage, or a whole program has added to one accumulator.
///
/// Numbers are merged here; everything else is the program's and stays opaque bytes until it's
/// merged where the program's types are known.
public enum AccumulatorValue: Hashable, Sendable {
    case long(sum: Int64, count: Int64)
    case double(sum: Double, count: Int64)
    /// An encoded custom accumulator.
    case bytes([UInt8])

    /// Both together; `nil` for bytes, and for two kinds.
    public func merged(with other: AccumulatorValue) -> AccumulatorValue? {
        switch (self, other) {
        case (.long(let sum, let count), .long(let more, let times)):
            .long(sum: sum &+ more, count: count &+ times)
        case (.double(let sum, let count), .double(let more, let times)):
            .double(sum: sum + more, count: count &+ times)
        default: nil
        }
    }
}

/// What one attempt has added to one accumulator.
public struct AccumulatorUpdate: Hashable, Sendable {
    public var id: AccumulatorID
    public var value: AccumulatorValue

    public init(id: AccumulatorID, value: AccumulatorValue) {
        self.id = id
        self.value = value
    }
}

/// What an attempt that still runs has added so far, reported with its executor's heartbeats.
public struct PartialAccumulators: Hashable, Sendable {
    public var task: TaskID
    public var updates: [AccumulatorUpdate]

    public init(task: TaskID, updates: [AccumulatorUpdate]) {
        self.task = task
        self.updates = updates
    }
}

/// What contributions belong to: the map side of one shuffle (over all its jobs), the final stage
/// of one job, or one stage of one batch of a streaming query (over all its runs). Each *unit* of
/// it (map index, result index) contributes once.
public struct AccumulatorOrigin: RawIdentifier {
    public static var noun: String { "origin" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// What happens to contributions, for `AccumulatorTable` to perform.
public enum AccumulatorChange: Hashable, Sendable {
    /// An attempt was accepted. Its updates are the unit's contribution from now on, in place of
    /// those of an attempt that was accepted before and whose output was lost. Without updates the
    /// unit contributes nothing.
    case contributed(AccumulatorOrigin, unit: Int, StageID, [AccumulatorUpdate])
    /// No unit of it will ever be computed again.
    case settled(AccumulatorOrigin)
    /// Its units count no more: a batch is run again with other stages or partitions.
    case retracted(AccumulatorOrigin)
    /// An attempt failed; these are the accumulators that count failures too.
    case failed([AccumulatorUpdate])
    /// A running attempt's updates so far, in place of those it reported before.
    case partial(AccumulatorOrigin, unit: Int, TaskID, [AccumulatorUpdate])
    /// An attempt that had reported partial updates has ended.
    case partialEnded(AccumulatorOrigin, unit: Int, TaskID)
}
