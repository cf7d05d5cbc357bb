import Glibc
import MillraceBase
import MillraceDriver
import MillraceExecutor
import MillraceWire
import Synchronization

/// An application's way to its cluster: makes RDDs and runs their jobs. Spark's SparkContext.
public final class MillraceContext: Sendable {
    public let conf: Conf
    /// Names the application in logs, on the wire and in file names.
    public let applicationID: String
    /// Where jobs go.
    public let runner: any JobRunner
    /// Partitions of a dataset when the user names no number: `millrace.default.parallelism`, or
    /// the cores of the cluster.
    public let defaultParallelism: Int
    let cluster: RunningCluster?
    /// Of jobs that are submitted from now on.
    let labels = Mutex(JobLabels())
    private let rdds = Atomic<Int>(0)
    private let jobs = Atomic<Int>(0)
    private let shuffles = Atomic<Int>(0)
    private let persisted = Atomic<Int>(0)
    let checkpoints = CheckpointPlace()
    private let queries = Atomic<Int>(0)
    let broadcasts: KnownBroadcasts

    /// A context without a cluster of its own, for tests.
    public init(runner: any JobRunner, defaultParallelism: Int, conf: Conf = Conf()) {
        self.conf = conf
        broadcasts = KnownBroadcasts(conf)
        self.runner = runner
        self.defaultParallelism = max(defaultParallelism, 1)
        applicationID = "test"
        cluster = nil
    }

    private init(cluster: RunningCluster, conf: Conf) {
        self.conf = conf
        broadcasts = KnownBroadcasts(conf)
        self.cluster = cluster
        applicationID = cluster.driver.applicationID
        runner = ClusterJobRunner(
            driver: cluster.driver, accumulators: cluster.accumulators, broadcasts: broadcasts,
            largestPlan: conf.broadcast.planThreshold.bytes)
        defaultParallelism = conf.application.defaultParallelism ?? max(cluster.cores, 2)
    }

    /// See `MillraceSession.start`.
    public static func start(_ conf: Conf) async throws -> MillraceContext {
        MillraceContext(cluster: try await RunningCluster.start(conf), conf: conf)
    }

    /// Ends running jobs, executors and threads. Nothing the second time.
    public func stop() async { await cluster?.stop() }

    /// The registered executors, in the order in which they came. Spark's
    /// `statusTracker.getExecutorInfos`.
    public func executors() async throws -> [ExecutorInfo] {
        try await cluster?.driver.status().executors.map {
            ExecutorInfo(
                id: $0.registration.executor, host: $0.registration.host,
                cores: $0.registration.cores,
                processID: $0.registration.processID, heldTasks: $0.heldTasks)
        } ?? []
    }

    /// Bytes of broadcasts that the driver has sent to executors.
    public var broadcastBytesSent: Int { cluster?.driver.broadcasts.uploadedBytes ?? 0 }

    /// What executors keep of the persisted datasets. Spark's `getRDDStorageInfo`.
    public func storageInfo() async throws -> [RDDStorageInfo] {
        try await cluster?.driver.storageInfo() ?? []
    }

    /// Changes whenever a dataset is persisted, unpersisted or checkpointed, which changes plans
    /// that were made before.
    var storageEpoch: Int { persisted.load(ordering: .acquiring) }
    func storageChanged() { persisted.wrappingAdd(1, ordering: .releasing) }

    func nextRDD() -> RDDID {
        RDDID(rdds.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
    func nextJob() -> JobID {
        JobID(jobs.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
    func nextQuery() -> QueryID {
        QueryID(queries.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
    func nextShuffle() -> ShuffleID {
        ShuffleID(shuffles.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
}

/// One executor of an application.
public struct ExecutorInfo: Hashable, Sendable {
    public var id: ExecutorID
    public var host: String
    public var cores: Int
    public var processID: Int
    /// Tasks there, running or queued.
    public var heldTasks: Int
}
