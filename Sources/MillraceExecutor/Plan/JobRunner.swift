import MillraceBase
import MillraceCore
import MillraceNet

/// The door through which RDD actions and micro-batches go: the driver's scheduler in a cluster,
/// `SerialJobRunner` in tests.
public protocol JobRunner: Sendable {
    /// Runs a job. `onResult` gets each wanted partition's result bytes once, with its index in
    /// `job.partitions` (or the partition itself when that is nil), in any order, one call at a
    /// time, on any thread; it only stores or merges. What it throws fails the job. Throws
    /// `MillraceError` (`jobAborted` with the task's error, `cancelled` …).
    @discardableResult func run(
        _ request: JobRequest, onResult: @escaping @Sendable (Int, ArraySlice<UInt8>) throws -> Void
    ) async throws -> JobReport

    /// As `run`, for a caller that is no Swift task: `complete` is called once, on any thread,
    /// perhaps before this returns, and must not wait.
    func start(
        _ request: JobRequest,
        complete: @escaping @Sendable (Result<FinishedJob, any Error>) -> Void)

    /// Ends a job with `cancelled`, if it is still running.
    func cancel(_ job: JobID, reason: String)

    /// No batch of that streaming query will come any more.
    func endQuery(_ query: QueryID)

    /// No RDD refers to the shuffle any more; its files may go. Called on any thread, must not
    /// wait.
    func release(_ shuffle: ShuffleID)

    /// Who may be given tasks now; empty where there are no executors to choose from. Any thread.
    var executorSlots: [ExecutorSlots] { get }

    /// No batch of the query up to this one is run again, so what its tasks added to accumulators
    /// is final. Called on any thread, must not wait.
    func settleBatches(of query: String, through batch: BatchID)

    /// The query starts again, and its log has no batch after this one: what ran under such numbers
    /// doesn't count. Called on any thread, must not wait.
    func retractBatches(of query: String, after batch: BatchID)

    /// The accumulators that the jobs' tasks add to.
    var accumulators: AccumulatorRegistry { get }
    /// The rows of this dataset are kept no longer. Called on any thread, must not wait; `done`
    /// when they are gone everywhere.
    func unpersist(_ rdd: RDDID, done: @escaping @Sendable () -> Void)

    /// A value is there to be fetched by tasks. `pieces` makes its pieces and is called only where
    /// tasks run in other processes. May take as long as that takes.
    func register(_ broadcast: BroadcastID, pieces: () -> [BlockContent])

    /// Executors forget a value; with `forever` it cannot be fetched again. Called on any thread,
    /// must not wait.
    func removeBroadcast(_ broadcast: BroadcastID, forever: Bool)
}

/// What the accepted tasks of a finished job said of themselves.
public struct JobReport: Sendable {
    /// The named numbers of one accepted task.
    public struct Task: Sendable {
        public var partition: Int
        /// Where it ran; the next batch prefers the same executor for its state.
        public var executor: ExecutorID?
        public var metrics: [TaskMetric]
        public init(partition: Int, executor: ExecutorID? = nil, metrics: [TaskMetric]) {
            self.partition = partition
            self.executor = executor
            self.metrics = metrics
        }
    }
    /// Of all stages; only tasks that reported a number.
    public var tasks: [Task] = []
    /// What the accepted tasks of all stages took together, without their waiting; zero where
    /// nobody measured it.
    public var runTime: Duration = .zero
    public var scheduling = BatchScheduling()
    public init() {}

    /// The sum of a number over all tasks; 0 when none reported it.
    public func total(_ name: String) -> Int64 {
        tasks.reduce(0) { sum, task in
            task.metrics.reduce(sum) { $1.name == name ? $0 + $1.value : $0 }
        }
    }
}

/// All that a job brought.
public struct FinishedJob: Sendable {
    /// Of each wanted partition, as `JobRunner.run` counts them.
    public var results: [ArraySlice<UInt8>]
    public var report: JobReport
    public init(results: [ArraySlice<UInt8>], report: JobReport) {
        self.results = results
        self.report = report
    }
}

/// One job, ready to be scheduled.
public struct JobRequest: Sendable {
    public var job: JobDescription
    /// The bytes of each plan that `job` names by hash. An executor that has one resident isn't
    /// sent it again.
    public var plans: [PlannedStage]

    public init(job: JobDescription, plans: [PlannedStage]) {
        self.job = job
        self.plans = plans
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

extension JobRunner {
    public var executorSlots: [ExecutorSlots] { [] }
}
