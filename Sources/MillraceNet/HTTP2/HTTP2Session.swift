import CNghttp2
import MillraceBase

/// What a session tells its connection.
protocol HTTP2SessionDelegate: AnyObject {
    /// Server: a client's request; the stream's `delegate` is to be set.
    func session(_ session: HTTP2Session, opened stream: HTTP2Stream, _ headers: HTTP2Headers)
    func sessionReceivedSettings(_ session: HTTP2Session)
    func sessionReceivedGoAway(_ session: HTTP2Session)
    func sessionReceivedPong(_ session: HTTP2Session)
    /// There is something to send.
    func sessionNeedsOutput(_ session: HTTP2Session)
}

/// HTTP/2 of one connection as a codec: nghttp2 over memory, no socket. Loop-owned.
///
/// Credit is given by hand: a connection's bytes at once, a stream's when its call has taken them,
/// so a call that is paused holds up nobody else.
final class HTTP2Session {
    let isServer: Bool
    let options: RPCConnectionOptions
    private(set) weak var delegate: (any HTTP2SessionDelegate)?
    private let pointer: OpaquePointer
    private(set) var streams: [Int32: HTTP2Stream] = [:]
    private var streamsWithRoom: [HTTP2Stream] = []
    /// The connection is gone: callbacks that still come are told to stop.
    private(set) var isDead = false
    /// What nghttp2 said of the last violation.
    var lastViolation: String?

    init(
        isServer: Bool, options: RPCConnectionOptions, maxConcurrentStreams: Int,
        delegate: any HTTP2SessionDelegate
    ) throws(NetError) {
        self.isServer = isServer
        self.options = options
        self.delegate = delegate
        guard let pointer = HTTP2Callbacks.makeSession(isServer: isServer) else {
            throw NetError.protocolViolation("no memory for an HTTP/2 session")
        }
        self.pointer = pointer
        nghttp2_session_set_user_data(pointer, Unmanaged.passUnretained(self).toOpaque())
        submitSettings(maxConcurrentStreams)
    }

    deinit { nghttp2_session_del(pointer) }

    private func submitSettings(_ maxConcurrentStreams: Int) {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
        }
        var entries = [
            entry(
                NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                min(options.streamWindow.bytes, Int(Int32.max))),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.maxHeaderListSize.bytes),
        ]
        entries.append(
            isServer
                ? entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, maxConcurrentStreams)
                : entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        nghttp2_submit_settings(pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        let window = Int32(clamping: options.connectionWindow.bytes)
        nghttp2_session_set_local_window_size(pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, window)
    }

    // MARK: - Bytes

    /// Takes what was read from the socket. Throws when the peer does not speak HTTP/2 or speaks
    /// too much.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(NetError) {
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let result = nghttp2_session_mem_recv(pointer, start, bytes.count)
        guard result < 0, !isDead else { return }
        throw .protocolViolation(lastViolation ?? String(cString: nghttp2_strerror(Int32(result))))
    }

    /// The next piece to write (one frame), valid until the next call; nil when there is none.
    func nextOutput() throws(NetError) -> UnsafeRawBufferPointer? {
        var start: UnsafePointer<UInt8>?
        let count = nghttp2_session_mem_send(pointer, &start)
        guard count >= 0 else {
            throw .protocolViolation(String(cString: nghttp2_strerror(Int32(count))))
        }
        return count == 0 ? nil : UnsafeRawBufferPointer(start: start, count: count)
    }

    /// After output was taken: tells the calls that may send again.
    func announceRoom() {
        while let stream = streamsWithRoom.popLast() {
            if !stream.isClosed { stream.delegate?.streamHasRoom(stream) }
        }
    }

    /// Neither side has anything to say any more (after GOAWAY).
    var isFinished: Bool {
        nghttp2_session_want_read(pointer) == 0 && nghttp2_session_want_write(pointer) == 0
    }

    func needsOutput() { delegate?.sessionNeedsOutput(self) }

    // MARK: - Streams

    /// Client: sends a request's headers; the stream gets its number.
    func open(_ stream: HTTP2Stream, _ headers: HTTP2HeaderBlock) throws(NetError) {
        guard !isDead else { throw .closed("the connection is lost") }
        var provider = bodyProvider()
        let id = headers.withFields { fields, count in
            nghttp2_submit_request(pointer, nil, fields, count, &provider, nil)
        }
        guard id > 0 else { throw .protocolViolation(String(cString: nghttp2_strerror(id))) }
        streams[id] = stream
        stream.attach(id, to: self)
        needsOutput()
    }

    func submit(_ headers: HTTP2HeaderBlock, for stream: HTTP2Stream, hasBody: Bool) {
        var provider = bodyProvider()
        _ = headers.withFields { fields, count in
            withUnsafePointer(to: &provider) { body in
                nghttp2_submit_response(pointer, stream.id, fields, count, hasBody ? body : nil)
            }
        }
        needsOutput()
    }

    func submit(trailers: HTTP2HeaderBlock, for stream: HTTP2Stream) {
        _ = trailers.withFields { fields, count in
            nghttp2_submit_trailer(pointer, stream.id, fields, count)
        }
    }

    func resume(_ stream: HTTP2Stream) { nghttp2_session_resume_data(pointer, stream.id) }

    func reset(_ stream: HTTP2Stream, _ code: UInt32) {
        nghttp2_submit_rst_stream(pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code)
        needsOutput()
    }

    func consume(_ count: Int, of stream: HTTP2Stream) {
        nghttp2_session_consume_stream(pointer, stream.id, count)
    }

    func consumeConnection(_ count: Int) { nghttp2_session_consume_connection(pointer, count) }

    func hasRoom(_ stream: HTTP2Stream) { streamsWithRoom.append(stream) }

    private func bodyProvider() -> nghttp2_data_provider {
        var provider = nghttp2_data_provider()
        provider.read_callback = HTTP2Callbacks.readBody
        return provider
    }

    // MARK: - From the callbacks

    func begin(_ id: Int32) {
        let stream = HTTP2Stream(options)
        stream.attach(id, to: self)
        streams[id] = stream
    }

    func closed(_ id: Int32, _ code: UInt32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.close(
            code == NGHTTP2_NO_ERROR.rawValue && stream.isRemoteEnded ? .complete : .reset(code))
    }

    // MARK: - Control

    func ping() {
        nghttp2_submit_ping(pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
        needsOutput()
    }

    /// Server: asks the client to open no more streams, without refusing those on their way.
    func submitShutdownNotice() {
        nghttp2_submit_shutdown_notice(pointer)
        needsOutput()
    }

    /// No more streams from the peer; with `NO_ERROR` the open ones go on.
    func goAway(_ code: UInt32 = NGHTTP2_NO_ERROR.rawValue) {
        let last = nghttp2_session_get_last_proc_stream_id(pointer)
        nghttp2_submit_goaway(pointer, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code, nil, 0)
        needsOutput()
    }

    /// The connection is gone: every stream is told.
    func die(_ end: HTTP2StreamEnd) {
        guard !isDead else { return }
        isDead = true
        let open = streams.values.sorted { $0.id < $1.id }
        streams.removeAll()
        for stream in open { stream.close(end) }
    }
}
