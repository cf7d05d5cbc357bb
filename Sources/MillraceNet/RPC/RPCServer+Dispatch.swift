import CNghttp2
import MillraceBase

/// From a request's headers to its handler, or to the status that refuses it.
extension RPCServer {
    func connection(
        _ connection: HTTP2Connection, opened stream: HTTP2Stream, _ headers: HTTP2Headers
    ) {
        let type = headers["content-type"] ?? ""
        guard headers.method == "POST", type.hasPrefix("application/grpc") else {
            stream.delegate = PlainResponse(headers, banner: options.banner)
            return
        }
        if let refusal = refusal(headers) { return refuse(stream, refusal) }
        var timeout: Duration?
        if let field = headers.fields.first(where: { $0.name == "grpc-timeout" }) {
            timeout = RPCTimeout.parse(field.value)
            guard timeout != nil else {
                return refuse(
                    stream, RPCStatus(.internal, "grpc-timeout \(field.text) is not a timeout"))
            }
        }
        openCalls += 1
        let call = RPCServerCall(
            loop: loop, stream: stream, options: options.connection, headers: headers,
            peer: connection.peer,
            timeout: timeout
        ) { [weak self] _ in self?.openCalls -= 1 }
        if let authorizer = options.authorizer, options.authorizesHealth || !isHealth(call.method),
            let refusal = authorizer.decide(call.peer, call.metadata, call.method)
        {
            Log.warn(
                "net", "call refused",
                ["peer": call.peer, "method": call.method, "status": refusal])
            return call.finish(refusal)
        }
        guard let handler = handlers[call.method] else { return call.finish(unknown(call.method)) }
        handler(call)
    }

    private func isHealth(_ method: String) -> Bool { method.hasPrefix("/grpc.health.v1.Health/") }

    private func refusal(_ headers: HTTP2Headers) -> RPCStatus? {
        let encoding = headers["grpc-encoding"] ?? "identity"
        guard encoding == "identity" else {
            return RPCStatus(.unimplemented, "grpc-encoding \(encoding) is not taken: use identity")
        }
        return nil
    }

    private func unknown(_ method: String) -> RPCStatus {
        let parts = method.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, services.contains(String(parts[1])) else {
            return RPCStatus(.unimplemented, "no such service: \(method)")
        }
        return RPCStatus(.unimplemented, "no such method: \(method)")
    }

    private func refuse(_ stream: HTTP2Stream, _ status: RPCStatus) {
        var block = HTTP2HeaderBlock()
        block.append(":status", "200")
        block.append("content-type", "application/grpc")
        block.append("grpc-accept-encoding", "identity")
        RPCServerCall.write(status, [:], to: &block)
        stream.start(block, endStream: true)
    }
}

/// The answer to a request that is not gRPC: `GET /` says what this port is. Sent when the request
/// has come to its end, so that nothing of it is cut off.
private final class PlainResponse: HTTP2StreamDelegate {
    private let status: String
    private let text: String

    init(_ headers: HTTP2Headers, banner: String) {
        switch (headers.method, headers.path) {
        case ("GET", "/"), ("HEAD", "/"): (status, text) = ("200", banner + "\n")
        case ("POST", _): (status, text) = ("415", "This port takes application/grpc only.\n")
        default: (status, text) = ("404", "Not found. \(banner)\n")
        }
        isHead = headers.method == "HEAD"
    }

    private let isHead: Bool

    func streamReceivedEnd(_ stream: HTTP2Stream) {
        var block = HTTP2HeaderBlock()
        block.append(":status", status)
        block.append("content-type", "text/plain; charset=utf-8")
        block.append("content-length", String(text.utf8.count))
        stream.start(block, endStream: isHead)
        guard !isHead else { return }
        stream.send(raw: Array(text.utf8))
        stream.end()
    }

    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers) {}
    func stream(_ stream: HTTP2Stream, received data: UnsafeRawBufferPointer) {}
    func streamHasRoom(_ stream: HTTP2Stream) {}
    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) {}
}
