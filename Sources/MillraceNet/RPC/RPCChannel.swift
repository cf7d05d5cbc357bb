import MillraceBase

/// One connection to a gRPC server, made when it is first needed and again after it was lost.
/// Loop-owned, as are its calls.
///
/// A call waits for the connection being made; if that fails it ends with UNAVAILABLE. A call that
/// was open on a lost connection ends with UNAVAILABLE; nothing is retried here. Connecting:
/// `RPCChannel+Connecting.swift`.
public final class RPCChannel: HTTP2ConnectionOwner {
    /// Where the channel is in its life.
    public enum State: Hashable, Sendable {
        /// No connection, and none being made. The next call connects.
        case idle
        /// Resolving, connecting, shaking hands, or waiting before the next attempt.
        case connecting
        /// Calls leave at once.
        case ready
        /// `close` was called. Calls end with UNAVAILABLE.
        case closed
    }

    public let loop: EventLoop
    public let target: Endpoint
    /// Connected or not, for whoever decides by it. Called on each change.
    public var onStateChange: ((State) -> Void)?
    public internal(set) var state = State.idle {
        didSet { if state != oldValue { onStateChange?(state) } }
    }
    /// Why the last connection ended or could not be made.
    public internal(set) var lastError: NetError?

    let tls: TLSContext?
    let options: RPCChannelOptions
    /// The connection that new calls use, from the attempt to make it until it is lost or goes
    /// away.
    var current: HTTP2Connection?
    /// Connections that take no new calls but have open ones.
    var draining: [ObjectIdentifier: HTTP2Connection] = [:]
    /// Calls that wait for the connection.
    var waiting: [RPCClientCall] = []
    /// Addresses of this attempt that were not tried yet.
    var untried: [SocketAddress] = []
    var attempt = 0
    var failures = 0
    var notBefore = Instant.zero
    private(set) var openCalls = 0

    public init(
        loop: EventLoop, target: Endpoint, tls: TLSContext? = nil,
        options: RPCChannelOptions = .init()
    ) {
        loop.preconditionOnLoop()
        self.loop = loop
        self.target = target
        self.tls = tls
        self.options = options
    }

    deinit {
        guard loop.isOnLoop else { return }
        for connection in [current].compactMap({ $0 }) + draining.values { connection.close(nil) }
    }

    /// Connects without a call.
    public func connect() {
        loop.preconditionOnLoop()
        if state == .idle { startAttempt() }
    }

    /// Starts a call of any kind. Its callbacks are to be set before this step of the loop ends.
    /// The deadline covers everything, connecting included; nil: none.
    public func call(
        _ method: String, metadata: RPCMetadata = [:], deadline: Instant? = nil
    ) -> RPCClientCall {
        loop.preconditionOnLoop()
        openCalls += 1
        let call = RPCClientCall(
            loop: loop, method: method, metadata: metadata, deadline: deadline,
            options: options.connection
        ) { call in
            // Holds the channel: it lives as long as its calls.
            self.openCalls -= 1
            self.waiting.removeAll { $0 === call }
        }
        switch state {
        case .ready: begin(call)
        case .idle, .connecting:
            waiting.append(call)
            if state == .idle { startAttempt() }
        case .closed:
            loop.atTickEnd { call.end(RPCStatus(.unavailable, "the channel is closed"), [:]) }
        }
        return call
    }

    /// One request, one response.
    @discardableResult
    public func unary(
        _ method: String, _ request: [UInt8], metadata: RPCMetadata = [:], deadline: Instant?,
        _ completion: @escaping (Result<[UInt8], RPCStatus>) -> Void
    ) -> RPCClientCall {
        let call = call(method, metadata: metadata, deadline: deadline)
        var response: [UInt8]?
        call.onMessage = { [unowned call] message in
            if response == nil {
                response = message
            } else {
                call.fail(RPCStatus(.unimplemented, "more than one response to a unary call"))
            }
        }
        call.onEnd = { status, _ in
            if !status.isOK {
                completion(.failure(status))
            } else if let response {
                completion(.success(response))
            } else {
                completion(.failure(RPCStatus(.unimplemented, "no response to a unary call")))
            }
        }
        call.send(request)
        call.halfClose()
        return call
    }

    /// Ends open calls with UNAVAILABLE and the connection with them.
    public func close() {
        loop.preconditionOnLoop()
        guard state != .closed else { return }
        attempt += 1
        state = .closed
        let connections = [current].compactMap { $0 } + draining.values
        current = nil
        draining.removeAll()
        for connection in connections { connection.sayGoodbye("the channel is closed") }
        fail(RPCStatus(.unavailable, "the channel is closed"))
        onStateChange = nil
    }

    func begin(_ call: RPCClientCall) {
        // Ready: the connection has its session.
        guard let session = current?.session else {
            return call.end(RPCStatus(.unavailable, "the connection is lost"), [:])
        }
        call.begin(
            on: session, authority: target.description, scheme: tls == nil ? "http" : "https",
            common: options.metadata)
    }

    /// Ends the calls that wait.
    func fail(_ status: RPCStatus) {
        let calls = waiting
        waiting.removeAll()
        for call in calls { call.end(status, [:]) }
    }
}
