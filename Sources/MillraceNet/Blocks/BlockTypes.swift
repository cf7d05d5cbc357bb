import MillraceBase

/// A block, or a part of one, asked of a peer. The key is the caller's own; this module only
/// carries it.
public struct BlockRequest: Hashable, Sendable {
    public var key: [UInt8]
    /// The part that is wanted, in bytes; nil length: up to the end.
    public var offset: UInt64
    public var length: UInt64?

    public init(key: [UInt8], offset: UInt64 = 0, length: UInt64? = nil) {
        self.key = key
        self.offset = offset
        self.length = length
    }
}

/// What a server has for a request.
public enum BlockContent: Sendable {
    /// In memory.
    case bytes([UInt8])
    /// A prefix, then a part of an array that is not copied. It carries a checksum of its own: none
    /// is made for its frames.
    case slice(prefix: [UInt8], ArraySlice<UInt8>)
    /// In a file: `length` bytes from `offset`, sent by `sendfile` in clear.
    case file(SharedFile, offset: UInt64, length: UInt64)
    /// It has not got it, and why.
    case failure(BlockError)
    /// Being made: calls back once, from any thread, with one of the others. Blocks behind it do
    /// not wait for it.
    case later(@Sendable (_ answer: @escaping @Sendable (BlockContent) -> Void) -> Void)
}

extension BlockContent {
    /// Its bytes; nil of one that is being made or is not there.
    public var length: UInt64? {
        switch self {
        case .bytes(let bytes): UInt64(bytes.count)
        case .slice(let prefix, let slice): UInt64(prefix.count + slice.count)
        case .file(_, _, let length): length
        case .failure, .later: nil
        }
    }

    /// What of it a request wants, for providers that make whole blocks. Beyond the end is nothing.
    public func part(_ request: BlockRequest) -> BlockContent {
        if request.offset == 0, request.length == nil { return self }
        switch self {
        case .bytes(let bytes):
            let start = min(Int(clamping: request.offset), bytes.count)
            let count = min(Int(clamping: request.length ?? .max), bytes.count - start)
            return .bytes(Array(bytes[start..<(start + count)]))
        case .slice(let prefix, let slice): return BlockContent.bytes(prefix + slice).part(request)
        case .file(let file, let offset, let length):
            let start = min(request.offset, length)
            let count = min(request.length ?? .max, length - start)
            return count == 0 ? .bytes([]) : .file(file, offset: offset + start, length: count)
        case .failure: return self
        case .later(let make):
            return .later { answer in make { content in answer(content.part(request)) } }
        }
    }
}

/// Why a block did not come.
public enum BlockError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer does not have that block.
    case notFound(String)
    /// The peer could not read it.
    case failed(String)
    /// It is larger than this side takes.
    case tooLarge(String)
    /// The peer refused the connection: wrong token, or it does not speak this protocol.
    case refused(String)
    /// Bytes arrived that are not what was sent.
    case corrupt(String)
    /// The peer cannot be reached, or the connection was lost.
    case unavailable(String)
    /// The deadline passed.
    case deadlineExceeded
    /// The fetch was given up by this side.
    case cancelled

    public var description: String {
        switch self {
        case .notFound(let what): "no such block: \(what)"
        case .failed(let why): "the block could not be read: \(why)"
        case .tooLarge(let why): "the block is too large: \(why)"
        case .refused(let why): "refused: \(why)"
        case .corrupt(let why): "corrupt: \(why)"
        case .unavailable(let why): "unavailable: \(why)"
        case .deadlineExceeded: "the deadline passed"
        case .cancelled: "cancelled"
        }
    }
}

/// Limits and secrets of the data plane. Both sides of an application use the same.
public struct BlockOptions: Sendable {
    /// What a client must say to be let in; nil: nobody is asked.
    public var token: String?
    /// Connections that a client opens to one peer.
    public var connectionsPerPeer = 1
    /// Connections that a server takes.
    public var maxConnections = 10_000
    /// Fetches that a client may have open on one connection, and blocks in one fetch.
    public var maxFetchesPerConnection = 1_024
    public var maxBlocksPerFetch = 65_536
    /// The largest block a client takes.
    public var maxBlockSize = ByteCount.gibibytes(2)
    /// Largest payload of one frame.
    public var maxFrameSize = ByteCount.mebibytes(1)
    /// Unsent bytes of a connection above which its server reads no further blocks.
    public var highWatermark = ByteCount.mebibytes(2)
    /// A checksum (CRC-32C) with each frame whose bytes are in memory.
    public var usesChecksums = true
    public var handshakeTimeout: Duration = .seconds(10)
    /// A peer that owes blocks and sent nothing for this long is sent a ping …
    public var keepAliveInterval: Duration = .seconds(10)
    /// … and counts as lost when it has not answered within this time.
    public var keepAliveTimeout: Duration = .seconds(20)
    /// A client's connection without a fetch is closed after this; a server allows twice as long.
    public var idleTimeout: Duration = .seconds(120)
    /// See `RPCServerOptions.permitsUnauthenticated`.
    public var permitsUnauthenticated = false

    public init() {}
}
