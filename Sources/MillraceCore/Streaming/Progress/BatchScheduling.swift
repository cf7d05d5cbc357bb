import MillraceBase

/// How a batch's job was scheduled.
public struct BatchScheduling: Hashable, Sendable {
    /// Batches that were scheduled by one decision; `nil` when the batch was scheduled alone.
    public var groupSize: Int?
    /// What the job would have taken if only tasks took time: each stage's longest one, one stage
    /// after the other.
    public var work: Duration = .zero
    public init() {}
}
