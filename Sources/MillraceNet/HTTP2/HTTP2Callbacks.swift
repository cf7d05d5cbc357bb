import CNghttp2
import MillraceBase

/// nghttp2's callbacks: each finds its session and stream and says what happened. No decision is
/// made here.
enum HTTP2Callbacks {
    static func makeSession(isServer: Bool) -> OpaquePointer? {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        var session: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, nghttp2_option_new(&option) == 0
        else { return nil }
        defer {
            nghttp2_session_callbacks_del(callbacks)
            nghttp2_option_del(option)
        }
        nghttp2_option_set_no_auto_window_update(option, 1)
        install(callbacks)
        let code =
            isServer
            ? nghttp2_session_server_new2(&session, callbacks, nil, option)
            : nghttp2_session_client_new2(&session, callbacks, nil, option)
        return code == 0 ? session : nil
    }

    private static func install(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, onBeginHeaders)
        nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData)
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onStreamClose)
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, onFrameSent)
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, onFrameNotSent)
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, onInvalidFrame)
        nghttp2_session_callbacks_set_error_callback2(callbacks, onError)
    }

    static let readBody: nghttp2_data_source_read_callback = {
        _, id, buffer, length, flags, _, user in
        let session = owner(user)
        guard let stream = session.streams[id], let buffer, let flags else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        return stream.fill(
            UnsafeMutableRawBufferPointer(start: buffer, count: length), &flags.pointee)
    }

    private static let failure = Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)

    private static func owner(_ user: UnsafeMutableRawPointer?) -> HTTP2Session {
        // Set when the session was made.
        Unmanaged<HTTP2Session>.fromOpaque(user!).takeUnretainedValue()
    }

    private static let onBeginHeaders: nghttp2_on_begin_headers_callback = { _, frame, user in
        let session = owner(user)
        guard !session.isDead else { return failure }
        let header = frame!.pointee.hd  // nghttp2 gives a frame
        if session.isServer, frame!.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
            session.begin(header.stream_id)
        } else {
            session.streams[header.stream_id]?.incoming = HTTP2Headers()
        }
        return 0
    }

    private static let onHeader: nghttp2_on_header_callback = {
        _, frame, name, nameLength, value, valueLength, _, user in
        let session = owner(user)
        guard !session.isDead else { return failure }
        guard let stream = session.streams[frame!.pointee.hd.stream_id] else { return 0 }
        stream.incoming.append(
            name: UnsafeBufferPointer(start: name, count: nameLength),
            value: UnsafeBufferPointer(start: value, count: valueLength))
        if stream.incoming.size > session.options.maxHeaderListSize.bytes {
            session.lastViolation = "headers above \(session.options.maxHeaderListSize)"
            return Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        return 0
    }

    private static let onFrame: nghttp2_on_frame_recv_callback = { _, frame, user in
        let session = owner(user)
        guard !session.isDead, let frame else { return failure }
        let header = frame.pointee.hd
        switch nghttp2_frame_type(rawValue: UInt32(header.type)) {
        case NGHTTP2_HEADERS: received(frame.pointee.headers, session)
        case NGHTTP2_DATA: endIfLast(header, session)
        case NGHTTP2_SETTINGS where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0:
            session.delegate?.sessionReceivedSettings(session)
        case NGHTTP2_PING where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0:
            session.delegate?.sessionReceivedPong(session)
        case NGHTTP2_GOAWAY: session.delegate?.sessionReceivedGoAway(session)
        default: break
        }
        return session.isDead ? failure : 0
    }

    private static func received(_ frame: nghttp2_headers, _ session: HTTP2Session) {
        guard let stream = session.streams[frame.hd.stream_id] else { return }
        let headers = stream.incoming
        stream.incoming = HTTP2Headers()
        if session.isServer, frame.cat == NGHTTP2_HCAT_REQUEST {
            session.delegate?.session(session, opened: stream, headers)
        } else {
            stream.delegate?.stream(stream, received: headers)
        }
        endIfLast(frame.hd, session)
    }

    private static func endIfLast(_ header: nghttp2_frame_hd, _ session: HTTP2Session) {
        guard header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
            let stream = session.streams[header.stream_id], !stream.isRemoteEnded
        else { return }
        stream.isRemoteEnded = true
        stream.delegate?.streamReceivedEnd(stream)
    }

    private static let onData: nghttp2_on_data_chunk_recv_callback = {
        _, _, id, data, length, user in
        let session = owner(user)
        guard !session.isDead else { return failure }
        session.consumeConnection(length)
        session.streams[id]?.received(UnsafeRawBufferPointer(start: data, count: length))
        return session.isDead ? failure : 0
    }

    private static let onStreamClose: nghttp2_on_stream_close_callback = { _, id, code, user in
        let session = owner(user)
        session.closed(id, code)
        return session.isDead ? failure : 0
    }

    /// A server that has answered before the client finished its request ends the stream for both:
    /// the client is told (NO_ERROR) that the rest is not wanted.
    private static let onFrameSent: nghttp2_on_frame_send_callback = { _, frame, user in
        let session = owner(user)
        let header = frame!.pointee.hd  // nghttp2 gives a frame
        guard session.isServer, header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
            header.type == UInt8(NGHTTP2_HEADERS.rawValue)
                || header.type == UInt8(NGHTTP2_DATA.rawValue),
            let stream = session.streams[header.stream_id], !stream.isRemoteEnded
        else { return 0 }
        stream.reset(NGHTTP2_NO_ERROR.rawValue)
        return 0
    }

    /// A request that could not leave (the server goes away): its stream is over.
    private static let onFrameNotSent: nghttp2_on_frame_not_send_callback = { _, frame, _, user in
        let session = owner(user)
        let header = frame!.pointee.hd  // nghttp2 gives a frame
        if !session.isServer, header.type == UInt8(NGHTTP2_HEADERS.rawValue) {
            session.closed(header.stream_id, NGHTTP2_REFUSED_STREAM.rawValue)
        }
        return 0
    }

    private static let onInvalidFrame: nghttp2_on_invalid_frame_recv_callback = {
        _, frame, code, user in
        let session = owner(user)
        // grpc-go's clients say good-bye with a stream number that nghttp2 finds wrong. It is a
        // good-bye.
        if frame!.pointee.hd.type == UInt8(NGHTTP2_GOAWAY.rawValue) {  // nghttp2 gives a frame
            session.delegate?.sessionReceivedGoAway(session)
            return 0
        }
        if session.lastViolation == nil {
            session.lastViolation = String(cString: nghttp2_strerror(code))
        }
        return 0
    }

    private static let onError: nghttp2_error_callback2 = { _, _, text, length, user in
        let bytes = UnsafeRawBufferPointer(start: text, count: length)
        owner(user).lastViolation = String(decoding: bytes, as: UTF8.self)
        return 0
    }
}
