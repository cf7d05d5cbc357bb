import MillraceBase

/// Serves gRPC on one address. Loop-owned: made, used and closed on its loop; all callbacks come there.
///
/// Every server also serves grpc.health.v1.Health (`health`) and reflection of the services whose
/// descriptors were registered.
public final class RPCServer {
    public let loop: EventLoop
    /// Where it listens, with the port that the system chose if 0 was asked for.
    public let address: SocketAddress

    /// Listens at once. Throws `NetError` if the address is taken, or unsafe (see
    /// `RPCServerOptions.permitsUnauthenticated`).
    public init(
        loop: EventLoop, address: SocketAddress, tls: TLSContext? = nil, options: RPCServerOptions = .init()
    ) throws(NetError) {
        preconditionFailure("to be written")
    }

    /// Calls of this method (`/millrace.v1.Driver/Connect`) go to the handler, which sets the call's
    /// callbacks before it returns. Calls of any other method end with UNIMPLEMENTED.
    public func register(method: String, _ handler: @escaping (RPCServerCall) -> Void) {
        preconditionFailure("to be written")
    }

    /// A method of one request and one response: the handler must call `reply` once, now or later on the
    /// loop. (A call that was cancelled meanwhile takes the reply and drops it.)
    public func register(
        unary method: String,
        _ handler: @escaping (_ request: [UInt8], _ call: RPCServerCall, _ reply: @escaping (Result<[UInt8], RPCStatus>) -> Void) -> Void
    ) {
        preconditionFailure("to be written")
    }

    /// Calls that are open now.
    public var openCalls: Int { preconditionFailure("to be written") }

    /// Stops listening, tells the clients (GOAWAY), lets open calls end for at most `grace`, then closes.
    public func shutdown(grace: Duration, then: @escaping () -> Void = {}) {
        preconditionFailure("to be written")
    }

    /// Closes everything now; open calls see `onCancel`.
    public func close() { preconditionFailure("to be written") }
}

/// One call at the server. Valid on the loop, from its handler until `finish` or `onCancel`; after that
/// what is sent is dropped.
public final class RPCServerCall {
    public let method: String = ""
    public let metadata: RPCMetadata = [:]
    public let peer: RPCPeer
    /// When the client gives up; the call is then cancelled here too. nil: never.
    public let deadline: Instant?

    /// Each request message, in order.
    public var onMessage: (([UInt8]) -> Void)?
    /// The client has sent all its requests.
    public var onHalfClose: (() -> Void)?
    /// The call is over before `finish`: cancelled by the client, its deadline passed, or the connection is
    /// lost. Called at most once, never after `finish`.
    public var onCancel: ((RPCStatus) -> Void)?
    /// The queue of unsent bytes, having been above the high-water mark, has fallen to the low one.
    public var onWritable: (() -> Void)?

    init(peer: RPCPeer, deadline: Instant?) {
        self.peer = peer
        self.deadline = deadline
    }

    /// False when unsent bytes are above the high-water mark: better not send until `onWritable`.
    public var isWritable: Bool { preconditionFailure("to be written") }
    /// False after `finish` or `onCancel`.
    public var isOpen: Bool { preconditionFailure("to be written") }

    /// Sends headers before the first message; without this call they go out with it.
    public func sendInitialMetadata(_ metadata: RPCMetadata) { preconditionFailure("to be written") }

    /// Queues a response; it leaves at the end of the tick. Gives `isWritable`.
    @discardableResult
    public func send(_ message: [UInt8]) -> Bool { preconditionFailure("to be written") }

    /// Ends the call after what was sent.
    public func finish(_ status: RPCStatus = .ok, trailers: RPCMetadata = [:]) {
        preconditionFailure("to be written")
    }

    /// No more `onMessage` until `resumeReceiving`; the client can send one window ahead, then it waits.
    public func pauseReceiving() { preconditionFailure("to be written") }
    public func resumeReceiving() { preconditionFailure("to be written") }
}
