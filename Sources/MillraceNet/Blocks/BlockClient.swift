import MillraceBase

/// Fetches blocks from peers, over a small pool of connections to each. Loop-owned.
///
/// How much is asked for at a time is the caller's decision (Spark's in-flight governor sits
/// above); here each peer has at most `connectionsPerPeer` connections, which are made when needed,
/// shared by fetches, and closed when idle.
public final class BlockClient {
    public let loop: EventLoop
    let tls: TLSContext?
    let options: BlockOptions
    private var pools: [Endpoint: [BlockClientConnection]] = [:]
    private var lastStream: UInt32 = 0
    private var isClosed = false

    public init(loop: EventLoop, tls: TLSContext? = nil, options: BlockOptions = .init()) {
        loop.preconditionOnLoop()
        precondition(options.connectionsPerPeer > 0, "a peer needs a connection")
        self.loop = loop
        self.tls = tls
        self.options = options
    }

    /// Asks one peer for blocks. `onBlock` is called on the loop exactly once per request, with its
    /// index, in a later step than this call: as blocks arrive (in order), or with the error.
    /// `deadline` covers all of it. At most `maxBlocksPerFetch` requests. With a `sink`, the bytes
    /// of the blocks go there.
    @discardableResult
    public func fetch(
        _ peer: Endpoint, _ requests: [BlockRequest], deadline: Instant,
        sink: (any BlockSink)? = nil,
        onBlock: @escaping (_ index: Int, _ result: Result<[UInt8], BlockError>) -> Void
    ) -> BlockFetch {
        loop.preconditionOnLoop()
        precondition(
            requests.count <= options.maxBlocksPerFetch, "more blocks than one fetch may ask for")
        lastStream &+= 1
        let fetch = BlockFetch(
            loop: loop, peer: peer, stream: lastStream, requests: requests, deadline: deadline,
            sink: sink, onBlock: onBlock)
        guard !requests.isEmpty else { return fetch }
        // 20 bytes: what a request's numbers take at most.
        let size = requests.reduce(16) { $0 + $1.key.count + 20 }
        guard !isClosed, size <= FrameHeader.maxControlPayload.bytes else {
            let error =
                isClosed ? BlockError.cancelled : .tooLarge("a fetch of \(size) bytes of names")
            loop.atTickEnd { fetch.fail(error) }
            return fetch
        }
        connection(to: peer).send(fetch)
        return fetch
    }

    /// Gives a peer bytes, at most `maxNotice` of them. `onAnswer` is called on the loop exactly
    /// once, in a later step than this call, with what the peer's provider says to them.
    @discardableResult
    public func push(
        _ peer: Endpoint, _ bytes: [UInt8], deadline: Instant,
        onAnswer: @escaping (Result<[UInt8], BlockError>) -> Void
    ) -> BlockFetch {
        loop.preconditionOnLoop()
        precondition(bytes.count <= BlockClient.maxNotice.bytes, "a push of \(bytes.count) bytes")
        lastStream &+= 1
        let fetch = BlockFetch(
            loop: loop, peer: peer, stream: lastStream, requests: [BlockRequest(key: [])],
            pushed: bytes, deadline: deadline
        ) { _, result in onAnswer(result) }
        if isClosed {
            loop.atTickEnd { fetch.fail(.cancelled) }
        } else {
            connection(to: peer).send(fetch)
        }
        return fetch
    }

    /// Tells a peer something, once, without an answer: what is lost with the connection is lost.
    /// At most `BlockClient.maxNotice` bytes.
    public func tell(_ peer: Endpoint, _ notice: [UInt8]) {
        loop.preconditionOnLoop()
        precondition(notice.count <= BlockClient.maxNotice.bytes, "a notice is no block")
        if !isClosed { connection(to: peer).send(notice: notice) }
    }

    public static var maxNotice: ByteCount { FrameHeader.maxControlPayload }

    /// Connections that are open or being made.
    public var openConnections: Int { pools.values.reduce(0) { $0 + $1.count } }

    /// Ends open fetches with `.cancelled` and closes all connections.
    public func close() {
        loop.preconditionOnLoop()
        isClosed = true
        for connection in pools.values.flatMap({ $0 }) { connection.end(.cancelled) }
    }

    /// The connection with the fewest fetches, or a new one while all are busy and there may be
    /// more.
    private func connection(to peer: Endpoint) -> BlockClientConnection {
        let pool = pools[peer] ?? []
        let best = pool.min { $0.fetches.count < $1.fetches.count }
        if let best, best.fetches.isEmpty || pool.count >= options.connectionsPerPeer {
            return best
        }
        let made = BlockClientConnection(self, peer: peer)
        pools[peer, default: []].append(made)
        made.start()
        return made
    }

    func ended(_ connection: BlockClientConnection) {
        pools[connection.peer]?.removeAll { $0 === connection }
        if pools[connection.peer]?.isEmpty == true { pools[connection.peer] = nil }
    }
}
