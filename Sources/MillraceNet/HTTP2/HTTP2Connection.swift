import CNghttp2
import MillraceBase

/// What an HTTP/2 connection tells the server or channel that owns it.
protocol HTTP2ConnectionOwner: AnyObject {
    /// The peer's settings have arrived: it speaks HTTP/2.
    func connectionReady(_ connection: HTTP2Connection)
    func connection(
        _ connection: HTTP2Connection, opened stream: HTTP2Stream, _ headers: HTTP2Headers)
    /// The peer takes no new streams; the open ones go on.
    func connectionGoesAway(_ connection: HTTP2Connection)
    /// Once. nil: an end in order.
    func connectionEnded(_ connection: HTTP2Connection, _ error: NetError?)
}

/// A TCP (or TLS) connection with an HTTP/2 session on it: moves bytes between the two, keeps the
/// connection alive or finds it dead, and ends it politely. Loop-owned.
final class HTTP2Connection: ConnectionDelegate, HTTP2SessionDelegate {
    /// How long a client may take to answer the notice of a shutdown before it is final.
    private static let shutdownNoticeTimeout = Duration.seconds(1)

    let loop: EventLoop
    let options: RPCConnectionOptions
    private(set) weak var owner: (any HTTP2ConnectionOwner)?
    private let isServer: Bool
    private let maxConcurrentStreams: Int
    private(set) var connection: Connection?
    private(set) var session: HTTP2Session?
    private(set) var peer: RPCPeer
    /// Server: the first bytes, until it is clear that they are HTTP/2.
    private var preface: HTTP2Preface?
    private(set) var isReady = false
    private(set) var isGoingAway = false
    private var timer: TimerToken?
    private var pingSent: Instant?
    private var isEnded = false

    private init(
        isServer: Bool, loop: EventLoop, peer: SocketAddress, options: RPCConnectionOptions,
        maxConcurrentStreams: Int, owner: any HTTP2ConnectionOwner
    ) {
        self.isServer = isServer
        self.loop = loop
        self.options = options
        self.maxConcurrentStreams = maxConcurrentStreams
        self.owner = owner
        self.peer = RPCPeer(address: peer)
        preface = isServer ? HTTP2Preface() : nil
    }

    static func accept(
        _ socket: consuming FileDescriptor, peer: SocketAddress, loop: EventLoop, tls: TLSSession?,
        options: RPCConnectionOptions, maxConcurrentStreams: Int, owner: any HTTP2ConnectionOwner
    ) -> HTTP2Connection {
        let made = HTTP2Connection(
            isServer: true, loop: loop, peer: peer, options: options,
            maxConcurrentStreams: maxConcurrentStreams, owner: owner)
        made.limitHandshake()
        made.connection = Connection(
            accepted: socket, peer: peer, loop: loop, tls: tls, delegate: made,
            highWatermark: options.highWatermark.bytes, handshakeTimeout: options.handshakeTimeout)
        return made
    }

    static func connect(
        _ peer: SocketAddress, loop: EventLoop, tls: TLSSession?, options: RPCConnectionOptions,
        owner: any HTTP2ConnectionOwner
    ) throws(NetError) -> HTTP2Connection {
        let made = HTTP2Connection(
            isServer: false, loop: loop, peer: peer, options: options, maxConcurrentStreams: 0,
            owner: owner)
        made.limitHandshake()
        made.connection = try Connection(
            connecting: peer, loop: loop, tls: tls, delegate: made,
            highWatermark: options.highWatermark.bytes, timeout: options.handshakeTimeout)
        return made
    }

    // MARK: - For the owner

    var openStreams: Int { session?.streams.count ?? 0 }

    /// No new streams; closes when the open ones have ended. A server says so in two steps, so that
    /// requests which are on their way are still served.
    func shutDown() {
        guard let session, !isGoingAway else { return isReady ? () : close(nil) }
        isGoingAway = true
        guard isServer else {
            session.goAway()
            return
        }
        session.submitShutdownNotice()
        session.ping()
        loop.schedule(after: Self.shutdownNoticeTimeout) { [weak self] in self?.finishShutdown() }
    }

    private func finishShutdown() {
        session?.goAway()
    }

    func close(_ error: NetError?) {
        connection?.close(error)
        if connection == nil { end(error) }
    }

    /// This side is done: its calls end now, the peer is told (GOAWAY) at the end of the tick, and
    /// the connection closes when that is sent. (Not at once: this may be called from within
    /// nghttp2.)
    func sayGoodbye(_ why: String) {
        guard let session, let connection, isReady, !isEnded else { return close(.closed(why)) }
        session.goAway()
        session.die(.abandoned(why))
        end(.closed(why))
        loop.atTickEnd { [self] in
            guard connection.state == .open else { return }
            connectionFillsOutput(connection)
            connection.closeAfterFlush()
        }
    }

    // MARK: - Connection

    func connectionOpened(_ connection: Connection) {
        self.connection = connection
        peer.certificateSubject = connection.tls?.peerSubject
        do throws(NetError) {
            session = try HTTP2Session(
                isServer: isServer, options: options, maxConcurrentStreams: maxConcurrentStreams,
                delegate: self)
        } catch {
            return connection.close(error)
        }
        // A server says nothing before it knows that the client speaks HTTP/2.
        if !isServer { connection.flushLater() }
    }

    func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
        guard preface != nil else { return pass(bytes) }
        switch preface!.examine(bytes) {  // checked above
        case .undecided: break
        case .http2(let start):
            preface = nil
            start.withUnsafeBytes { pass($0) }
        case .http1:
            Log.warn("net", "HTTP/1 request on a gRPC port", ["peer": peer])
            preface = nil
            connection.write(HTTP2Preface.answerToHTTP1)
            isEnded = true
            cancelTimer()
            connection.closeAfterFlush()
            owner?.connectionEnded(self, nil)
        case .neither: connection.close(.protocolViolation("the first bytes are not HTTP/2"))
        }
    }

    private func pass(_ bytes: UnsafeRawBufferPointer) {
        guard let session, let connection else { return }
        do throws(NetError) {
            try session.receive(bytes)
        } catch {
            // The GOAWAY that says why goes out first.
            session.goAway(NGHTTP2_PROTOCOL_ERROR.rawValue)
            connectionFillsOutput(connection)
            return fail(error)
        }
        connection.flushLater()
    }

    func connectionFillsOutput(_ connection: Connection) {
        guard let session, preface == nil else { return }
        do throws(NetError) {
            while connection.hasRoom, connection.state == .open,
                let piece = try session.nextOutput()
            {
                connection.outbound.append(piece)
            }
        } catch {
            return connection.close(error)
        }
        session.announceRoom()
        if session.isFinished, connection.state == .open {
            if !isGoingAway, let violation = session.lastViolation {
                return fail(.protocolViolation(violation))
            }
            connection.closeAfterFlush()
        }
    }

    /// Tells why, then ends the connection after what is queued.
    private func fail(_ error: NetError) {
        lose("\(error)")
        end(error)
        connection?.closeAfterFlush()
    }

    func connectionClosed(_ connection: Connection, _ error: NetError?) {
        let why = error.map { "\($0)" } ?? "\(peer) closed the connection"
        lose(why)
        end(error)
    }

    /// The calls end. The owner knows before them that this connection is of no more use, so that a
    /// call made in answer to the end of another takes a new one.
    private func lose(_ why: String) {
        if isReady, !isEnded { owner?.connectionGoesAway(self) }
        session?.die(.connectionLost(why))
    }

    private func end(_ error: NetError?) {
        cancelTimer()
        guard !isEnded else { return }
        isEnded = true
        owner?.connectionEnded(self, error)
    }

    // MARK: - Session

    func session(_ session: HTTP2Session, opened stream: HTTP2Stream, _ headers: HTTP2Headers) {
        owner?.connection(self, opened: stream, headers)
    }

    func sessionReceivedSettings(_ session: HTTP2Session) {
        guard !isReady else { return }
        isReady = true
        cancelTimer()
        scheduleKeepAlive()
        owner?.connectionReady(self)
    }

    func sessionReceivedGoAway(_ session: HTTP2Session) {
        isGoingAway = true
        owner?.connectionGoesAway(self)
    }

    func sessionReceivedPong(_ session: HTTP2Session) {
        pingSent = nil
        if isServer, isGoingAway { finishShutdown() }
    }

    func sessionNeedsOutput(_ session: HTTP2Session) { connection?.flushLater() }

    // MARK: - Time

    private func limitHandshake() {
        timer = loop.schedule(after: options.handshakeTimeout) { [weak self] in
            guard let self else { return }
            self.close(.timedOut("\(self.peer) has not spoken HTTP/2"))
        }
    }

    private func scheduleKeepAlive() {
        guard let interval = options.keepAliveInterval else { return }
        let wait = pingSent == nil ? interval : min(interval, options.keepAliveTimeout)
        timer = loop.schedule(after: wait) { [weak self] in self?.keepAlive(interval) }
    }

    private func keepAlive(_ interval: Duration) {
        guard let connection, let session, !isEnded else { return }
        if let pingSent, connection.lastReceived < pingSent {
            if loop.now - pingSent >= options.keepAliveTimeout {
                return close(.timedOut("\(peer) does not answer pings"))
            }
        } else if loop.now - connection.lastReceived >= interval {
            pingSent = loop.now
            session.ping()
        } else {
            pingSent = nil
        }
        scheduleKeepAlive()
    }

    private func cancelTimer() {
        if let timer = timer.take() { loop.cancel(timer) }
    }
}
