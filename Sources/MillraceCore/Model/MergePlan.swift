import MillraceBase

/// Who merges the pushed blocks of a shuffle.
public struct MergePlan: Hashable, Sendable {
    /// Which attempt to merge the shuffle: one whose outputs were all forgotten is merged anew.
    public var merge: Int
    /// Executors by whose hosts' shuffle services it's done; at least one, each of another host.
    /// They needn't be alive.
    public var mergers: [ExecutorID]

    public init(merge: Int, mergers: [ExecutorID]) {
        self.merge = merge
        self.mergers = mergers
    }

    /// Who merges a reduce partition: each has a range of them, so that what goes to one lies side
    /// by side in a map output's file.
    public func merger(of reduce: Int, reducers: Int) -> ExecutorID {
        mergers[min(reduce * mergers.count / max(reducers, 1), mergers.count - 1)]
    }
}

/// What is merged of a shuffle. Which blocks these are, the merger's index says.
public struct MergedOutputs: Hashable, Sendable {
    public var plan: MergePlan
    /// Merged bytes by reduce partition; 0 where nothing is.
    public var sizes: BlockSizes

    public init(plan: MergePlan, sizes: BlockSizes) {
        self.plan = plan
        self.sizes = sizes
    }
}

/// A map output that its executor has pushed, as far as it will.
public struct PushedOutput: Hashable, Sendable {
    public var shuffle: ShuffleID
    public var merge: Int
    public var mapIndex: Int
    public var mapTask: TaskID

    public init(shuffle: ShuffleID, merge: Int, mapIndex: Int, mapTask: TaskID) {
        self.shuffle = shuffle
        self.merge = merge
        self.mapIndex = mapIndex
        self.mapTask = mapTask
    }
}

/// What a merger says at the end of a merge.
public struct MergeAnswer: Hashable, Sendable {
    public var shuffle: ShuffleID
    public var merge: Int
    public var merger: ExecutorID
    /// nil when it didn't say anything.
    public var sizes: [MergedSize]?

    public init(shuffle: ShuffleID, merge: Int, merger: ExecutorID, sizes: [MergedSize]?) {
        self.shuffle = shuffle
        self.merge = merge
        self.merger = merger
        self.sizes = sizes
    }
}

/// What a merger has of a reduce partition.
public struct MergedSize: Hashable, Sendable {
    public var reduce: Int
    public var bytes: Int

    public init(reduce: Int, bytes: Int) {
        self.reduce = reduce
        self.bytes = bytes
    }
}
