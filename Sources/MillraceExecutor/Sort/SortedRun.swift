import MillraceBase
import MillraceStore
import MillraceWire

/// Rows on disk in the order in which they were written: frames of some hundred rows, so that many
/// runs can be merged in little memory.
final class SortedRun<Row> {
    private let file: SpillFile
    private let cipher: BlockCipher?
    /// Where each frame begins, and where the last ends.
    private var offsets = [0]
    private static var rowsPerFrame: Int { 1024 }
    private static var bytesPerFrame: Int { 64 << 10 }
    /// Memory to have for each run that is read: a frame, its content, and the rows.
    static var bytesToRead: Int { 4 * bytesPerFrame }

    /// Writes the rows that `next` puts into the buffer, as many at a time as it is told, until it
    /// says that there are none. Throws `StoreError`; no file is left then.
    init(
        _ codec: RowCodec<Row>, _ folder: SpillFolder, bytesPerRow: Int,
        next: (Int, RowBuffer<Row>) throws -> Bool
    ) throws {
        file = try folder.create("sort.spill")
        cipher = folder.cipher
        let rows = max(1, min(Self.rowsPerFrame, Self.bytesPerFrame / max(bytesPerRow, 1)))
        let buffer = RowBuffer<Row>(capacity: rows)
        var compression = FrameCompression(folder.compression, folder.cipher)
        var piece = ByteWriter()
        while try next(rows, buffer) {
            piece.bytes.removeAll(keepingCapacity: true)
            try codec.encode(buffer, into: &piece)
            try file.append(compression.pack(piece.bytes))
            offsets.append(file.size)
            buffer.removeAll()
        }
        try file.finish()
    }

    /// On disk.
    var bytes: Int { file.size }

    func open(_ codec: RowCodec<Row>) throws -> RunReader<Row> {
        var next = 0
        return try RunReader { [self] buffer in
            guard next + 1 < offsets.count else { return false }
            let frame = try file.read(
                at: offsets[next], count: offsets[next + 1] - offsets[next])
            var position = 0
            var reader = ByteReader(try BlockFrame.unpack(frame, at: &position, cipher))
            buffer.removeAll()
            try codec.decode(from: &reader, into: buffer)
            next += 1
            return true
        }
    }
}
