import MillraceBase

/// What a frame of the block stream is for.
enum FrameKind: UInt8 {
    /// Client, first: protocol version and token.
    case hello = 1
    /// Server, first: the client is let in.
    case welcome = 2
    /// Server: it is not, and why; the connection ends.
    case refusal = 3
    /// Client: a fetch, under a stream number of the client's choice. The blocks it wants.
    case fetch = 4
    /// Client: nothing more of that fetch is wanted.
    case cancel = 5
    /// Server: a block begins. Its index in the fetch, its length, and its first bytes.
    case block = 6
    /// Server: more bytes of the block that has begun.
    case data = 7
    /// Server: there is no such block. Its index, a code, words.
    case failure = 8
    /// Either side: say something; and the answer.
    case ping = 9
    case pong = 10
    /// Client: something the server's provider is to know. Not answered.
    case notice = 11
    /// Client: bytes for the server's provider, which says what became of them in a block.
    case push = 12
}

/// The header in front of each frame's payload: 16 bytes, little-endian.
///
///     0  2  magic "MB"     4  4  stream number
///     2  1  kind           8  4  length of the payload
///     3  1  flags         12  4  CRC-32C of the payload, if flag 1 is set
struct FrameHeader: Hashable {
    static let size = 16
    private static let magic: UInt16 = 0x424D
    static let hasChecksum: UInt8 = 1
    /// The largest payload of a frame that carries no block: a fetch of very many blocks.
    static let maxControlPayload = ByteCount.mebibytes(16)

    var kind: FrameKind
    var stream: UInt32
    var length: Int
    var checksum: UInt32?

    func write(to out: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: Self.size, alignment: 4) { bytes in
            bytes.storeBytes(of: Self.magic.littleEndian, as: UInt16.self)
            bytes[2] = kind.rawValue
            bytes[3] = checksum == nil ? 0 : Self.hasChecksum
            bytes.storeBytes(of: stream.littleEndian, toByteOffset: 4, as: UInt32.self)
            bytes.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 8, as: UInt32.self)
            bytes.storeBytes(of: (checksum ?? 0).littleEndian, toByteOffset: 12, as: UInt32.self)
            out.append(contentsOf: bytes)
        }
    }

    /// `bytes` are 16. Throws what is wrong with them.
    init(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(NetError) {
        guard UInt16(littleEndian: bytes.loadUnaligned(as: UInt16.self)) == Self.magic else {
            throw .protocolViolation("not a block stream: its first bytes are something else")
        }
        guard let kind = FrameKind(rawValue: bytes[2]) else {
            throw .protocolViolation("a frame of unknown kind \(bytes[2])")
        }
        guard bytes[3] & ~Self.hasChecksum == 0 else {
            throw .protocolViolation("unknown frame flags \(bytes[3])")
        }
        self.kind = kind
        stream = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        guard length <= limit else {
            throw .protocolViolation("a frame of \(length) bytes is above the limit of \(limit)")
        }
        let sum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        checksum = bytes[3] & Self.hasChecksum != 0 ? sum : nil
    }

    init(_ kind: FrameKind, stream: UInt32, length: Int, checksum: UInt32? = nil) {
        self.kind = kind
        self.stream = stream
        self.length = length
        self.checksum = checksum
    }
}

/// A frame with its payload in memory.
struct Frame: Hashable {
    var kind: FrameKind
    var stream: UInt32
    var payload: [UInt8]

    /// Header and payload, with a checksum if wanted.
    func bytes(checksum: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(FrameHeader.size + payload.count)
        let sum = checksum ? CRC32C.checksum(payload) : nil
        FrameHeader(kind, stream: stream, length: payload.count, checksum: sum).write(to: &out)
        out.append(contentsOf: payload)
        return out
    }
}
