import MillraceBase

/// Splits a byte stream into frames. Sans-IO.
///
/// Payloads of control frames come whole; those of `block` and `data`, which may be large, come in
/// pieces as they arrive, so that a block is copied once, into its own array. What a piece says may
/// be believed only when `frameEnded` has come: then the checksum is right.
struct FrameDecoder {
    enum Event: Equatable {
        /// A control frame, checked.
        case frame(Frame)
        /// The header of a `block` or `data` frame.
        case began(FrameKind, stream: UInt32, length: Int)
        /// A part of its payload: a range of the bytes given to `receive`.
        case piece(Range<Int>)
        /// The payload is complete and its checksum, if any, is right.
        case frameEnded
    }

    private let limit: Int
    private var header: [UInt8] = []
    private var current: FrameHeader?
    private var payload: [UInt8] = []
    private var remaining = 0
    private var sum = CRC32C()

    /// A frame that claims more payload than `limit` is refused by its header.
    init(limit: ByteCount) { self.limit = limit.bytes }

    /// Between two frames: the stream may end here.
    var isAtBoundary: Bool { current == nil && header.isEmpty }

    /// Takes bytes; appends what they mean. After a throw the stream is unusable.
    mutating func receive(
        _ bytes: UnsafeRawBufferPointer, into events: inout [Event]
    ) throws(NetError) {
        var position = 0
        while true {
            if current == nil {
                guard try takeHeader(bytes, &position, &events) else { return }
            }
            guard remaining == 0 || position < bytes.count else { return }
            takePayload(bytes, &position, &events)
            guard remaining == 0 else { return }
            try endFrame(&events)
        }
    }

    private mutating func takeHeader(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ events: inout [Event]
    ) throws(NetError) -> Bool {
        let taken = min(FrameHeader.size - header.count, bytes.count - position)
        header.append(contentsOf: bytes[position..<position + taken])
        position += taken
        guard header.count == FrameHeader.size else {
            // The magic is checked as soon as it is there: garbage is not waited for.
            guard header.count < 2 || (header[0] == 0x4D && header[1] == 0x42) else {
                throw .protocolViolation("not a block stream: its first bytes are something else")
            }
            return false
        }
        let parsed = try parseHeader()
        header.removeAll(keepingCapacity: true)
        current = parsed
        remaining = parsed.length
        sum = CRC32C()
        if parsed.kind == .block || parsed.kind == .data {
            events.append(.began(parsed.kind, stream: parsed.stream, length: parsed.length))
        } else {
            payload = []
            payload.reserveCapacity(min(parsed.length, 64 * 1024))
        }
        return true
    }

    private func parseHeader() throws(NetError) -> FrameHeader {
        do {
            return try header.withUnsafeBytes { try FrameHeader($0, limit: limit) }
        } catch let error as NetError {
            throw error
        } catch {
            throw .protocolViolation("\(error)")
        }
    }

    private mutating func takePayload(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ events: inout [Event]
    ) {
        guard let current, remaining > 0 else { return }
        let range = position..<position + min(remaining, bytes.count - position)
        let piece = UnsafeRawBufferPointer(rebasing: bytes[range])
        if current.checksum != nil { sum.update(piece) }
        if current.kind == .block || current.kind == .data {
            events.append(.piece(range))
        } else {
            payload.append(contentsOf: piece)
        }
        position = range.upperBound
        remaining -= range.count
    }

    private mutating func endFrame(_ events: inout [Event]) throws(NetError) {
        guard let ended = current.take() else { return }
        if let expected = ended.checksum, expected != sum.value {
            throw .protocolViolation(
                "a frame's checksum is wrong: the bytes were changed on their way")
        }
        if ended.kind == .block || ended.kind == .data {
            events.append(.frameEnded)
        } else {
            events.append(.frame(Frame(kind: ended.kind, stream: ended.stream, payload: payload)))
            payload = []
        }
    }
}
