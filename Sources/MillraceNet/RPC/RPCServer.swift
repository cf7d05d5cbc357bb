import CNghttp2
import MillraceBase

/// Serves gRPC on one address. Loop-owned: made, used and closed on its loop; all callbacks come
/// there.
///
/// Every server also serves grpc.health.v1.Health (`health`) and reflection of the services whose
/// descriptors were registered. Requests: `RPCServer+Dispatch.swift`.
public final class RPCServer: HTTP2ConnectionOwner {
    public typealias Handler = (RPCServerCall) -> Void

    public let loop: EventLoop
    /// Where it listens, with the port that the system chose if 0 was asked for.
    public let address: SocketAddress
    /// Calls that are open now.
    public internal(set) var openCalls = 0
    /// What health probes are told.
    public let health = HealthService()

    let options: RPCServerOptions
    private let tls: TLSContext?
    private var listener: Listener?
    var handlers: [String: Handler] = [:]
    /// Services that have a method: an unknown method of one of them is told apart from an unknown
    /// service.
    var services: Set<String> = []
    private var connections: [ObjectIdentifier: HTTP2Connection] = [:]
    private var shutdownDone: (() -> Void)?
    private var shutdownTimer: TimerToken?
    private var reflection: ReflectionService?

    /// Listens at once. Throws `NetError` if the address is taken, or unsafe (see
    /// `RPCServerOptions.permitsUnauthenticated`).
    public init(
        loop: EventLoop, address: SocketAddress, tls: TLSContext? = nil,
        options: RPCServerOptions = .init()
    ) throws(NetError) {
        loop.preconditionOnLoop()
        let isGuarded = options.authorizer != nil || tls?.requiresClientCertificate == true
        guard isGuarded || address.isLoopback || options.permitsUnauthenticated else {
            throw .unsafe(
                "a listener on \(address) that asks nobody who he is: use TLS with client "
                    + "certificates, or a token"
            )
        }
        self.loop = loop
        self.tls = tls
        self.options = options
        // The listener needs the server and the server its address: accepted connections come
        // later.
        let accepted = AcceptTarget()
        let listener = try Listener(loop: loop, address: address) { socket, peer in
            accepted.server?.accept(socket, peer)
        }
        self.listener = listener
        self.address = listener.address
        accepted.server = self
        health.register(on: self)
        let reflection = ReflectionService(self)
        self.reflection = reflection
        reflection.register()
    }

    private final class AcceptTarget {
        /// Strong: a server lives until it is closed, or its loop ends.
        var server: RPCServer?
    }

    // MARK: - Methods

    /// Calls of this method (`/millrace.v1.Driver/Connect`) go to the handler, which sets the
    /// call's callbacks before it returns. Calls of any other method end with UNIMPLEMENTED.
    public func register(method: String, _ handler: @escaping Handler) {
        loop.preconditionOnLoop()
        let parts = method.split(separator: "/", omittingEmptySubsequences: false)
        precondition(
            parts.count == 3 && parts[0].isEmpty, "\(method) is not /package.Service/Method")
        services.insert(String(parts[1]))
        handlers[method] = handler
    }

    /// A method of one request and one response: the handler must call `reply` once, now or later
    /// on the loop. (A call that was cancelled meanwhile takes the reply and drops it.)
    public func register(
        unary method: String,
        _ handler:
            @escaping (
                _ request: [UInt8], _ call: RPCServerCall,
                _ reply: @escaping (Result<[UInt8], RPCStatus>) -> Void
            ) -> Void
    ) {
        register(method: method) { call in
            var request: [UInt8]?
            call.onMessage = { [unowned call] message in
                if request == nil { request = message } else { call.finish(Self.moreThanOne) }
            }
            call.onHalfClose = { [unowned call] in
                guard let request else { return call.finish(Self.none) }
                handler(request, call) { result in
                    switch result {
                    case .success(let response):
                        call.send(response)
                        call.finish()
                    case .failure(let status): call.finish(status)
                    }
                }
            }
        }
    }

    /// Lets clients look up what the services of a proto package are. `package` is one of this
    /// program's `proto/` (`millrace.v1`); an unknown one is a bug.
    public func registerDescriptors(package: String) {
        guard let set = DescriptorIndex.embedded(package) else {
            preconditionFailure("no descriptors of \(package): see deploy/regenerate-proto.sh")
        }
        do { try registerDescriptors(set: set) } catch {
            preconditionFailure("\(package): \(error)")
        }
    }

    /// The same for a serialized FileDescriptorSet (`protoc --include_imports
    /// --descriptor_set_out`).
    public func registerDescriptors(set: [UInt8]) throws(ByteError) {
        loop.preconditionOnLoop()
        try reflection?.index.add(set)
    }

    private static let moreThanOne = RPCStatus(
        .unimplemented, "more than one request to a unary method")
    private static let none = RPCStatus(.unimplemented, "no request to a unary method")

    // MARK: - The end

    /// Stops listening, tells the clients (GOAWAY), lets open calls end for at most `grace`, then
    /// closes.
    public func shutdown(grace: Duration, then: @escaping () -> Void = {}) {
        loop.preconditionOnLoop()
        stopListening()
        health.shutDown()
        shutdownDone = then
        for connection in connections.values { connection.shutDown() }
        shutdownTimer = loop.schedule(after: grace) { [self] in close() }
        finishIfIdle()
    }

    /// Closes everything now; open calls see `onCancel`.
    public func close() {
        loop.preconditionOnLoop()
        stopListening()
        for connection in connections.values { connection.close(nil) }
        finishIfIdle()
    }

    private func stopListening() {
        listener?.close()
        listener = nil
    }

    private func finishIfIdle() {
        guard connections.isEmpty, listener == nil else { return }
        if let timer = shutdownTimer.take() { loop.cancel(timer) }
        handlers.removeAll()
        shutdownDone.take()?()
    }

    // MARK: - Connections

    private func accept(_ socket: consuming FileDescriptor, _ peer: SocketAddress) {
        guard connections.count < options.maxConnections else {
            Log.warn(
                "net", "connection refused: too many",
                ["peer": peer, "limit": options.maxConnections])
            return
        }
        do throws(NetError) {
            let session: TLSSession? = if let tls { try TLSSession(tls, host: nil) } else { nil }
            let connection = HTTP2Connection.accept(
                socket, peer: peer, loop: loop, tls: session, options: options.connection,
                maxConcurrentStreams: options.maxConcurrentStreams, owner: self)
            connections[ObjectIdentifier(connection)] = connection
        } catch {
            Log.warn("net", "connection refused", ["peer": peer, "error": error])
        }
    }

    func connectionReady(_ connection: HTTP2Connection) {}
    func connectionGoesAway(_ connection: HTTP2Connection) {}

    func connectionEnded(_ connection: HTTP2Connection, _ error: NetError?) {
        connections[ObjectIdentifier(connection)] = nil
        // The end of our own loop is no event of the network.
        if let error, error != .stopped {
            Log.warn("net", "connection ended", ["peer": connection.peer, "error": error])
        }
        finishIfIdle()
    }
}
