import MillraceBase

/// What both ends of a call have in common: messages in, messages out, backpressure. Loop-owned.
///
/// Subclasses say what the end means: `RPCServerCall`, `RPCClientCall`.
public class RPCCall: HTTP2StreamDelegate {
    public let loop: EventLoop
    /// Each message of the peer, in order.
    public var onMessage: (([UInt8]) -> Void)?
    /// Unsent bytes, having been above the high-water mark, have fallen to the low one.
    public var onWritable: (() -> Void)?
    /// False once the call is over for this side: what is sent then is dropped.
    public internal(set) var isOpen = true

    let stream: HTTP2Stream
    let options: RPCConnectionOptions
    private var deframer: RPCDeframer
    /// Messages that have arrived and were not yet delivered (`next` onwards).
    private var arrived: [[UInt8]] = []
    private var next = 0
    private var isPaused = false
    private var isDelivering = false
    /// The peer has sent everything; reported after the last message.
    private var isInputEnded = false
    private var hasReportedEnd = false
    var deadlineTimer: TimerToken?

    init(loop: EventLoop, stream: HTTP2Stream, options: RPCConnectionOptions) {
        self.loop = loop
        self.stream = stream
        self.options = options
        deframer = RPCDeframer(limit: options.maxReceiveMessageSize)
        stream.delegate = self
    }

    // MARK: - Sending

    /// False when unsent bytes are above the high-water mark: better not send until `onWritable`.
    public var isWritable: Bool { isOpen && stream.isWritable }

    /// Bytes that were sent and have not yet left.
    public var queuedBytes: Int { stream.outbound.count }

    /// Queues a message; it leaves at the end of the tick. Gives `isWritable`.
    @discardableResult
    public func send(_ message: [UInt8]) -> Bool {
        loop.preconditionOnLoop()
        guard isOpen else { return false }
        willSend()
        guard stream.outbound.count + message.count <= options.maxQueuedBytes.bytes else {
            fail(
                RPCStatus(
                    .resourceExhausted,
                    "more than \(options.maxQueuedBytes) bytes are waiting to be sent"))
            return false
        }
        stream.send(message: message)
        return stream.isWritable
    }

    // MARK: - Receiving

    /// No more `onMessage` until `resumeReceiving`; the peer can send one window ahead, then it
    /// waits.
    public func pauseReceiving() {
        loop.preconditionOnLoop()
        isPaused = true
        stream.pause(true)
    }

    /// Delivers what has arrived meanwhile, within this call.
    public func resumeReceiving() {
        loop.preconditionOnLoop()
        guard isPaused else { return }
        isPaused = false
        stream.pause(false)
        deliver()
    }

    func deliver() {
        guard !isDelivering else { return }
        isDelivering = true
        while isOpen, !isPaused, next < arrived.count {
            let message = arrived[next]
            arrived[next] = []
            next += 1
            onMessage?(message)
        }
        isDelivering = false
        guard next == arrived.count else { return }
        arrived.removeAll(keepingCapacity: true)
        next = 0
        guard isInputEnded, !isPaused, !hasReportedEnd else { return }
        hasReportedEnd = true
        inputEnded()
    }

    /// No message is undelivered.
    var isInputDelivered: Bool { next == arrived.count }

    func dropInput() {
        arrived.removeAll()
        next = 0
        hasReportedEnd = true
    }

    func cancelDeadline() {
        if let timer = deadlineTimer.take() { loop.cancel(timer) }
    }

    // MARK: - For subclasses

    /// Before the first message.
    func willSend() {}
    /// After the last message.
    func inputEnded() {}
    /// This side gives the call up.
    func fail(_ status: RPCStatus) { preconditionFailure("a subclass's") }
    func received(_ headers: HTTP2Headers) {}
    func closed(_ end: HTTP2StreamEnd) {}

    // MARK: - Stream

    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers) { received(headers) }

    func stream(_ stream: HTTP2Stream, received data: UnsafeRawBufferPointer) {
        guard isOpen else { return }
        do throws(RPCStatus) {
            try deframer.receive(data, into: &arrived)
        } catch {
            return fail(error)
        }
        deliver()
    }

    func streamReceivedEnd(_ stream: HTTP2Stream) {
        guard isOpen else { return }
        guard deframer.isAtBoundary else {
            return fail(RPCStatus(.internal, "the stream ended within a message"))
        }
        isInputEnded = true
        deliver()
    }

    func streamHasRoom(_ stream: HTTP2Stream) {
        if isOpen { onWritable?() }
    }

    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) { closed(end) }
}
