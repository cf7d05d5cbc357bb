import MillraceBase

/// What an executor has of one partition of a persisted dataset.
public struct BlockStatus: Hashable, Sendable {
    public var rdd: RDDID
    public var partition: Int
    /// Both 0: nothing any more.
    public var memoryBytes: Int
    public var diskBytes: Int

    public init(rdd: RDDID, partition: Int, memoryBytes: Int, diskBytes: Int) {
        self.rdd = rdd
        self.partition = partition
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
    }

    public var isStored: Bool { memoryBytes > 0 || diskBytes > 0 }
}

/// A dataset that a stage's tasks keep, or read where it is kept.
public struct PersistedRDD: Hashable, Sendable {
    public var rdd: RDDID
    public var level: StorageLevel
    public init(rdd: RDDID, level: StorageLevel) {
        self.rdd = rdd
        self.level = level
    }
}
