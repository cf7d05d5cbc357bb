import MillraceWire

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

    var count: Int { rows.count - position }
    var isEmpty: Bool { count == 0 }

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
