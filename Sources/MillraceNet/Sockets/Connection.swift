import CLinux
import Glibc
import MillraceBase

/// What a connection tells its protocol. All calls come on the loop.
protocol ConnectionDelegate: AnyObject {
    /// Connected, and the TLS handshake done if there is one.
    func connectionOpened(_ connection: Connection)
    func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer)
    /// There is room: the protocol may `write`. Called before each write to the socket.
    func connectionFillsOutput(_ connection: Connection)
    /// Exactly once, at the end. nil: closed in order by the peer or by this side.
    func connectionClosed(_ connection: Connection, _ error: NetError?)
}

/// One TCP connection, in clear or in TLS, with its queue of unsent bytes. Loop-owned.
///
/// Writes are gathered and go out at the end of the tick. The delegate is kept until the connection
/// is closed. `Connection+Reading.swift`, `Connection+Writing.swift`.
final class Connection: ReadinessHandler, TickFlushing {
    enum State {
        /// The system connects. Then `handshaking` or `open`.
        case connecting
        /// TLS is being negotiated. Then `open`.
        case handshaking
        /// Bytes flow.
        case open
        /// The last bytes are being sent; what the peer still says is ignored. Then `closed`.
        case draining
        case closed
    }

    /// How long a peer may take to read the last bytes.
    private static let drainTimeout = Duration.seconds(2)

    let loop: EventLoop
    let peer: SocketAddress
    var state: State
    private var socket: FileDescriptor?
    /// The descriptor's number, valid until `closed`.
    let number: Int32
    var registration: Registration?
    var delegate: (any ConnectionDelegate)?
    var outbound = OutboundQueue()
    /// Encrypted bytes on their way out; unused in clear.
    var ciphertext = OutboundQueue()
    var tls: TLSSession?
    /// Unsent bytes above which the protocol is not asked for more.
    let highWatermark: Int
    var isDirty = false
    var isBlocked = false
    var isReadingPaused = false
    var hasShutDownWriting = false
    private var timer: TimerToken?
    /// When bytes were last received, or the connection was made.
    var lastReceived: Instant

    /// A connection that was accepted. It opens (in clear: in this call) within `handshakeTimeout`.
    init(
        accepted socket: consuming FileDescriptor, peer: SocketAddress, loop: EventLoop,
        tls: TLSSession?,
        delegate: any ConnectionDelegate, highWatermark: Int, handshakeTimeout: Duration
    ) {
        self.loop = loop
        self.peer = peer
        self.tls = tls
        self.delegate = delegate
        self.highWatermark = highWatermark
        lastReceived = loop.now
        state = tls == nil ? .open : .handshaking
        number = socket.raw
        self.socket = consume socket
        attach(number, events: Poller.readable)
        guard state != .closed else { return }
        if tls == nil { delegate.connectionOpened(self) } else { limitHandshake(handshakeTimeout) }
    }

    /// A connection to be made; it opens, or closes with an error, within `timeout`.
    init(
        connecting peer: SocketAddress, loop: EventLoop, tls: TLSSession?,
        delegate: any ConnectionDelegate,
        highWatermark: Int, timeout: Duration
    ) throws(NetError) {
        self.loop = loop
        self.peer = peer
        self.tls = tls
        self.delegate = delegate
        self.highWatermark = highWatermark
        lastReceived = loop.now
        state = .connecting
        let socket = try Socket.connect(peer)
        number = socket.raw
        self.socket = consume socket
        attach(number, events: Poller.writable)
        limitHandshake(timeout)
    }

    // MARK: - For the protocol

    /// Queues bytes; they leave at the end of the tick.
    func write(_ bytes: UnsafeRawBufferPointer) {
        outbound.append(bytes)
        flushLater()
    }

    func write(_ bytes: [UInt8]) {
        outbound.append(bytes)
        flushLater()
    }

    func write(_ slice: ArraySlice<UInt8>) {
        outbound.append(slice)
        flushLater()
    }

    func write(_ file: SharedFile, offset: UInt64, count: Int) {
        outbound.append(file, offset: offset, count: count)
        flushLater()
    }

    /// Room for the protocol to write without going above the high-water mark.
    var hasRoom: Bool { outbound.count + ciphertext.count < highWatermark }

    /// Asks that the protocol be called for output at the end of the tick.
    func flushLater() {
        guard !isDirty, !isBlocked, state == .open || state == .draining else { return }
        isDirty = true
        loop.flushAtTickEnd(self)
    }

    /// The peer's bytes stay in the system's buffers until reading is resumed.
    func pauseReading(_ isPaused: Bool) {
        guard isReadingPaused != isPaused else { return }
        isReadingPaused = isPaused
        updateInterest()
    }

    /// Sends what is queued, then closes. The peer has two seconds to read it.
    func closeAfterFlush() {
        switch state {
        case .open:
            state = .draining
            pauseReading(false)
            cancelTimer()
            timer = loop.schedule(after: Self.drainTimeout) { [weak self] in self?.close(nil) }
            flushLater()
        case .connecting, .handshaking: close(nil)
        case .draining, .closed: break
        }
    }

    /// Closes now. `error` is what the delegate is told.
    func close(_ error: NetError?) {
        guard state != .closed else { return }
        state = .closed
        cancelTimer()
        if let registration = registration.take() { loop.unregister(registration) }
        socket = nil
        outbound.removeAll()
        ciphertext.removeAll()
        tls = nil
        if let delegate = delegate.take() { delegate.connectionClosed(self, error) }
    }

    func loopStopped() { close(.stopped) }

    // MARK: - Readiness

    func ready(_ events: UInt32) {
        if state == .connecting { return connected() }
        if isBlocked, events & Poller.writable != 0 {
            isBlocked = false
            flush()
            if !isBlocked { updateInterest() }
        }
        guard state != .closed else { return }
        if isReadingPaused, events & Poller.hangup != 0 { return close(.closed("\(peer) is gone")) }
        if events & (Poller.readable | Poller.hangup) != 0 { receive() }
    }

    private func connected() {
        let code = Socket.pendingError(number)
        guard code == 0 else { return close(.system(operation: "connect \(peer)", code: code)) }
        lastReceived = loop.now
        state = tls == nil ? .open : .handshaking
        updateInterest()
        guard tls != nil else { return open() }
        advanceHandshake()
    }

    /// The connection is usable.
    func open() {
        cancelTimer()
        state = .open
        delegate?.connectionOpened(self)
        flushLater()
    }

    func updateInterest() {
        guard let registration else { return }
        var events: UInt32 = isReadingPaused ? 0 : Poller.readable
        if isBlocked || state == .connecting { events |= Poller.writable }
        loop.update(registration, events: events)
    }

    private func attach(_ raw: Int32, events: UInt32) {
        do throws(NetError) {
            registration = try loop.register(raw, self, events: events)
        } catch {
            // Told in a later step, because the owner has not got this object yet.
            let failure = error
            loop.atTickEnd { self.close(failure) }
        }
    }

    private func limitHandshake(_ limit: Duration) {
        timer = loop.schedule(after: limit) { [weak self] in
            guard let self else { return }
            let step =
                self.state == .connecting
                ? "connecting to \(self.peer)" : "TLS handshake with \(self.peer)"
            self.close(.timedOut(step))
        }
    }

    private func cancelTimer() {
        if let timer = timer.take() { loop.cancel(timer) }
    }
}
