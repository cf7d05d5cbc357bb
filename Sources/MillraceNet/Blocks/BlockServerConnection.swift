import MillraceBase

/// One client of a block server: its greeting, its open fetches, and their blocks sent in turn.
///
/// Blocks are taken from the provider only while there is room in the connection's queue, one of
/// each fetch in turn, so that a fetch of a thousand blocks neither fills the memory nor holds up
/// another.
final class BlockServerConnection: ConnectionDelegate {
    private enum State {
        /// Waiting for `hello`. Then `open`.
        case greeting
        /// Fetches are served.
        case open
        /// Refused, or gone.
        case ended
    }

    private struct Fetch {
        var stream: UInt32
        var requests: [BlockRequest]
        var next = 0
    }

    /// A block that is larger than a frame: what of it is still to be sent.
    private struct Rest {
        var stream: UInt32
        var content: BlockContent
        var sent: Int
        var length: Int
    }

    let peer: SocketAddress
    private let server: BlockServer
    private let loop: EventLoop
    private let options: BlockOptions
    private var connection: Connection?
    private var state = State.greeting
    /// Who the client is, where the server asks.
    private var principal: String?
    private var decoder: FrameDecoder
    private var events: [FrameDecoder.Event] = []
    private var fetches: [Fetch] = []
    private var turn = 0
    /// Blocks that are being made elsewhere, and those that have come from there.
    private var pending = 0
    private var made: [(stream: UInt32, index: Int, content: BlockContent)] = []
    private var rest: Rest?
    private var timer: TimerToken?

    init(_ server: BlockServer, peer: SocketAddress) {
        self.server = server
        self.peer = peer
        loop = server.loop
        options = server.options
        decoder = FrameDecoder(limit: FrameHeader.maxControlPayload)
    }

    func start(_ socket: consuming FileDescriptor, tls: TLSSession?) {
        timer = loop.schedule(after: options.handshakeTimeout) { [weak self] in
            guard let self else { return }
            self.connection?.close(.timedOut("\(self.peer) has not greeted"))
        }
        connection = Connection(
            accepted: socket, peer: peer, loop: loop, tls: tls, delegate: self,
            highWatermark: options.highWatermark.bytes, handshakeTimeout: options.handshakeTimeout)
    }

    func close() { connection?.close(nil) }

    // MARK: - Connection

    func connectionOpened(_ connection: Connection) {}

    func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
        do throws(NetError) {
            try decoder.receive(bytes, into: &events)
            for event in events {
                guard state != .ended else { break }
                guard case .frame(let frame) = event else {
                    throw .protocolViolation("a client does not send blocks")
                }
                try take(frame, connection)
            }
            events.removeAll(keepingCapacity: true)
        } catch {
            refuse(connection, "\(error)", error)
        }
    }

    func connectionClosed(_ connection: Connection, _ error: NetError?) {
        // What a client that was refused does then is of no interest.
        let cut: NetError? =
            state == .ended || decoder.isAtBoundary ? nil : .closed("\(peer) closed within a frame")
        let error = state == .ended ? nil : error ?? cut
        state = .ended
        cancelTimer()
        fetches.removeAll()
        made.removeAll()
        rest = nil
        self.connection = nil
        server.ended(self, error)
    }

    // MARK: - Frames

    private func take(_ frame: Frame, _ connection: Connection) throws(NetError) {
        switch (frame.kind, state) {
        case (.hello, .greeting): greet(frame, connection)
        case (.fetch, .open):
            guard fetches.count < options.maxFetchesPerConnection else {
                throw .protocolViolation(
                    "more than \(options.maxFetchesPerConnection) fetches at a time")
            }
            let requests = try BlockMessages.readFetch(
                frame.payload, limit: options.maxBlocksPerFetch)
            guard !requests.isEmpty else { return }
            fetches.append(Fetch(stream: frame.stream, requests: requests))
            connection.flushLater()
        case (.notice, .open): server.provider.receive(frame.payload)
        case (.push, .open):
            // An answer for each: as many may wait as there may be fetches.
            guard made.count < options.maxFetchesPerConnection else {
                throw .protocolViolation("pushes whose answers are not read")
            }
            made.append((frame.stream, 0, server.provider.take(frame.payload, from: principal)))
            connection.flushLater()
        case (.cancel, .open): fetches.removeAll { $0.stream == frame.stream }
        case (.ping, .open): send(.pong, frame.stream, [], connection)
        case (.pong, .open): break
        default: throw .protocolViolation("a frame of kind \(frame.kind) at the wrong time")
        }
    }

    private func greet(_ frame: Frame, _ connection: Connection) {
        do throws(BlockError) {
            let token = try BlockMessages.readHello(frame.payload)
            if let expected = options.token {
                guard isEqualInConstantTime(Array(token.utf8), Array(expected.utf8)) else {
                    throw .refused("wrong token")
                }
            }
            if let admission = server.admission {
                guard let name = admission(token) else { throw .refused("wrong token") }
                principal = name
            }
            state = .open
            scheduleIdleCheck()
            send(.welcome, 0, [BlockMessages.version], connection)
        } catch {
            refuse(connection, "\(error)", .protocolViolation("\(peer): \(error)"))
        }
    }

    /// Says why and ends the connection; the reason is logged once.
    private func refuse(_ connection: Connection, _ why: String, _ error: NetError) {
        guard state != .ended else { return }
        state = .ended
        cancelTimer()
        send(.refusal, 0, Array(why.utf8), connection)
        Log.warn("net", "block client refused", ["peer": peer, "error": error])
        connection.closeAfterFlush()
    }

    private func send(
        _ kind: FrameKind, _ stream: UInt32, _ payload: [UInt8], _ connection: Connection
    ) {
        connection.write(
            Frame(kind: kind, stream: stream, payload: payload).bytes(
                checksum: options.usesChecksums))
    }

    // MARK: - Blocks

    func connectionFillsOutput(_ connection: Connection) {
        while connection.hasRoom, state == .open {
            if rest != nil {
                sendRest(connection)
            } else if !made.isEmpty {
                let next = made.removeFirst()
                send(next.content, next.stream, next.index, connection)
            } else if !fetches.isEmpty {
                sendNext(connection)
            } else {
                return
            }
        }
    }

    private func sendNext(_ connection: Connection) {
        if turn >= fetches.count { turn = 0 }
        let stream = fetches[turn].stream
        let index = fetches[turn].next
        let request = fetches[turn].requests[index]
        fetches[turn].next += 1
        if fetches[turn].next == fetches[turn].requests.count {
            fetches.remove(at: turn)
        } else {
            turn += 1
        }
        send(server.provider.content(of: request, for: principal), stream, index, connection)
    }

    /// The content is being made elsewhere; comes back in `made`.
    private func make(
        _ start: (@escaping @Sendable (BlockContent) -> Void) -> Void, _ stream: UInt32,
        _ index: Int
    ) {
        pending += 1
        let loop = loop
        // Used on the loop only.
        nonisolated(unsafe) weak let connection = self
        start { content in
            loop.post {
                guard let connection, connection.state == .open else { return }
                connection.pending -= 1
                connection.made.append((stream, index, content))
                connection.connection?.flushLater()
            }
        }
    }

    private func send(
        _ content: BlockContent, _ stream: UInt32, _ index: Int, _ connection: Connection
    ) {
        if case .failure(let error) = content {
            return send(.failure, stream, BlockMessages.failure(index: index, error), connection)
        }
        if case .later(let start) = content { return make(start, stream, index) }
        let length = Int(clamping: content.length!)  // it has bytes
        let head = BlockMessages.blockHead(index: index, length: UInt64(length))
        // The first bytes travel with the head; a frame holds head and bytes within the limit.
        let first = min(length, options.maxFrameSize.bytes - BlockMessages.blockHeadSize)
        content.send(
            0..<first, as: .block, stream, head: head, checksum: options.usesChecksums,
            on: connection)
        if first < length {
            rest = Rest(stream: stream, content: content, sent: first, length: length)
        }
    }

    private func sendRest(_ connection: Connection) {
        guard var rest = self.rest.take() else { return }
        let end = min(rest.length, rest.sent + options.maxFrameSize.bytes)
        rest.content.send(
            rest.sent..<end, as: .data, rest.stream, head: [], checksum: options.usesChecksums,
            on: connection)
        rest.sent = end
        if end < rest.length { self.rest = rest }
    }

    // MARK: - Time

    /// A client closes idle connections itself; twice its time is for those that are not there any
    /// more.
    private func scheduleIdleCheck() {
        cancelTimer()
        let limit = options.idleTimeout * 2
        timer = loop.schedule(after: limit) { [weak self] in
            guard let self, let connection = self.connection else { return }
            let isIdle =
                self.fetches.isEmpty && self.rest == nil && self.pending == 0
                && connection.outbound.isEmpty
            if self.loop.now - connection.lastReceived >= limit, isIdle || !connection.hasRoom {
                connection.close(isIdle ? nil : .timedOut("\(self.peer) does not take its blocks"))
            } else {
                self.scheduleIdleCheck()
            }
        }
    }

    private func cancelTimer() {
        if let timer = timer.take() { loop.cancel(timer) }
    }
}
