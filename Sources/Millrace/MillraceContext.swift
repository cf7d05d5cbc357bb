import MillraceBase
import MillraceExecutor
import Synchronization

/// An application's way to its cluster: makes RDDs and runs their jobs. Spark's SparkContext.
public final class MillraceContext: Sendable {
    /// Where jobs go.
    public let runner: any JobRunner
    /// Partitions of a dataset when the user names no number: the cores of the cluster.
    public let defaultParallelism: Int
    private let rdds = Atomic<Int>(0)
    private let jobs = Atomic<Int>(0)
    private let shuffles = Atomic<Int>(0)

    public init(runner: any JobRunner, defaultParallelism: Int) {
        self.runner = runner
        self.defaultParallelism = max(defaultParallelism, 1)
    }

    func nextRDD() -> RDDID {
        RDDID(rdds.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
    func nextJob() -> JobID {
        JobID(jobs.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
    func nextShuffle() -> ShuffleID {
        ShuffleID(shuffles.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
}
