import MillraceWire

/// The next rows of one sorted run.
public final class RunReader<Row> {
    @usableFromInline let buffer = RowBuffer<Row>()
    @usableFromInline var position = 0
    private let refill: (RowBuffer<Row>) throws -> Bool

    /// `refill` puts the next rows into the buffer, or says that there are none.
    init(_ refill: @escaping (RowBuffer<Row>) throws -> Bool) throws {
        self.refill = refill
        _ = try advanceBuffer()
    }

    @usableFromInline var isAtEnd = false

    /// Replaces the chunk's rows by the next ones; false when there are none.
    func move(into chunk: RowBuffer<Row>) throws -> Bool {
        chunk.removeAll()
        if isAtEnd { return false }
        chunk.swap(with: buffer)
        _ = try advanceBuffer()
        return true
    }

    /// Behind the last row of the buffer.
    @usableFromInline func advanceBuffer() throws -> Bool {
        position = 0
        isAtEnd = try !refill(buffer)
        return !isAtEnd
    }
}

/// Several sorted runs as one, by a heap of their first rows.
public final class RunMerge<Key, Value> {
    /// The run with the smallest key first; of equal keys any.
    @usableFromInline var heap: [RunReader<(Key, Value)>]
    @usableFromInline var isOrdered = false

    init(_ runs: [RunReader<(Key, Value)>]) { heap = runs.filter { !$0.isAtEnd } }

    /// Appends up to `limit` rows; false when there are none left.
    @inlinable public func pull(
        _ limit: Int, into output: RowBuffer<(Key, Value)>, by precedes: (Key, Key) throws -> Bool
    ) throws -> Bool {
        if !isOrdered {
            isOrdered = true
            for place in stride(from: heap.count / 2 - 1, through: 0, by: -1) {
                try sink(place, precedes)
            }
        }
        while output.count < limit, let run = heap.first {
            output.append(run.buffer[run.position])
            run.position += 1
            if run.position == run.buffer.count, try !run.advanceBuffer() {
                heap[0] = heap[heap.count - 1]
                heap.removeLast()
            }
            if !heap.isEmpty { try sink(0, precedes) }
        }
        return !output.isEmpty
    }

    @inlinable func sink(_ start: Int, _ precedes: (Key, Key) throws -> Bool) throws {
        var place = start
        while true {
            var first = place
            for child in (2 * place + 1)..<(2 * place + 3) where child < heap.count {
                if try precedes(key(child), key(first)) { first = child }
            }
            if first == place { return }
            heap.swapAt(place, first)
            place = first
        }
    }

    @inlinable @inline(__always) func key(_ place: Int) -> Key {
        let run = heap[place]
        return run.buffer[run.position].0
    }
}
