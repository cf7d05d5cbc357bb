import MillraceBase

/// Where the partitions of an RDD are best computed, by partition, best first. An empty list of
/// partitions says nothing of any.
public struct PreferredLocations: Sendable {
    /// Who has the partition's data in its memory or on its disks, or its state.
    public var executors: [[ExecutorID]]
    /// Machines whose disks have the partition's data.
    public var hosts: [[String]]
    /// Whether the executors own the state of the partitions. A task waits longer for such an
    /// executor (`millrace.locality.wait.state`), for it would have to load the state anywhere
    /// else, on the same host too.
    public var ownsState: Bool

    public init(
        executors: [[ExecutorID]] = [], hosts: [[String]] = [], ownsState: Bool = false
    ) {
        self.executors = executors
        self.hosts = hosts
        self.ownsState = ownsState
    }

    public var isEmpty: Bool { executors.isEmpty && hosts.isEmpty }
}
