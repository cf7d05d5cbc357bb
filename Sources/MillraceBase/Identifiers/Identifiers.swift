/// One action of a program (`collect`, `count`, one micro-batch), numbered by the driver from 0.
public struct JobID: RawIdentifier {
    public static var noun: String { "job" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One stage of a job's DAG, numbered by the driver from 0 and never reused.
public struct StageID: RawIdentifier {
    public static var noun: String { "stage" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One attempt of one task, unique in the application. Spark's `taskId`.
public struct TaskID: RawIdentifier {
    public static var noun: String { "task" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One executor process of the application, numbered by the driver from 0 and never reused.
public struct ExecutorID: RawIdentifier {
    public static var noun: String { "executor" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One shuffle dependency, numbered by the driver from 0.
public struct ShuffleID: RawIdentifier {
    public static var noun: String { "shuffle" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One broadcast variable.
public struct BroadcastID: RawIdentifier {
    public static var noun: String { "broadcast" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One accumulator.
public struct AccumulatorID: RawIdentifier {
    public static var noun: String { "accumulator" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One streaming query within its driver process; its durable name is a UUID.
public struct QueryID: RawIdentifier {
    public static var noun: String { "query" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One decision where the tasks of many micro-batches run, numbered by the driver from 0 and never
/// reused.
public struct GrantID: RawIdentifier {
    public static var noun: String { "grant" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One micro-batch of a streaming query, from 0, without gaps.
public struct BatchID: RawIdentifier {
    public static var noun: String { "batch" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One dataset of a lineage.
public struct RDDID: RawIdentifier {
    public static var noun: String { "rdd" }
    public let rawValue: Int
    @inlinable public init(_ rawValue: Int) { self.rawValue = rawValue }
}
