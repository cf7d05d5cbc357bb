import MillraceWire

/// What rows hold outside of themselves, estimated from some of them; so that who keeps many can
/// reserve memory without looking at each.
struct RowFootprint<Row> {
    private let codec: RowCodec<Row>
    private var chunks = 0
    private var held = 0
    private var sampled = 0
    /// Rows of a chunk that are looked at.
    private static var sample: Int { 64 }

    init(_ codec: RowCodec<Row>) { self.codec = codec }

    /// Looks at the first chunks and then at every 16th.
    mutating func measure(_ chunk: UnsafeMutableBufferPointer<Row>) {
        defer { chunks += 1 }
        guard !_isPOD(Row.self), chunks < 4 || chunks % 16 == 0 else { return }
        let rows = UnsafeBufferPointer(chunk)
        held += codec.held(UnsafeBufferPointer(rebasing: rows.prefix(Self.sample)))
        sampled += min(rows.count, Self.sample)
    }

    /// Bytes that a row holds elsewhere, on average.
    var heldPerRow: Int { sampled > 0 ? (held + sampled - 1) / sampled : 0 }
    /// Bytes of a row with all that it holds.
    var bytesPerRow: Int { MemoryLayout<Row>.stride + heldPerRow }
}
