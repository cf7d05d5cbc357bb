import MillraceBase

/// Splits a gRPC byte stream into messages: a flag, four bytes of length, the message. Sans-IO.
struct RPCDeframer {
    private let limit: Int
    private var prefix: (UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0)
    private var prefixCount = 0
    /// The message that is arriving, and its full length; nil between messages.
    private var partial: [UInt8] = []
    private var length: Int?

    /// A message that claims to be longer than this is refused before any of it is kept.
    init(limit: ByteCount) { self.limit = limit.bytes }

    /// Between two messages: the stream may end here.
    var isAtBoundary: Bool { length == nil && prefixCount == 0 }

    /// Takes bytes; appends the messages that are complete now. After a throw the stream is
    /// unusable.
    mutating func receive(
        _ bytes: UnsafeRawBufferPointer, into messages: inout [[UInt8]]
    ) throws(RPCStatus) {
        var position = 0
        while position < bytes.count || length == 0 {
            if let length {
                let wanted = length - partial.count
                let taken = min(wanted, bytes.count - position)
                let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<position + taken])
                position += taken
                if partial.isEmpty, taken == length {
                    messages.append(Array(piece))
                    self.length = nil
                } else {
                    partial.append(contentsOf: piece)
                    guard partial.count == length else { return }
                    messages.append(partial)
                    partial = []
                    self.length = nil
                }
            } else {
                try takePrefix(bytes, &position)
            }
        }
    }

    private mutating func takePrefix(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(RPCStatus) {
        while prefixCount < 5 {
            guard position < bytes.count else { return }
            withUnsafeMutableBytes(of: &prefix) { $0[prefixCount] = bytes[position] }
            prefixCount += 1
            position += 1
        }
        prefixCount = 0
        guard prefix.0 == 0 else {
            throw prefix.0 == 1
                ? RPCStatus(
                    .unimplemented,
                    "compressed messages are not taken: grpc-encoding must be identity")
                : RPCStatus(.internal, "not a gRPC message: its first byte is \(prefix.0)")
        }
        let count =
            Int(prefix.1) << 24 | Int(prefix.2) << 16 | Int(prefix.3) << 8 | Int(prefix.4)
        guard count <= limit else {
            throw RPCStatus(
                .resourceExhausted, "a message of \(count) bytes is above the limit of \(limit)")
        }
        length = count
        // Not all of it at once: the length is only a claim so far.
        partial.reserveCapacity(min(count, 64 * 1024))
    }
}
