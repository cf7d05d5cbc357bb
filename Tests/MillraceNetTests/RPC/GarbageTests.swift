import MillraceBase
import Testing

@testable import MillraceNet

/// What a server does with peers that do not speak its protocol: it closes them, and serves the
/// others.
@Suite("A server") struct GarbageTests {
    private static let preface = HTTP2Preface.magic

    private func answer(
        _ loop: EventLoop, to bytes: [UInt8], handshake: Duration = .seconds(10)
    ) async throws -> String {
        try await loop.wait(String.self) { promise in
            var options = RPCServerOptions()
            options.connection.handshakeTimeout = handshake
            let pair = try Pair(loop, server: options)
            pair.server.register(unary: "/t.S/Echo") { request, _, reply in reply(.success(request))
            }
            let peer = try RawPeer(loop, to: pair.server.address, saying: bytes)
            peer.onClose = {
                // The process is well: another client is served.
                pair.channel.unary("/t.S/Echo", [7], deadline: loop.now + .seconds(10)) { result in
                    if (try? result.get()) == [7] { promise.succeed(peer.text) }
                    pair.channel.close()
                    pair.server.close()
                }
            }
        }
    }

    @Test("tells an HTTP/1 client what it speaks")
    func http1() async throws {
        try await withLoop { loop in
            let text = try await answer(loop, to: Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            #expect(text.hasPrefix("HTTP/1.1 426 "))
            #expect(text.hasSuffix("This port speaks gRPC over HTTP/2.\r\n"))
        }
    }

    @Test("closes on garbage, on TLS in clear, and on an oversized frame")
    func garbage() async throws {
        try await withLoop { loop in
            let hello: [UInt8] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]
            let oversized: [UInt8] = Self.preface + [0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1]
            for bytes in [[0, 1, 2, 3], hello, Array("INVALID\r\n\r\n".utf8), oversized] {
                let text = try await answer(loop, to: bytes)
                #expect(!text.hasPrefix("HTTP/1"))
            }
        }
    }

    @Test("closes on half a greeting and then silence")
    func silence() async throws {
        try await withLoop { loop in
            for bytes in [[], Array(Self.preface.prefix(10)), Self.preface + [0, 0]] {
                _ = try await answer(loop, to: bytes, handshake: .milliseconds(300))
            }
        }
    }

    @Test("says what it is to a browser")
    func plainGet() async throws {
        try await withLoop { loop in
            let text = try await loop.wait(String.self) { promise in
                let pair = try Pair(loop)
                let get = PlainGet(loop, pair.server.address) { text in
                    promise.succeed(text)
                    pair.server.close()
                }
                try get.start()
            }
            #expect(text == "200 Millrace control port: gRPC over HTTP/2.\n")
        }
    }

    @Test("of blocks closes on garbage too")
    func blockGarbage() async throws {
        try await withLoop { loop in
            let token = BlockMessages.hello(token: nil)
            let good = Frame(kind: .hello, stream: 0, payload: token).bytes(checksum: true)
            var corrupt = good
            corrupt[corrupt.count - 1] ^= 1
            let early = Frame(kind: .fetch, stream: 1, payload: [0]).bytes(checksum: true)
            let nonsense =
                good
                + Frame(kind: .fetch, stream: 1, payload: [255, 255, 255]).bytes(checksum: true)
            for bytes in [
                [0, 1, 2, 3], corrupt, early, nonsense, Array("GET / HTTP/1.1\r\n\r\n".utf8),
            ] {
                let isRefused = try await loop.wait(Bool.self) { promise in
                    let server = try BlockServer(
                        loop: loop, address: .loopback(), provider: TableProvider())
                    let peer = try RawPeer(loop, to: server.address, saying: bytes)
                    peer.onClose = {
                        promise.succeed(peer.received.contains(FrameKind.refusal.rawValue))
                        server.close()
                    }
                }
                #expect(isRefused)
            }
        }
    }
}

/// `GET /` by HTTP/2, and the status and text that come back.
private final class PlainGet: HTTP2ConnectionOwner, HTTP2StreamDelegate {
    private let loop: EventLoop
    private let address: SocketAddress
    private let done: (String) -> Void
    private var connection: HTTP2Connection?
    private var text = ""

    init(_ loop: EventLoop, _ address: SocketAddress, done: @escaping (String) -> Void) {
        self.loop = loop
        self.address = address
        self.done = done
    }

    func start() throws {
        connection = try HTTP2Connection.connect(
            address, loop: loop, tls: nil, options: .init(), owner: self)
        // Owners are not kept by their connections.
        loop.schedule(after: .seconds(20)) { [self] in connection?.close(nil) }
    }

    func connectionReady(_ connection: HTTP2Connection) {
        let stream = HTTP2Stream(.init())
        stream.delegate = self
        var block = HTTP2HeaderBlock()
        for (name, value) in [
            (":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"),
        ] {
            block.append(name, value)
        }
        try? connection.session?.open(stream, block)
        stream.end()
    }

    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers) {
        text += "\(headers.status) "
    }
    func stream(_ stream: HTTP2Stream, received data: UnsafeRawBufferPointer) {
        text += String(decoding: data, as: UTF8.self)
    }
    func streamReceivedEnd(_ stream: HTTP2Stream) {}
    func streamHasRoom(_ stream: HTTP2Stream) {}
    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) { done(text) }
    func connection(
        _ connection: HTTP2Connection, opened stream: HTTP2Stream, _ headers: HTTP2Headers
    ) {}
    func connectionGoesAway(_ connection: HTTP2Connection) {}
    func connectionEnded(_ connection: HTTP2Connection, _ error: NetError?) {}
}
