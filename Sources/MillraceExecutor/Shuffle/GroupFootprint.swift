import MillraceWire

/// What rows take that are gathered in groups: their values stay, in arrays that grow.
public final class GroupFootprint<Key, Value> {
    private var footprint: RowFootprint<(Key, Value)>?
    /// Of a row that nobody can measure.
    private static var unknown: Int { 64 }

    public init() {
        footprint = (try? RowCodec<(Key, Value)>()).map { RowFootprint($0) }
    }

    /// Bytes that stay of the chunk's rows. An array has room for up to twice as many values.
    public func bytes(of chunk: RowBuffer<(Key, Value)>) -> Int {
        footprint?.measure(chunk.rows)
        let held = footprint?.heldPerRow ?? (_isPOD((Key, Value).self) ? 0 : Self.unknown)
        return chunk.count * (2 * MemoryLayout<Value>.stride + held)
    }
}
