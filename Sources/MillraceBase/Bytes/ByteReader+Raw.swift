/// Raw access for decoders that read whole columns at once.
extension ByteReader {
    /// All the bytes this reader reads from; the next one is at `position`, the last one at
    /// `endPosition - 1`.
    public var storage: [UInt8] { bytes }
    public var endPosition: Int { end }

    /// Moves on without looking.
    public mutating func skip(_ count: Int) throws(ByteError) {
        guard count >= 0, remaining >= count else {
            throw failure("\(count) bytes expected, \(remaining) left")
        }
        position += count
    }

    /// Hands out the next `count` bytes in place and moves past them.
    public mutating func withRaw<Result>(
        _ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        let start = position
        try skip(count)
        return try bytes.withUnsafeBytes {
            try body(UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
        }
    }
}
