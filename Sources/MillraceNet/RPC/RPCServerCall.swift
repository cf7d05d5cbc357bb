import CNghttp2
import MillraceBase

/// One call at the server. Valid on the loop, from its handler until `finish` or `onCancel`; after
/// that what is sent is dropped.
public final class RPCServerCall: RPCCall {
    /// The full path: `/package.Service/Method`.
    public let method: String
    public let metadata: RPCMetadata
    public let peer: RPCPeer
    /// When the client gives up; the call is then cancelled here too. nil: never.
    public let deadline: Instant?

    /// The client has sent all its requests.
    public var onHalfClose: (() -> Void)?
    /// The call is over before `finish`: cancelled by the client, its deadline passed, a request
    /// was not acceptable, or the connection is lost. At most once, never after `finish`.
    public var onCancel: ((RPCStatus) -> Void)?

    private var ended: ((RPCServerCall) -> Void)?
    private var initialMetadata: RPCMetadata = [:]

    init(
        loop: EventLoop, stream: HTTP2Stream, options: RPCConnectionOptions, headers: HTTP2Headers,
        peer: RPCPeer, timeout: Duration?, ended: @escaping (RPCServerCall) -> Void
    ) {
        method = headers.path
        metadata = RPCMetadata(headers.fields)
        self.peer = peer
        self.ended = ended
        deadline = timeout.map { loop.now + $0 }
        super.init(loop: loop, stream: stream, options: options)
        guard let deadline else { return }
        deadlineTimer = loop.schedule(at: deadline) { [weak self] in
            self?.fail(RPCStatus(.deadlineExceeded, "the call's deadline has passed"))
        }
    }

    /// Sends headers before the first message; without this call they go out with it. Once.
    public func sendInitialMetadata(_ metadata: RPCMetadata = [:]) {
        loop.preconditionOnLoop()
        guard isOpen, !stream.isStarted else { return }
        stream.start(responseHeaders(metadata))
    }

    /// Ends the call after what was sent.
    public func finish(_ status: RPCStatus = .ok, trailers: RPCMetadata = [:]) {
        loop.preconditionOnLoop()
        guard isOpen else { return }
        if stream.isStarted {
            var block = HTTP2HeaderBlock()
            Self.write(status, trailers, to: &block)
            stream.end(trailers: block)
        } else {
            var block = responseHeaders([:])
            Self.write(status, trailers, to: &block)
            stream.start(block, endStream: true)
        }
        end()
    }

    override func willSend() {
        if !stream.isStarted { stream.start(responseHeaders([:])) }
    }

    override func inputEnded() { onHalfClose?() }

    /// What was queued may be cut anywhere, so a status can follow only when nothing is.
    override func fail(_ status: RPCStatus) {
        guard isOpen else { return }
        let cancelled = onCancel
        if stream.outbound.isEmpty {
            finish(status)
        } else {
            stream.reset(NGHTTP2_CANCEL.rawValue)
            end()
        }
        cancelled?(status)
    }

    override func closed(_ end: HTTP2StreamEnd) {
        guard isOpen else { return }
        let cancelled = onCancel
        self.end()
        switch end {
        case .complete:
            cancelled?(RPCStatus(.internal, "the stream was closed before the call was finished"))
        case .reset: cancelled?(RPCStatus(.cancelled, "cancelled by the client"))
        case .connectionLost(let why), .abandoned(let why): cancelled?(RPCStatus(.unavailable, why))
        }
    }

    private func end() {
        isOpen = false
        cancelDeadline()
        dropInput()
        stream.delegate = nil
        onMessage = nil
        onHalfClose = nil
        onCancel = nil
        onWritable = nil
        ended.take()?(self)
    }

    private func responseHeaders(_ metadata: RPCMetadata) -> HTTP2HeaderBlock {
        var block = HTTP2HeaderBlock()
        block.append(":status", "200")
        block.append("content-type", "application/grpc")
        metadata.write(to: &block)
        return block
    }

    static func write(
        _ status: RPCStatus, _ trailers: RPCMetadata, to block: inout HTTP2HeaderBlock
    ) {
        block.append("grpc-status", String(status.code.rawValue))
        if !status.message.isEmpty {
            block.append("grpc-message", PercentCoding.encode(status.message))
        }
        trailers.write(to: &block)
    }
}
