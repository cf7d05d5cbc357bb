import CNghttp2
import MillraceBase

/// One call at the client. Valid on the loop until `onEnd`; after that what is sent is dropped.
public final class RPCClientCall: RPCCall {
    public let method: String
    /// The server's headers, before the first message. Not called when the call ends without any.
    public var onInitialMetadata: ((RPCMetadata) -> Void)?
    /// The end, exactly once, whatever happens and in a later step than the call's start: the
    /// server's status, or CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE … from this side.
    public var onEnd: ((RPCStatus, RPCMetadata) -> Void)?

    let metadata: RPCMetadata
    let deadline: Instant?
    private var hasHeaders = false
    private var httpStatus = 0
    /// How the call ends, as soon as all messages are delivered.
    private var outcome: (status: RPCStatus, trailers: RPCMetadata)?
    private var ended: ((RPCClientCall) -> Void)?

    init(
        loop: EventLoop, method: String, metadata: RPCMetadata, deadline: Instant?,
        options: RPCConnectionOptions, ended: @escaping (RPCClientCall) -> Void
    ) {
        self.method = method
        self.metadata = metadata
        self.deadline = deadline
        self.ended = ended
        super.init(loop: loop, stream: HTTP2Stream(options), options: options)
        guard let deadline else { return }
        deadlineTimer = loop.schedule(at: deadline) { [weak self] in
            self?.fail(RPCStatus(.deadlineExceeded, "the call's deadline has passed"))
        }
    }

    /// No more requests.
    public func halfClose() {
        loop.preconditionOnLoop()
        if isOpen { stream.end() }
    }

    /// Gives the call up; `onEnd` follows, within this call, with CANCELLED.
    public func cancel() {
        loop.preconditionOnLoop()
        fail(RPCStatus(.cancelled, "cancelled by this side"))
    }

    // MARK: - For the channel

    /// The connection is there: the headers and what was sent so far leave.
    func begin(on session: HTTP2Session, authority: String, scheme: String, common: RPCMetadata) {
        guard isOpen else { return }
        var block = HTTP2HeaderBlock()
        block.append(":method", "POST")
        block.append(":scheme", scheme)
        block.append(":path", method)
        block.append(":authority", authority)
        block.append("te", "trailers")
        block.append("content-type", "application/grpc")
        block.append("user-agent", "millrace")
        if let deadline { block.append("grpc-timeout", RPCTimeout.format(deadline - loop.now)) }
        common.write(to: &block)
        metadata.write(to: &block)
        do throws(NetError) {
            try session.open(stream, block)
        } catch {
            end(RPCStatus(.unavailable, "\(error)"), [:])
        }
    }

    // MARK: - From the stream

    override func received(_ headers: HTTP2Headers) {
        guard isOpen, outcome == nil else { return }
        // 100 Continue and its like announce nothing.
        if headers.status >= 100, headers.status < 200 { return }
        if !hasHeaders {
            hasHeaders = true
            httpStatus = headers.status
            if headers["grpc-status"] == nil {
                onInitialMetadata?(RPCMetadata(headers.fields))
                return
            }
        }
        guard let code = headers["grpc-status"].flatMap({ Int($0) }) else { return }
        let message = headers.fields.first { $0.name == "grpc-message" }.map {
            PercentCoding.decode($0.value)
        }
        outcome = (RPCStatus(.init(rawValue: code), message ?? ""), RPCMetadata(headers.fields))
    }

    override func inputEnded() {
        if let outcome {
            end(outcome.status, outcome.trailers)
        } else {
            end(Self.status(http: httpStatus), [:])
        }
    }

    override func closed(_ end: HTTP2StreamEnd) {
        guard isOpen else { return }
        let status =
            switch end {
            case .complete: Self.status(http: httpStatus)
            case .reset(let code): Self.status(reset: code, deadline: deadline, now: loop.now)
            case .connectionLost(let why), .abandoned(let why): RPCStatus(.unavailable, why)
            }
        if case .abandoned = end { return self.end(status, [:]) }
        if outcome == nil { outcome = (status, [:]) }
        if let outcome, isInputDelivered {
            self.end(outcome.status, outcome.trailers)
        } else {
            streamReceivedEnd(stream)
        }
    }

    override func fail(_ status: RPCStatus) {
        guard isOpen else { return }
        stream.reset(NGHTTP2_CANCEL.rawValue)
        end(status, [:])
    }

    func end(_ status: RPCStatus, _ trailers: RPCMetadata) {
        guard isOpen else { return }
        isOpen = false
        cancelDeadline()
        dropInput()
        stream.delegate = nil
        let completion = onEnd
        onEnd = nil
        onMessage = nil
        onWritable = nil
        onInitialMetadata = nil
        ended.take()?(self)
        completion?(status, trailers)
    }
}

/// Endings that are not a gRPC status, as gRPC's documents translate them.
extension RPCClientCall {
    static func status(http: Int) -> RPCStatus {
        let code: RPCStatus.Code =
            switch http {
            case 400: .internal
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .unimplemented
            case 429, 502, 503, 504: .unavailable
            default: .unknown
            }
        return RPCStatus(code, "the answer has no gRPC status (HTTP status \(http))")
    }

    static func status(reset code: UInt32, deadline: Instant?, now: Instant) -> RPCStatus {
        let why = "the server has reset the stream (HTTP/2 error \(code))"
        switch nghttp2_error_code(rawValue: code) {
        case NGHTTP2_REFUSED_STREAM: return RPCStatus(.unavailable, why)
        case NGHTTP2_CANCEL:
            if let deadline, deadline <= now { return RPCStatus(.deadlineExceeded, why) }
            return RPCStatus(.cancelled, why)
        case NGHTTP2_ENHANCE_YOUR_CALM: return RPCStatus(.resourceExhausted, why)
        case NGHTTP2_INADEQUATE_SECURITY: return RPCStatus(.permissionDenied, why)
        default: return RPCStatus(.internal, why)
        }
    }
}
