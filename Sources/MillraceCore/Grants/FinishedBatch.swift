import MillraceBase

/// How a batch went that ran under a grant.
public struct FinishedBatch: Hashable, Sendable {
    public var job: JobID
    /// Batches that its grant was for.
    public var groupSize: Int
    /// What it would have taken if only tasks took time: each stage's longest one.
    public var work: Duration
}

extension DriverCore {
    /// Of a job that succeeded in the latest step; `nil` when it ran without a grant.
    public func finishedBatch(of job: JobID) -> FinishedBatch? {
        grants.finished.first { $0.job == job }
    }
}
