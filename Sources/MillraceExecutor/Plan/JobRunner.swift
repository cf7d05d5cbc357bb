import MillraceBase
import MillraceCore

/// The door through which RDD actions and micro-batches go: the driver's scheduler in a cluster, `SerialJobRunner` in tests.
public protocol JobRunner: Sendable {
    /// Runs a job. `onResult` gets each wanted partition's result bytes once, with its index in `job.partitions` (or the
    /// partition itself when that is nil), in any order, one call at a time, on any thread; it only stores or merges.
    /// What it throws fails the job.
    /// Throws `MillraceError` (`jobAborted` with the task's error, `cancelled` …).
    func run(
        _ request: JobRequest, onResult: @escaping @Sendable (Int, [UInt8]) throws -> Void
    ) async throws

    /// No RDD refers to the shuffle any more; its files may go. Called on any thread, must not wait.
    func release(_ shuffle: ShuffleID)
}

/// One job, ready to be scheduled.
public struct JobRequest: Sendable {
    public var job: JobDescription
    /// The bytes of each plan that `job` names by hash. An executor that has one resident isn't sent it again.
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
