import CNghttp2
import MillraceBase

/// Why a stream is over.
enum HTTP2StreamEnd: Hashable {
    /// Both sides have ended it in order.
    case complete
    /// RST_STREAM, by either side, with its error code.
    case reset(UInt32)
    /// Its connection is gone.
    case connectionLost(String)
    /// This side has closed the connection: nothing more is wanted, not even what has arrived.
    case abandoned(String)
}

/// What a stream tells the call above it. On the loop, within a read of the connection (or its
/// end).
protocol HTTP2StreamDelegate: AnyObject {
    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers)
    func stream(_ stream: HTTP2Stream, received data: UnsafeRawBufferPointer)
    /// The peer has sent everything.
    func streamReceivedEnd(_ stream: HTTP2Stream)
    /// Unsent bytes have fallen to the low-water mark after having been above the high one.
    func streamHasRoom(_ stream: HTTP2Stream)
    /// Once; nothing follows.
    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd)
}

/// One HTTP/2 stream: its unsent bytes, its receive credit, its end. Loop-owned.
///
/// A client's stream exists before it has a session: what is sent until then waits in `outbound`.
final class HTTP2Stream {
    private(set) var id: Int32 = 0
    private(set) weak var session: HTTP2Session?
    var delegate: (any HTTP2StreamDelegate)?

    /// Headers that are being received.
    var incoming = HTTP2Headers()
    private(set) var outbound = OutboundQueue()
    private var trailers: HTTP2HeaderBlock?
    private var isOutboundEnded = false
    /// nghttp2 waits until `resume`.
    private var isDeferred = false
    private var wasAboveHighWatermark = false
    /// The headers that start our side have been given to nghttp2.
    private(set) var isStarted = false
    var isRemoteEnded = false
    private(set) var isClosed = false

    private let highWatermark: Int
    private let lowWatermark: Int
    /// Bytes received for which the peer has not got its credit back.
    private var unconsumed = 0
    private var isPaused = false

    init(_ options: RPCConnectionOptions) {
        highWatermark = options.highWatermark.bytes
        lowWatermark = options.lowWatermark.bytes
    }

    func attach(_ id: Int32, to session: HTTP2Session) {
        self.id = id
        self.session = session
    }

    // MARK: - Sending

    var isWritable: Bool { !isClosed && outbound.count < highWatermark }

    /// Queues one gRPC message: its five bytes of prefix, then its bytes.
    func send(message: [UInt8]) {
        guard !isClosed, !isOutboundEnded else { return }
        withUnsafeTemporaryAllocation(byteCount: 5, alignment: 4) { prefix in
            prefix[0] = 0
            prefix.storeBytes(of: UInt32(message.count).bigEndian, toByteOffset: 1, as: UInt32.self)
            outbound.append(UnsafeRawBufferPointer(prefix))
        }
        outbound.append(message)
        resume()
    }

    func send(raw bytes: [UInt8]) {
        guard !isClosed, !isOutboundEnded else { return }
        outbound.append(bytes)
        resume()
    }

    /// Nothing more follows but these trailers.
    func end(trailers: HTTP2HeaderBlock? = nil) {
        guard !isClosed, !isOutboundEnded else { return }
        isOutboundEnded = true
        self.trailers = trailers
        resume()
    }

    /// Sends the headers that start our side: of the response, or (client) of the request.
    func start(_ headers: HTTP2HeaderBlock, endStream: Bool = false) {
        guard !isClosed, !isStarted else { return }
        isStarted = true
        if endStream { isOutboundEnded = true }
        session?.submit(headers, for: self, hasBody: !endStream)
    }

    func reset(_ code: UInt32) {
        guard !isClosed, let session else { return }
        session.reset(self, code)
    }

    private func resume() {
        if outbound.count >= highWatermark { wasAboveHighWatermark = true }
        guard let session else { return }
        if isDeferred {
            isDeferred = false
            session.resume(self)
        }
        session.needsOutput()
    }

    /// nghttp2 takes bytes for a DATA frame.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, _ flags: inout UInt32) -> Int {
        if outbound.isEmpty, !isOutboundEnded {
            isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        let count = outbound.read(into: buffer)
        if outbound.isEmpty, isOutboundEnded {
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let trailers = trailers.take() {
                flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                session?.submit(trailers: trailers, for: self)
            }
        }
        if wasAboveHighWatermark, outbound.count <= lowWatermark {
            wasAboveHighWatermark = false
            session?.hasRoom(self)
        }
        return count
    }

    // MARK: - Receiving

    /// Bytes have arrived. Paused, they are kept from the peer's credit.
    func received(_ data: UnsafeRawBufferPointer) {
        if isPaused { unconsumed += data.count } else { session?.consume(data.count, of: self) }
        delegate?.stream(self, received: data)
    }

    /// While paused the peer gets no further credit on this stream.
    func pause(_ isPaused: Bool) {
        self.isPaused = isPaused
        guard !isPaused, unconsumed > 0 else { return }
        session?.consume(unconsumed, of: self)
        unconsumed = 0
        session?.needsOutput()
    }

    func close(_ end: HTTP2StreamEnd) {
        guard !isClosed else { return }
        isClosed = true
        outbound.removeAll()
        if let delegate = delegate.take() { delegate.stream(self, closed: end) }
    }
}
