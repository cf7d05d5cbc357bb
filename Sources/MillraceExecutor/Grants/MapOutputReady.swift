import MillraceBase
import MillraceCore

/// A map task's word to the executors that run its readers: where its output is, and of the blocks
/// for their tasks the small ones themselves. Travels on the data plane, once and without an
/// answer: if it's lost, the driver says the same later (`Effect.tellMapOutputs`).
package struct MapOutputReady: Hashable, Sendable {
    package struct Block: Hashable, Sendable {
        package var reduce: Int
        package var bytes: [UInt8]

        package init(reduce: Int, bytes: [UInt8]) {
            self.reduce = reduce
            self.bytes = bytes
        }
    }

    /// Largest sum of the blocks in one message; the others are fetched.
    static let largestBlocks = 1 << 20

    var grant: GrantID
    var shuffle: ShuffleID
    var status: MapStatus
    package var blocks: [Block] = []

    /// Bytes of its blocks.
    var size: Int { blocks.reduce(0) { $0 + $1.bytes.count } }

    package func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + status.sizes.count + size)
        writer.writeCount(grant.rawValue)
        writer.writeCount(shuffle.rawValue)
        writer.writeCount(status.executor.rawValue)
        writer.writeCount(status.mapTask.rawValue)
        writer.writeCount(status.mapIndex)
        writer.writeBytes(status.sizes.codes)
        writer.writeCount(blocks.count)
        for block in blocks {
            writer.writeCount(block.reduce)
            writer.writeBytes(block.bytes)
        }
        return writer.bytes
    }

    package init(grant: GrantID, shuffle: ShuffleID, status: MapStatus, blocks: [Block] = []) {
        self.grant = grant
        self.shuffle = shuffle
        self.status = status
        self.blocks = blocks
    }

    /// Throws `ByteError` for bytes that `encode` did not write.
    package init(decoding bytes: [UInt8]) throws(ByteError) {
        var reader = ByteReader(bytes)
        grant = GrantID(try reader.readNumber())
        shuffle = ShuffleID(try reader.readNumber())
        let executor = ExecutorID(try reader.readNumber())
        let task = TaskID(try reader.readNumber())
        let index = try reader.readNumber()
        status = MapStatus(
            executor: executor, mapTask: task, mapIndex: index,
            sizes: BlockSizes(codes: try reader.readBytes()))
        for _ in 0..<(try reader.readCount(minimumSize: 2)) {
            let reduce = try reader.readNumber()
            guard reduce < status.sizes.count else { throw reader.failure("reducer \(reduce)") }
            blocks.append(Block(reduce: reduce, bytes: try reader.readBytes()))
        }
        try reader.expectEnd()
    }
}

extension ByteReader {
    /// An identifier or an index: no count of something that follows.
    fileprivate mutating func readNumber() throws(ByteError) -> Int {
        let number = try readVarint()
        guard number <= UInt64(Int.max) else { throw failure("a number of \(number)") }
        return Int(number)
    }
}
