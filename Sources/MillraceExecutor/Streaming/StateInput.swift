import MillraceBase

/// What a stateful operator has to know of its query and batch; travels with the task, for a plan
/// holds none of it.
public struct StateInput: Hashable, Sendable {
    /// `state` of the checkpoint.
    public var root: String
    /// The operator's folder under it.
    public var operatorID: String
    /// Of this start of the query: state in memory belongs to a run.
    public var runID: String
    /// The same start, as `StateFolder` counts them: marks the files.
    public var run: Int
    public var keyGroups: Int
    /// Partitions of the operator.
    public var partitions: Int
    /// Deltas between two snapshots.
    public var minDeltasForSnapshot: Int
    /// Whether all keys are put out, not only those that changed (output mode complete).
    public var emitsAll: Bool
    /// The version that the batch starts from: its number.
    public var version: Int

    public init(
        root: String, operatorID: String, runID: String, run: Int, keyGroups: Int, partitions: Int,
        minDeltasForSnapshot: Int, emitsAll: Bool, version: Int
    ) {
        self.root = root
        self.operatorID = operatorID
        self.runID = runID
        self.run = run
        self.keyGroups = keyGroups
        self.partitions = partitions
        self.minDeltasForSnapshot = minDeltasForSnapshot
        self.emitsAll = emitsAll
        self.version = version
    }

    public func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + root.utf8.count + runID.utf8.count)
        writer.writeString(root)
        writer.writeString(operatorID)
        writer.writeString(runID)
        writer.writeCount(run)
        writer.writeCount(keyGroups)
        writer.writeCount(partitions)
        writer.writeCount(minDeltasForSnapshot)
        writer.writeBool(emitsAll)
        writer.writeCount(version)
        return writer.bytes
    }

    /// Throws `ByteError` for bytes that `encode` did not write.
    public init(decoding bytes: [UInt8]) throws {
        var reader = ByteReader(bytes)
        root = try reader.readString()
        operatorID = try reader.readString()
        runID = try reader.readString()
        run = try reader.readCount(minimumSize: 0)
        keyGroups = try reader.readCount(minimumSize: 0)
        partitions = try reader.readCount(minimumSize: 0)
        minDeltasForSnapshot = try reader.readCount(minimumSize: 0)
        emitsAll = try reader.readBool()
        version = try reader.readCount(minimumSize: 0)
        guard keyGroups > 0, partitions > 0 else { throw reader.failure("no key groups") }
        try reader.expectEnd()
    }
}

/// Key groups and the partitions that own them. The same arithmetic as
/// `StateFolder.groups(of:in:)`.
public enum KeyGroups {
    /// The group of a key, by its spread hash.
    @inlinable @inline(__always) public static func group(_ hash: UInt64, of keyGroups: Int) -> Int
    {
        KeyHash.partition(hash, of: keyGroups)
    }

    /// The partition that owns a group.
    @inlinable @inline(__always)
    public static func partition(ofGroup group: Int, keyGroups: Int, partitions: Int) -> Int {
        ((group + 1) * partitions - 1) / keyGroups
    }
}

/// The named numbers that tasks of a streaming query report. At most 15 bytes, so that none costs
/// an allocation.
public enum StreamMetric {
    /// Rows read from a source.
    public static let inputRows = "inputRows"
    /// Rows given to the sink.
    public static let outputRows = "outputRows"
    /// Keys in the state of a partition.
    public static let stateRows = "stateRows"
    public static let stateUpdated = "stateUpdated"
    public static let stateMemory = "stateMemory"
    /// Nanoseconds spent on updates, and on making the delta durable.
    public static let stateUpdateTime = "stateUpdateNs"
    public static let stateCommitTime = "stateCommitNs"
    /// Partitions that had to read their state from the checkpoint.
    public static let stateLoads = "stateLoads"
    /// Bytes of deltas and snapshots.
    public static let stateBytes = "stateBytes"
}
