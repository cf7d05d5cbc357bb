import MillraceBase

/// One connection of a block client: its greeting, the fetches that were sent on it, and the block
/// that is arriving. Loop-owned.
final class BlockClientConnection: ConnectionDelegate {
    private enum State {
        /// Connecting, or waiting for `welcome`. Fetches wait. Then `open`.
        case greeting
        /// Fetches are sent.
        case open
        case ended
    }

    let peer: Endpoint
    /// Strong: a client lives as long as its connections, which end when they are idle.
    private let client: BlockClient
    private let loop: EventLoop
    private let options: BlockOptions
    private var connection: Connection?
    private var state = State.greeting
    private var decoder: FrameDecoder
    private var events: [FrameDecoder.Event] = []
    private(set) var fetches: [UInt32: BlockFetch] = [:]
    /// Until the greeting is over.
    private var notices: [[UInt8]] = []
    /// The first bytes of a `block` frame, until they are complete.
    private var head: [UInt8] = []
    private var frameKind = FrameKind.data
    private var frameStream: UInt32 = 0
    private var arriving: ArrivingBlock?
    private var timer: TimerToken?
    private var liveness: TimerToken?
    private var pingSent: Instant?
    private(set) var idleSince: Instant

    init(_ client: BlockClient, peer: Endpoint) {
        self.client = client
        self.peer = peer
        loop = client.loop
        options = client.options
        idleSince = client.loop.now
        decoder = FrameDecoder(
            limit: max(client.options.maxFrameSize, FrameHeader.maxControlPayload))
    }

    /// Looks the peer up and connects; all of it and the greeting within `handshakeTimeout`.
    func start() {
        timer = loop.schedule(after: options.handshakeTimeout) { [weak self] in
            guard let self else { return }
            self.end(.unavailable("\(self.peer): no answer in \(self.options.handshakeTimeout)"))
        }
        Resolver.resolve(peer, loop: loop) { [weak self] result in
            guard let self, self.state == .greeting else { return }
            do throws(NetError) {
                let addresses = try result.get()
                let tls: TLSSession? =
                    if let context = self.client.tls {
                        try TLSSession(context, host: self.peer.host)
                    } else { nil }
                self.connection = try Connection(
                    connecting: addresses[0], loop: self.loop, tls: tls, delegate: self,
                    highWatermark: self.options.highWatermark.bytes,
                    timeout: self.options.handshakeTimeout)
            } catch {
                self.end(.unavailable("\(self.peer): \(error)"))
            }
        }
    }

    // MARK: - For the client

    var isEnded: Bool { state == .ended }

    func send(_ fetch: BlockFetch) {
        fetches[fetch.stream] = fetch
        fetch.connection = self
        if state == .open { write(fetch) }
    }

    func send(notice: [UInt8]) {
        guard state == .open else { return notices.append(notice) }
        write(.notice, 0, notice)
        noteIdle()
    }

    /// Nothing more of that fetch is wanted. What is on its way is dropped as it arrives.
    func forget(_ fetch: BlockFetch) {
        guard fetches.removeValue(forKey: fetch.stream) != nil else { return }
        if arriving?.fetch === fetch { arriving?.fetch = nil }
        if state == .open { write(.cancel, fetch.stream, []) }
        noteIdle()
    }

    /// Ends the connection; its fetches fail with that error.
    func end(_ error: BlockError) {
        guard state != .ended else { return }
        state = .ended
        cancelTimer()
        if let liveness = liveness.take() { loop.cancel(liveness) }
        let open = fetches.values.sorted { $0.stream < $1.stream }
        fetches.removeAll()
        arriving = nil
        client.ended(self)
        if let connection = connection.take() { connection.close(nil) }
        for fetch in open { fetch.fail(error) }
    }

    // MARK: - Connection

    func connectionOpened(_ connection: Connection) {
        self.connection = connection
        write(.hello, 0, BlockMessages.hello(token: options.token))
    }

    func connectionFillsOutput(_ connection: Connection) {}

    func connectionClosed(_ connection: Connection, _ error: NetError?) {
        let why = error.map { "\($0)" } ?? "the connection was closed by the peer"
        end(.unavailable("\(peer): \(why)"))
    }

    func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
        do throws(NetError) {
            try decoder.receive(bytes, into: &events)
            for event in events {
                guard state != .ended else { break }
                try take(event, bytes)
            }
            events.removeAll(keepingCapacity: true)
        } catch {
            end(.corrupt("\(peer): \(error)"))
        }
    }

    // MARK: - Frames

    private func take(_ event: FrameDecoder.Event, _ bytes: UnsafeRawBufferPointer) throws(NetError)
    {
        switch event {
        case .frame(let frame): try take(frame)
        case .began(let kind, let stream, let length): try begin(kind, stream, length)
        case .piece(let range): try take(UnsafeRawBufferPointer(rebasing: bytes[range]))
        case .frameEnded: try endFrame()
        }
    }

    private func take(_ frame: Frame) throws(NetError) {
        switch (frame.kind, state) {
        case (.welcome, .greeting):
            state = .open
            cancelTimer()
            for fetch in fetches.values.sorted(by: { $0.stream < $1.stream }) { write(fetch) }
            for notice in notices { write(.notice, 0, notice) }
            notices.removeAll()
            noteIdle()
        case (.refusal, _):
            end(.refused("\(peer): \(String(decoding: frame.payload, as: UTF8.self))"))
        case (.failure, .open):
            let (index, error) = try BlockMessages.readFailure(frame.payload)
            answer(fetches[frame.stream], index, .failure(error))
        case (.ping, .open): write(.pong, frame.stream, [])
        case (.pong, .open): break
        default: throw .protocolViolation("a frame of kind \(frame.kind) at the wrong time")
        }
    }

    private func begin(_ kind: FrameKind, _ stream: UInt32, _ length: Int) throws(NetError) {
        guard state == .open else { throw .protocolViolation("a block before the greeting") }
        frameKind = kind
        frameStream = stream
        if kind == .block {
            guard arriving == nil else { throw .protocolViolation("a block within a block") }
            guard length >= BlockMessages.blockHeadSize else {
                throw .protocolViolation("a block without its head")
            }
            head.removeAll(keepingCapacity: true)
        } else {
            guard arriving != nil else { throw .protocolViolation("bytes of no block") }
        }
    }

    private func take(_ piece: UnsafeRawBufferPointer) throws(NetError) {
        var piece = piece[...]
        if frameKind == .block, head.count < BlockMessages.blockHeadSize {
            let taken = piece.prefix(BlockMessages.blockHeadSize - head.count)
            head.append(contentsOf: taken)
            piece = piece.dropFirst(taken.count)
            guard head.count == BlockMessages.blockHeadSize else { return }
            startBlock()
        }
        guard !piece.isEmpty, arriving != nil else { return }
        let fits: Bool
        do throws(BlockError) { fits = try arriving!.take(piece) } catch { return drop(error) }
        guard fits else { throw .protocolViolation("a block longer than its head said") }
    }

    private func startBlock() {
        let (index, length) = BlockMessages.readBlockHead(head)
        var fetch = fetches[frameStream]
        if let wanted = fetch, !wanted.isWaiting(for: index) { fetch = nil }
        arriving = ArrivingBlock(fetch, index, length: Int(clamping: length))
        do throws(BlockError) {
            guard length <= UInt64(options.maxBlockSize.bytes) else {
                throw .tooLarge("\(length) bytes, the limit is \(options.maxBlockSize)")
            }
            try arriving!.begin()  // set above
        } catch {
            drop(error)
        }
    }

    /// The rest of the arriving block is of no use.
    private func drop(_ error: BlockError) {
        guard let fetch = arriving?.fetch.take(), let index = arriving?.index else { return }
        answer(fetch, index, .failure(error))
    }

    private func endFrame() throws(NetError) {
        guard let arriving, arriving.isComplete else { return }
        self.arriving = nil
        guard let fetch = arriving.fetch else { return }
        answer(fetch, arriving.index, .success(arriving.bytes))
    }

    private func answer(_ fetch: BlockFetch?, _ index: Int, _ result: Result<[UInt8], BlockError>) {
        guard let fetch else { return }
        fetch.answer(index, result)
        if fetch.isDone, fetches.removeValue(forKey: fetch.stream) != nil { noteIdle() }
    }

    private func write(_ fetch: BlockFetch) {
        watchPeer()
        if let bytes = fetch.pushed.take() { return write(.push, fetch.stream, bytes) }
        write(.fetch, fetch.stream, BlockMessages.fetch(fetch.requests))
    }

    private func write(_ kind: FrameKind, _ stream: UInt32, _ payload: [UInt8]) {
        connection?.write(
            Frame(kind: kind, stream: stream, payload: payload).bytes(
                checksum: options.usesChecksums))
    }

    // MARK: - Time

    private func noteIdle() {
        guard fetches.isEmpty, state == .open else { return }
        idleSince = loop.now
        guard timer == nil else { return }
        scheduleIdleCheck(options.idleTimeout)
    }

    private func scheduleIdleCheck(_ wait: Duration) {
        timer = loop.schedule(after: wait) { [weak self] in
            guard let self else { return }
            self.timer = nil
            guard self.fetches.isEmpty else { return }
            let idle = self.loop.now - self.idleSince
            guard idle < self.options.idleTimeout else { return self.end(.cancelled) }
            self.scheduleIdleCheck(self.options.idleTimeout - idle)
        }
    }

    /// While the peer owes blocks: a connection whose other end is gone without a word (a lost
    /// node) must not cost every later fetch its whole deadline.
    private func watchPeer() {
        guard liveness == nil, state == .open, !fetches.isEmpty else { return }
        let wait =
            pingSent == nil
            ? options.keepAliveInterval : min(options.keepAliveInterval, options.keepAliveTimeout)
        liveness = loop.schedule(after: wait) { [weak self] in self?.checkPeer() }
    }

    private func checkPeer() {
        liveness = nil
        guard state == .open, !fetches.isEmpty, let connection else {
            pingSent = nil
            return
        }
        if let pingSent, connection.lastReceived < pingSent {
            if loop.now - pingSent >= options.keepAliveTimeout {
                return end(.unavailable("\(peer) does not answer pings"))
            }
        } else if loop.now - connection.lastReceived >= options.keepAliveInterval {
            pingSent = loop.now
            write(.ping, 0, [])
        } else {
            pingSent = nil
        }
        watchPeer()
    }

    private func cancelTimer() {
        if let timer = timer.take() { loop.cancel(timer) }
    }
}
