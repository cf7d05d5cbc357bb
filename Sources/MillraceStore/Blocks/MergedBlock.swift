import MillraceBase

/// One map task's block within the merged blocks of a reduce partition: a line of its index.
///
/// It names the task, not only the map: a reader takes a block for the one that it looks for only
/// if both are of the same task, so a block of another attempt is never mistaken for it.
public struct MergedBlock: Hashable, Sendable {
    public var mapIndex: Int
    public var mapTask: TaskID
    /// Where it is in the data file, in bytes.
    public var offset: Int
    public var length: Int
    /// CRC-32C of the block, from when the map task wrote it.
    public var checksum: UInt32

    public init(mapIndex: Int, mapTask: TaskID, offset: Int, length: Int, checksum: UInt32) {
        self.mapIndex = mapIndex
        self.mapTask = mapTask
        self.offset = offset
        self.length = length
        self.checksum = checksum
    }

    public var end: Int { offset + length }

    // MARK: Bytes

    /// Bytes of a line: map index u32, map task u64, offset u64, length u32, checksum u32, CRC-32C
    /// of all that; little-endian.
    public static let encodedSize = 32
    /// A map index beyond is damage.
    static let largestIndex = 1 << 24

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.encodedSize)
        writer.writeFixed(UInt32(mapIndex))
        writer.writeFixed(UInt64(mapTask.rawValue))
        writer.writeFixed(UInt64(offset))
        writer.writeFixed(UInt32(length))
        writer.writeFixed(checksum)
        writer.writeFixed(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// The lines of an index up to the first that isn't whole: what a crash left half-written is
    /// the last one.
    public static func decode(_ index: [UInt8]) -> [MergedBlock] {
        var blocks: [MergedBlock] = []
        blocks.reserveCapacity(index.count / encodedSize)
        var start = 0
        while start + encodedSize <= index.count,
            let block = MergedBlock(index[start..<(start + encodedSize)])
        {
            blocks.append(block)
            start += encodedSize
        }
        return blocks
    }

    private init?(_ line: ArraySlice<UInt8>) {
        let sum = CRC32C.checksum(line.dropLast(4))
        guard sum == littleEndian(line, 28, UInt32.self) else { return nil }
        let task = littleEndian(line, 4, UInt64.self)
        let offset = littleEndian(line, 12, UInt64.self)
        mapIndex = Int(littleEndian(line, 0, UInt32.self))
        guard mapIndex < Self.largestIndex, let task = Int(exactly: task),
            let offset = Int(exactly: offset), offset < Int.max / 2
        else { return nil }
        mapTask = TaskID(task)
        self.offset = offset
        length = Int(littleEndian(line, 20, UInt32.self))
        checksum = littleEndian(line, 24, UInt32.self)
    }
}
