import MillraceBase
import MillraceStore
import MillraceWire

/// Sorted rows on disk: one frame for some hundred rows, so that many runs can be merged in little
/// memory.
final class SortedRun<Row> {
    private let file: SpillFile
    /// Where each frame begins, and where the last ends.
    private var offsets = [0]
    private static var rowsPerFrame: Int { 1024 }

    /// Writes the rows, which are sorted, and empties the buffer. Throws `StoreError`.
    init(_ rows: RowBuffer<Row>, _ codec: RowCodec<Row>, _ folder: SpillFolder) throws {
        file = try folder.create("sort.spill")
        var compression = FrameCompression(folder.compression)
        var piece = ByteWriter()
        var start = 0
        while start < rows.count {
            let end = min(start + Self.rowsPerFrame, rows.count)
            piece.bytes.removeAll(keepingCapacity: true)
            try codec.encode(
                UnsafeBufferPointer(rebasing: rows.rows[start..<end]), into: &piece)
            try file.append(compression.pack(piece.bytes))
            offsets.append(file.size)
            start = end
        }
        try file.finish()
        rows.removeAll()
    }

    func open(_ codec: RowCodec<Row>) throws -> RunReader<Row> {
        var next = 0
        return try RunReader { [self] buffer in
            guard next + 1 < offsets.count else { return false }
            let frame = try file.read(
                at: offsets[next], count: offsets[next + 1] - offsets[next])
            var position = 0
            var reader = ByteReader(try BlockFrame.unpack(frame, at: &position))
            buffer.removeAll()
            try codec.decode(from: &reader, into: buffer)
            next += 1
            return true
        }
    }
}

/// Hands out the rows of a buffer a chunk at a time, by moving them.
final class RowQueue<Row> {
    private let owner: RowBuffer<Row>
    private let rows: UnsafeMutableBufferPointer<Row>
    private var position = 0

    /// Takes the rows of `buffer`, which nobody else uses any more.
    init(_ buffer: RowBuffer<Row>) {
        owner = buffer
        rows = buffer.takeAll()
    }

    deinit { rows[position...].deinitialize() }

    func move(upTo limit: Int, to chunk: RowBuffer<Row>) -> Bool {
        let count = min(limit, rows.count - position)
        guard count > 0 else { return false }
        chunk.append(room: count) { target in
            target.moveInitialize(from: rows.baseAddress! + position, count: count)
            return count
        }
        position += count
        return true
    }
}
