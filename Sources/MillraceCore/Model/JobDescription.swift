import MillraceBase

/// One action to run: a lineage, the RDD whose partitions are wanted, and the plan of the final
/// stage.
///
/// A micro-batch is a job too: fresh `JobID` and `ShuffleID`s, the same plan hashes as the batch
/// before.
public struct JobDescription: Sendable {
    public var id: JobID
    public var lineage: Lineage
    public var finalRDD: RDDID
    /// Partitions of `finalRDD` to compute, each at most once, in the order in which results are
    /// indexed; `nil` means all.
    public var partitions: [Int]?
    /// Computes a partition of `finalRDD` and yields the bytes that come back in
    /// `Effect.taskResult`.
    public var final: StagePlan
    public var properties: JobProperties

    public init(
        id: JobID, lineage: Lineage, finalRDD: RDDID, partitions: [Int]? = nil, final: StagePlan,
        properties: JobProperties = JobProperties()
    ) {
        self.id = id
        self.lineage = lineage
        self.finalRDD = finalRDD
        self.partitions = partitions
        self.final = final
        self.properties = properties
    }
}

/// What else is known of a job; the scheduler decides on `pool`, `group`, `tags` and `maxFailures`,
/// the rest is for people.
public struct JobProperties: Sendable {
    public var description: String
    /// Jobs of one group can be cancelled together.
    public var group: String?
    /// So can jobs that share a tag; a job may have several.
    public var tags: [String]
    /// Scheduling pool; counts with `CoreSettings.schedulingMode` `.fair`.
    public var pool: String
    /// Streaming query and batch this job runs, if any; reaches the executors in `StageSetup`.
    public var query: String?
    public var batch: BatchID?
    /// Set, with `query` and `batch`, for the batches of a query that all have the same stages, so
    /// that several may run on one decision (`GrantScheduler`).
    public var streamingQuery: QueryID?
    /// Overrides `CoreSettings.maxTaskFailures`.
    public var maxFailures: Int?
    /// What the program wants its tasks to know of the job; reaches the executors in `StageSetup`.
    public var localProperties: [LocalProperty]

    public init(
        description: String = "", group: String? = nil, tags: [String] = [],
        pool: String = PoolSettings.defaultName, query: String? = nil, batch: BatchID? = nil,
        streamingQuery: QueryID? = nil, maxFailures: Int? = nil,
        localProperties: [LocalProperty] = []
    ) {
        self.description = description
        self.group = group
        self.tags = tags
        self.pool = pool
        self.query = query
        self.batch = batch
        self.streamingQuery = streamingQuery
        self.maxFailures = maxFailures
        self.localProperties = localProperties
    }
}

/// One thing that a program wants the tasks of a job to know. Spark's local property.
public struct LocalProperty: Hashable, Sendable {
    public var key: String
    public var value: String
    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// Why a job ended without its results.
public enum JobFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// On request: `DriverEvent.jobCancelled` or `.jobsCancelled`.
    case cancelled(reason: String)
    /// A stage was given up; the message names the task and its last failure.
    case stageFailed(StageID, message: String)
    /// The description contradicts itself (unknown parent, partition out of range, …). A bug of the
    /// submitter.
    case invalid(message: String)

    public var description: String {
        switch self {
        case .cancelled(let reason): "Job cancelled: \(reason)"
        case .stageFailed(_, let message): "Job aborted due to stage failure: \(message)"
        case .invalid(let message): "Job cannot run: \(message)"
        }
    }

    /// What the user sees.
    public var error: MillraceError {
        switch self {
        case .cancelled: MillraceError(.cancelled, description)
        case .stageFailed: MillraceError(.jobAborted, description)
        case .invalid: MillraceError(.invalidArgument, description)
        }
    }
}
