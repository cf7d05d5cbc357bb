import MillraceBase

/// The door through which RDD actions and micro-batches go: the driver's scheduler in a cluster, `SerialJobRunner` in tests.
public protocol JobRunner: Sendable {
    /// Runs a job. `onResult` gets each target's result bytes once, with its position in `job.targets`, in any order, one
    /// call at a time, on any thread; it only stores or merges. What it throws fails the job.
    /// Throws `MillraceError` (`jobAborted` with the task's error, `cancelled`, `notSerializable` …).
    func run(
        _ job: JobRequest, onResult: @escaping @Sendable (Int, [UInt8]) throws -> Void
    ) async throws
}

/// One job, ready to be scheduled: stages cut at shuffles, parents before children, the result stage last.
public struct JobRequest: Sendable {
    /// What the user called, for logs and the UI: "collect", "batch 12 of counts".
    public var name: String
    public var stages: [StageRequest]
    /// The result stage's partitions to compute: all of them, or the few that `take` wants.
    public var targets: [Int]
    /// Of a streaming query.
    public var batch: BatchID?
    public var query: String

    public init(
        name: String, stages: [StageRequest], targets: [Int], batch: BatchID? = nil, query: String = ""
    ) {
        self.name = name
        self.stages = stages
        self.targets = targets
        self.batch = batch
        self.query = query
    }
}

/// One stage of a job.
public struct StageRequest: Sendable {
    public var plan: PlannedStage
    /// Number of partitions (tasks when all are computed).
    public var partitions: Int
    /// `TaskInput` bytes for each partition; empty when no operator of the stage has any.
    public var inputs: [[UInt8]]
    /// In the order of the plan's local numbers.
    public var inputShuffles: [ShuffleID]
    /// Nil for the result stage.
    public var output: ShuffleOutput?

    public init(
        plan: PlannedStage, partitions: Int, inputs: [[UInt8]], inputShuffles: [ShuffleID],
        output: ShuffleOutput? = nil
    ) {
        self.plan = plan
        self.partitions = partitions
        self.inputs = inputs
        self.inputShuffles = inputShuffles
        self.output = output
    }
}

/// The shuffle that a map stage writes.
public struct ShuffleOutput: Hashable, Sendable {
    public var shuffle: ShuffleID
    public var reducers: Int
    public init(shuffle: ShuffleID, reducers: Int) {
        self.shuffle = shuffle
        self.reducers = reducers
    }
}

/// An encoded plan and its name. Shared by all jobs over the same RDD.
public final class PlannedStage: Sendable {
    public let hash: PlanHash
    public let bytes: [UInt8]
    public init(hash: PlanHash, bytes: [UInt8]) {
        self.hash = hash
        self.bytes = bytes
    }
}
