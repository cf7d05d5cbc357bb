import MillraceBase
import MillraceWire

/// A cached partition in memory, without its element type.
protocol StoredRows: AnyObject, Sendable {
    /// What it counts for in the ledger.
    var bytes: Int { get }
    /// The block's bytes, for the disk and other executors. Throws for rows that cannot become
    /// bytes.
    func frames() throws -> [[UInt8]]
    /// The rows, if they are of that type.
    func cursor<Element>(
        of block: RDDBlockID, _: Element.Type, task: TaskContext
    ) throws -> Cursor<Element>
}

/// Rows as values. Shared by all readers, whose chunks are copied only by those that change them.
final class RowValues<Row>: StoredRows {
    // Never changed after `init`.
    nonisolated(unsafe) let chunks: [[Row]]
    private let codec: RowCodec<Row>?
    let bytes: Int

    init(chunks: [[Row]], bytes: Int, codec: RowCodec<Row>?) {
        self.chunks = chunks
        self.bytes = bytes
        self.codec = codec
    }

    func frames() throws -> [[UInt8]] {
        let codec = try codec ?? RowCodec<Row>()
        return try chunks.map { try BlockFrames.frame($0, codec) }
    }

    func cursor<Element>(
        of block: RDDBlockID, _: Element.Type, task: TaskContext
    ) throws -> Cursor<Element> {
        guard let own = self as? RowValues<Element> else { throw StoredRowsMismatch(block) }
        return ChunkCursor(own.chunks, task: task)
    }
}

/// Rows as bytes.
final class RowFrames: StoredRows {
    private let stored: [[UInt8]]
    let bytes: Int

    init(_ frames: [[UInt8]]) {
        stored = frames
        bytes = frames.reduce(0) { $0 + $1.count }
    }

    func frames() -> [[UInt8]] { stored }

    func cursor<Element>(
        of block: RDDBlockID, _: Element.Type, task: TaskContext
    ) throws -> Cursor<Element> {
        var position = 0
        return FrameCursor(block, try RowCodec<Element>(), task: task) { [stored] in
            guard position < stored.count else { return nil }
            position += 1
            return stored[position - 1]
        }
    }
}

/// Two datasets of one number, or a dataset of one number with two types of rows.
struct StoredRowsMismatch: Error, CustomStringConvertible {
    let block: RDDBlockID
    init(_ block: RDDBlockID) { self.block = block }
    var description: String { "block \(block) holds rows of another type" }
}

/// What a row counts for: its place in the array, and what it holds elsewhere, estimated from a
/// few rows.
struct RowSize<Row> {
    private let codec: RowCodec<Row>?
    private static var sampled: Int { 8 }
    /// An allocation's own words, and what malloc rounds up.
    private static var allocation: Int { 32 }

    init(_ codec: RowCodec<Row>?) { self.codec = codec }

    func bytes(of chunk: [Row]) -> Int {
        let stride = MemoryLayout<Row>.stride
        let inline = Self.allocation + chunk.capacity * stride
        if _isPOD(Row.self) || chunk.isEmpty { return inline }
        let step = max(1, chunk.count / Self.sampled)
        let sample = Swift.stride(from: 0, to: chunk.count, by: step).map { chunk[$0] }
        guard let codec else { return inline + chunk.count * Self.allocation }
        let held = sample.withUnsafeBufferPointer { codec.held($0) }
        return inline + chunk.count * held / sample.count
    }
}
