extension TaskContext {
    /// Asks the driver whether this attempt may commit its output, for a sink that writes where
    /// others can see it: of all attempts of a partition one is told yes. To be called when all is
    /// written and durable. Throws `CommitDenied`; what was written is to be removed then.
    ///
    /// The driver says yes to the first that asks, and to another one once that has failed
    /// (`OutputCommitCoordinator`). A job, and so a batch, that is over gets no yes.
    public func requestCommit() throws { try askToCommit() }
}

/// Another attempt commits the partition. Ends the task without counting as a failure. Spark's
/// CommitDeniedException.
public struct CommitDenied: Error, Hashable, Sendable, CustomStringConvertible {
    public init() {}
    public var description: String { "another attempt commits this partition" }
}
