import MillraceBase

/// The shuffle files of one executor: one data file and one index per map task, as Spark's
/// `IndexShuffleBlockResolver` keeps them, in one folder per application.
///
/// `shuffle_<shuffle>_<mapTask>.data` holds the blocks of all reduce partitions one behind the
/// other; `.index` holds where each begins and its CRC-32C. Atomic for readers, not durable: a
/// lost machine means recomputed maps. Usable from any thread.
public struct ShuffleFiles: Sendable {
    public let fileSystem: any FileSystem
    public let folder: String

    /// Makes the folder if it isn't there.
    public init(_ fileSystem: any FileSystem, folder: String) throws(StoreError) {
        self.fileSystem = fileSystem
        self.folder = folder
        try fileSystem.makeFolders(folder)
    }

    /// A folder that is there already and belongs to another process.
    init(reading folder: String, of fileSystem: any FileSystem) {
        self.fileSystem = fileSystem
        self.folder = folder
    }

    public func dataPath(_ shuffle: ShuffleID, _ map: TaskID) -> String {
        StorePath.join(folder, "\(prefix(shuffle))\(map.rawValue).data")
    }

    public func indexPath(_ shuffle: ShuffleID, _ map: TaskID) -> String {
        StorePath.join(folder, "\(prefix(shuffle))\(map.rawValue).index")
    }

    /// A writer of one map task's output over `partitions` reduce partitions.
    public func write(
        _ shuffle: ShuffleID, _ map: TaskID, partitions: Int
    ) throws(StoreError) -> ShuffleDataFile.Writer {
        try ShuffleDataFile.Writer(self, shuffle, map, partitions: partitions)
    }

    /// Opens a map task's output. Throws `.notFound`, or `.corrupt` if the index is damaged or does
    /// not fit the data file's size.
    public func open(_ shuffle: ShuffleID, _ map: TaskID) throws(StoreError) -> ShuffleDataFile {
        let dataPath = dataPath(shuffle, map)
        let indexPath = indexPath(shuffle, map)
        let index = try ShuffleIndex(decoding: try fileSystem.read(indexPath), path: indexPath)
        let size = try fileSystem.size(dataPath)
        guard size == index.offsets[index.checksums.count] else {
            throw StoreError.corrupt(
                dataPath, at: size,
                "its index is for \(index.offsets[index.checksums.count]) bytes, it has \(size)")
        }
        return ShuffleDataFile(fileSystem, dataPath, index)
    }

    /// Deletes all files of a shuffle, half-written ones too; false if there were none.
    @discardableResult
    public func delete(_ shuffle: ShuffleID) throws(StoreError) -> Bool {
        var found = false
        for name in try fileSystem.namesIfPresent(in: folder)
        where name.hasPrefix(prefix(shuffle)) || name.hasPrefix("." + prefix(shuffle)) {
            try fileSystem.delete(StorePath.join(folder, name))
            found = true
        }
        return found
    }

    private func prefix(_ shuffle: ShuffleID) -> String { "shuffle_\(shuffle.rawValue)_" }
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
    private let fileSystem: any FileSystem

    init(_ fileSystem: any FileSystem, _ path: String, _ index: ShuffleIndex) {
        self.fileSystem = fileSystem
        segments = index.checksums.indices.map {
            Segment(
                path: path, offset: index.offsets[$0],
                length: index.offsets[$0 + 1] - index.offsets[$0], checksum: index.checksums[$0])
        }
    }

    /// Bytes of all partitions.
    public var size: Int { segments.reduce(0) { $0 + $1.length } }

    /// What a reduce partition's checksum is now. Throws `StoreError`.
    public func checksum(of partition: Int) throws(StoreError) -> UInt32 {
        let segment = segments[partition]
        let file = try fileSystem.open(segment.path)
        var checksum = CRC32C()
        var offset = segment.offset
        let end = segment.offset + segment.length
        while offset < end {
            let bytes = try file.read(at: offset, count: min(1 << 20, end - offset))
            if bytes.isEmpty { break }
            checksum.update(bytes[...])
            offset += bytes.count
        }
        return checksum.value
    }

    /// The data file, to read a partition in parts.
    public func openData(_ partition: Int) throws(StoreError) -> any ReadableFile {
        try fileSystem.open(segments[partition].path)
    }

    /// A reduce partition's bytes, checked. Throws `.corrupt` if they are not what was written.
    public func read(_ partition: Int) throws(StoreError) -> [UInt8] {
        let segment = segments[partition]
        guard segment.length > 0 else { return [] }
        let bytes = try fileSystem.open(segment.path).read(
            at: segment.offset, count: segment.length)
        guard bytes.count == segment.length, CRC32C.checksum(bytes) == segment.checksum else {
            throw StoreError.corrupt(
                segment.path, at: segment.offset,
                "the checksum of reduce partition \(partition) does not fit its bytes")
        }
        return bytes
    }
}

/// The index file: R + 1 offsets (int64), R checksums (CRC-32C, u32), CRC-32C of all that; all
/// little-endian.
struct ShuffleIndex {
    /// Where each partition begins, and where the last ends.
    var offsets: [Int]
    /// By partition.
    var checksums: [UInt32]

    init(offsets: [Int], checksums: [UInt32]) {
        precondition(offsets.count == checksums.count + 1, "an offset per partition, and the end")
        self.offsets = offsets
        self.checksums = checksums
    }

    func encode() -> [UInt8] {
        var index = ByteWriter(capacity: offsets.count * 12)
        for offset in offsets { index.writeFixed(Int64(offset)) }
        for checksum in checksums { index.writeFixed(checksum) }
        index.writeFixed(CRC32C.checksum(index.bytes))
        return index.bytes
    }

    init(decoding bytes: [UInt8], path: String) throws(StoreError) {
        guard bytes.count >= 12, bytes.count % 12 == 0 else {
            throw StoreError.corrupt(path, at: bytes.count, "no index has \(bytes.count) bytes")
        }
        let partitions = bytes.count / 12 - 1
        let end = bytes.count - 4
        guard CRC32C.checksum(bytes[..<end]) == littleEndian(bytes[...], end, UInt32.self) else {
            throw StoreError.corrupt(path, at: end, "the index's checksum does not fit it")
        }
        offsets = (0...partitions).map { Int(littleEndian(bytes[...], $0 * 8, Int64.self)) }
        checksums = (0..<partitions).map {
            littleEndian(bytes[...], (partitions + 1) * 8 + $0 * 4, UInt32.self)
        }
        guard offsets[0] == 0, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw StoreError.corrupt(path, at: 0, "the offsets do not ascend from 0")
        }
    }
}
