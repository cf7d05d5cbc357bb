import MillraceBase

/// Blocks of one map output on their way to the shuffle service that merges them, as the payload of
/// a push on the data plane: a head, and the blocks' bytes one behind the other.
public struct PushedBlocks: Hashable, Sendable {
    /// One block's place among the others.
    public struct Block: Hashable, Sendable {
        public var reduce: Int
        public var length: Int
        /// CRC-32C of the block, from when it was written.
        public var checksum: UInt32
        public init(reduce: Int, length: Int, checksum: UInt32) {
            self.reduce = reduce
            self.length = length
            self.checksum = checksum
        }
    }

    public var shuffle: ShuffleID
    /// Which attempt to merge the shuffle.
    public var merge: Int
    public var mapIndex: Int
    public var mapTask: TaskID
    public var blocks: [Block]

    public init(
        shuffle: ShuffleID, merge: Int, mapIndex: Int, mapTask: TaskID, blocks: [Block] = []
    ) {
        self.shuffle = shuffle
        self.merge = merge
        self.mapIndex = mapIndex
        self.mapTask = mapTask
        self.blocks = blocks
    }

    /// What the service says to a push.
    public enum Answer: UInt8, Sendable {
        /// All of it is merged, or was before.
        case merged = 0
        /// The merge is finalised, replaced or removed: nothing more of it is wanted.
        case closed = 1
    }

    /// Numbers beyond are none of ours.
    private static let largest = 1 << 24

    /// The head; `bytes` of all blocks together are to follow.
    public func encodedHead(reserving bytes: Int = 0) -> [UInt8] {
        var writer = ByteWriter(capacity: 32 + blocks.count * 12 + bytes)
        writer.writeCount(shuffle.rawValue)
        writer.writeCount(merge)
        writer.writeCount(mapIndex)
        writer.writeCount(mapTask.rawValue)
        writer.writeCount(blocks.count)
        for block in blocks {
            writer.writeCount(block.reduce)
            writer.writeCount(block.length)
            writer.writeFixed(block.checksum)
        }
        return writer.bytes
    }

    /// Reads a payload of any origin. `start` is where the first block's bytes begin.
    public init(decoding payload: [UInt8], start: inout Int) throws(WireError) {
        do {
            var reader = ByteReader(payload)
            shuffle = ShuffleID(try Self.number(&reader, below: .max))
            merge = try Self.number(&reader, below: .max)
            mapIndex = try Self.number(&reader, below: Self.largest)
            mapTask = TaskID(try Self.number(&reader, below: .max))
            // A block's head takes 6 bytes at least.
            let count = try reader.readCount(minimumSize: 6)
            blocks = []
            blocks.reserveCapacity(count)
            var total = 0
            for _ in 0..<count {
                let block = Block(
                    reduce: try Self.number(&reader, below: Self.largest),
                    length: try Self.number(&reader, below: payload.count + 1),
                    checksum: try reader.readFixed(UInt32.self))
                total += block.length
                blocks.append(block)
            }
            guard total == reader.remaining else {
                throw reader.failure("\(total) bytes of blocks where \(reader.remaining) are")
            }
            start = reader.position
        } catch { throw WireError("not pushed blocks: \(error)") }
    }

    private static func number(
        _ reader: inout ByteReader, below limit: Int
    ) throws(ByteError) -> Int {
        guard let value = Int(exactly: try reader.readVarint()), value < limit else {
            throw reader.failure("a number that is too large")
        }
        return value
    }
}
