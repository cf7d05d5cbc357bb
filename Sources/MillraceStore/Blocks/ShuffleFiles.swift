import MillraceBase

/// The shuffle files of one executor: one data file and one index per map task, as Spark's
/// `IndexShuffleBlockResolver` keeps them, in one folder per application.
///
/// `shuffle_<shuffle>_<mapTask>.data` holds the blocks of all reduce partitions one behind the other;
/// `.index` holds where each begins and its CRC-32C. Atomic for readers, not durable: a lost machine
/// means recomputed maps. Usable from any thread.
public struct ShuffleFiles: Sendable {
    public let fileSystem: any FileSystem
    public let folder: String

    /// Makes the folder if it isn't there.
    public init(_ fileSystem: any FileSystem, folder: String) throws(StoreError) {
        self.fileSystem = fileSystem
        self.folder = folder
        try fileSystem.makeFolders(folder)
    }

    public func dataPath(_ shuffle: ShuffleID, _ map: TaskID) -> String {
        StorePath.join(folder, "shuffle_\(shuffle.rawValue)_\(map.rawValue).data")
    }
    public func indexPath(_ shuffle: ShuffleID, _ map: TaskID) -> String {
        StorePath.join(folder, "shuffle_\(shuffle.rawValue)_\(map.rawValue).index")
    }

    /// A writer of one map task's output over `partitions` reduce partitions.
    public func write(
        _ shuffle: ShuffleID, _ map: TaskID, partitions: Int
    ) throws(StoreError) -> ShuffleDataFile.Writer {
        preconditionFailure("to come")
    }

    /// Opens a map task's output. Throws `.notFound`, or `.corrupt` if index and data don't fit.
    public func open(_ shuffle: ShuffleID, _ map: TaskID) throws(StoreError) -> ShuffleDataFile {
        preconditionFailure("to come")
    }

    /// Deletes all files of a shuffle; false if there were none.
    @discardableResult
    public func delete(_ shuffle: ShuffleID) throws(StoreError) -> Bool {
        preconditionFailure("to come")
    }
}

/// One map task's output, open for reading.
public struct ShuffleDataFile: Sendable {
    /// A reduce partition's place in the data file, for `sendfile`.
    public struct Segment: Hashable, Sendable {
        public var path: String
        /// In bytes, from the start of the file.
        public var offset: Int
        /// In bytes; 0 for a partition without rows.
        public var length: Int
        /// CRC-32C of the segment.
        public var checksum: UInt32
    }

    /// By reduce partition.
    public let segments: [Segment]

    /// A reduce partition's bytes, checked. Throws `.corrupt` if the checksum does not fit.
    public func read(_ partition: Int) throws(StoreError) -> [UInt8] {
        preconditionFailure("to come")
    }

    /// Writes the blocks of partitions 0, 1, … in this order.
    public final class Writer {
        /// Appends to the block of `partition`, which must not be below the last one's.
        public func append(
            _ partition: Int, _ bytes: UnsafeRawBufferPointer
        ) throws(StoreError) { preconditionFailure("to come") }
        public func append(_ partition: Int, _ bytes: [UInt8]) throws(StoreError) {
            preconditionFailure("to come")
        }
        /// Publishes both files. If a whole pair is there already (another attempt of the same
        /// map), that one stays and is returned.
        public func commit() throws(StoreError) -> ShuffleDataFile {
            preconditionFailure("to come")
        }
        /// Deletes what was written so far. Also done when released without `commit`.
        public func abort() {}
        init() {}
    }

    init(segments: [Segment]) { self.segments = segments }
}
