import MillraceBase

/// Where a server's blocks come from. Called on the loop, for one block at a time, when there is
/// room to send it: a memory table, or the opening of a file.
public protocol BlockProvider: AnyObject {
    /// The part that is asked for, not more; `.failure(.notFound)` when there is no such block or
    /// part.
    func content(of request: BlockRequest) -> BlockContent
    /// The same for a client that was let in under a name (`BlockServer.Admission`).
    func content(of request: BlockRequest, for principal: String?) -> BlockContent
    /// What a client told, whatever it is (`BlockClient.tell`).
    func receive(_ notice: [UInt8])
    /// Bytes that a client pushed (`BlockClient.push`); the answer is small.
    func take(_ pushed: [UInt8], from principal: String?) -> BlockContent
}

extension BlockProvider {
    public func content(of request: BlockRequest, for principal: String?) -> BlockContent {
        content(of: request)
    }
    /// Nobody tells a mere store of blocks anything.
    public func receive(_ notice: [UInt8]) {}
    /// Nor does it keep blocks of others.
    public func take(_ pushed: [UInt8], from principal: String?) -> BlockContent {
        .failure(.failed("nothing is to be pushed here"))
    }
}

/// Serves blocks on one address, over the framed block stream. Loop-owned.
public final class BlockServer {
    /// Lets a client in by what it says when it greets: who it is, or nil to refuse it. In place of
    /// `BlockOptions.token`, where several applications are served.
    public typealias Admission = (_ credential: String) -> String?

    public let loop: EventLoop
    public let address: SocketAddress

    let provider: any BlockProvider
    let options: BlockOptions
    let admission: Admission?
    private let tls: TLSContext?
    private var listener: Listener?
    private var connections: [ObjectIdentifier: BlockServerConnection] = [:]

    /// Listens at once. The provider is kept. Throws `NetError` if the address is taken, or unsafe
    /// (see `RPCServerOptions.permitsUnauthenticated`).
    public init(
        loop: EventLoop, address: SocketAddress, provider: any BlockProvider,
        tls: TLSContext? = nil,
        options: BlockOptions = .init(), admission: Admission? = nil
    ) throws(NetError) {
        loop.preconditionOnLoop()
        let isGuarded =
            options.token != nil || admission != nil || tls?.requiresClientCertificate == true
        guard isGuarded || address.isLoopback || options.permitsUnauthenticated else {
            throw .unsafe(
                "a block server on \(address) that asks nobody who he is: use TLS with client "
                    + "certificates, or a token"
            )
        }
        self.loop = loop
        self.provider = provider
        self.options = options
        self.admission = admission
        self.tls = tls
        let accepted = AcceptTarget()
        let listener = try Listener(loop: loop, address: address) { socket, peer in
            accepted.server?.accept(socket, peer)
        }
        self.listener = listener
        self.address = listener.address
        accepted.server = self
    }

    private final class AcceptTarget {
        /// Strong: a server lives until it is closed, or its loop ends.
        var server: BlockServer?
    }

    /// Connections that are open now.
    public var openConnections: Int { connections.count }

    /// Closes the listener and all connections.
    public func close() {
        loop.preconditionOnLoop()
        listener?.close()
        listener = nil
        for connection in connections.values { connection.close() }
    }

    private func accept(_ socket: consuming FileDescriptor, _ peer: SocketAddress) {
        guard connections.count < options.maxConnections else {
            Log.warn(
                "net", "block connection refused: too many",
                ["peer": peer, "limit": options.maxConnections])
            return
        }
        do throws(NetError) {
            let session: TLSSession? = if let tls { try TLSSession(tls, host: nil) } else { nil }
            let connection = BlockServerConnection(self, peer: peer)
            connections[ObjectIdentifier(connection)] = connection
            connection.start(socket, tls: session)
        } catch {
            Log.warn("net", "block connection refused", ["peer": peer, "error": error])
        }
    }

    func ended(_ connection: BlockServerConnection, _ error: NetError?) {
        connections[ObjectIdentifier(connection)] = nil
        if let error, error != .stopped {
            Log.warn("net", "block connection ended", ["peer": connection.peer, "error": error])
        }
    }
}
