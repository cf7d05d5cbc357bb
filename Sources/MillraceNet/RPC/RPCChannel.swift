import MillraceBase

/// One connection to a gRPC server, made when it is first needed and again after it was lost.
/// Loop-owned, as are its calls.
///
/// A call waits for the connection being made; if that fails it ends with UNAVAILABLE. A call that was
/// open on a lost connection ends with UNAVAILABLE; nothing is retried here.
public final class RPCChannel {
    public let loop: EventLoop
    public let target: Endpoint

    /// Connected or not, for whoever decides by it. Called on each change.
    public var onStateChange: ((State) -> Void)?

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

    public init(loop: EventLoop, target: Endpoint, tls: TLSContext? = nil, options: RPCChannelOptions = .init()) {
        preconditionFailure("to be written")
    }

    public var state: State { preconditionFailure("to be written") }

    /// Connects without a call.
    public func connect() { preconditionFailure("to be written") }

    /// Starts a call of any kind. Its callbacks are to be set before this step of the loop ends. The
    /// deadline covers everything, connecting included; nil: none.
    public func call(
        _ method: String, metadata: RPCMetadata = [:], deadline: Instant? = nil
    ) -> RPCClientCall {
        preconditionFailure("to be written")
    }

    /// One request, one response.
    @discardableResult
    public func unary(
        _ method: String, _ request: [UInt8], metadata: RPCMetadata = [:], deadline: Instant?,
        _ completion: @escaping (Result<[UInt8], RPCStatus>) -> Void
    ) -> RPCClientCall {
        preconditionFailure("to be written")
    }

    /// Ends open calls with UNAVAILABLE and the connection with them.
    public func close() { preconditionFailure("to be written") }
}

/// One call at the client. Valid on the loop until `onEnd`; after that what is sent is dropped.
public final class RPCClientCall {
    /// The server's headers, before the first message.
    public var onInitialMetadata: ((RPCMetadata) -> Void)?
    /// Each response message, in order.
    public var onMessage: (([UInt8]) -> Void)?
    /// Room for more requests (see `RPCServerCall.onWritable`).
    public var onWritable: (() -> Void)?
    /// The end, exactly once, whatever happens: the server's status, or CANCELLED, DEADLINE_EXCEEDED,
    /// UNAVAILABLE … from this side.
    public var onEnd: ((RPCStatus, RPCMetadata) -> Void)?

    init() {}

    public var isWritable: Bool { preconditionFailure("to be written") }
    public var isOpen: Bool { preconditionFailure("to be written") }

    /// Queues a request; it leaves at the end of the tick. Gives `isWritable`.
    @discardableResult
    public func send(_ message: [UInt8]) -> Bool { preconditionFailure("to be written") }

    /// No more requests.
    public func halfClose() { preconditionFailure("to be written") }

    /// Gives the call up; `onEnd` follows with CANCELLED.
    public func cancel() { preconditionFailure("to be written") }

    public func pauseReceiving() { preconditionFailure("to be written") }
    public func resumeReceiving() { preconditionFailure("to be written") }
}
