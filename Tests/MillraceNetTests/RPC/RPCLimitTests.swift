import MillraceBase
import Testing

@testable import MillraceNet

@Suite("gRPC's limits and backpressure") struct RPCLimitTests {
    @Test("refuse a message above the limit, at the server and at the client")
    func messageSize() async throws {
        try await withLoop { loop in
            for isServerLimited in [true, false] {
                let status = try await loop.wait(RPCStatus.self) { promise in
                    var server = RPCServerOptions()
                    var channel = RPCChannelOptions()
                    if isServerLimited {
                        server.connection.maxReceiveMessageSize = .kibibytes(10)
                    } else {
                        channel.connection.maxReceiveMessageSize = .kibibytes(10)
                    }
                    let pair = try Pair(loop, server: server, channel: channel)
                    pair.server.register(unary: "/t.S/Echo") { request, _, reply in
                        reply(.success(request))
                    }
                    let large = [UInt8](repeating: 0, count: 10 * 1_024 + 1)
                    pair.channel.unary("/t.S/Echo", large, deadline: nil) { result in
                        if case .failure(let status) = result { promise.succeed(status) }
                        pair.server.close()
                    }
                }
                #expect(status.code == .resourceExhausted)
            }
        }
    }

    @Test("hold back a sender whose receiver has paused, and nobody else")
    func backpressure() async throws {
        try await withLoop { loop in
            let (queued, other, total) = try await loop.wait((Int, Bool, Int).self) { promise in
                let pair = try Pair(loop)
                pair.server.register(unary: "/t.S/Echo") { request, _, reply in
                    reply(.success(request))
                }
                let chunk = [UInt8](repeating: 1, count: 64 * 1_024)
                var queued = 0
                pair.server.register(method: "/t.S/Flood") { call in
                    var left = 400
                    func pump() {
                        while left > 0, call.isWritable {
                            left -= 1
                            call.send(chunk)
                        }
                        queued = max(queued, call.queuedBytes)
                        if left == 0 { call.finish() }
                    }
                    call.onMessage = { _ in pump() }
                    call.onWritable = { pump() }
                }
                let call = pair.channel.call("/t.S/Flood")
                var total = 0
                var other = false
                call.onMessage = { [unowned call] message in
                    if total == 0 {
                        call.pauseReceiving()
                        // Another call of the same connection goes through meanwhile.
                        pair.channel.unary("/t.S/Echo", [1], deadline: nil) { result in
                            other = (try? result.get()) == [1] && total == chunk.count
                            call.resumeReceiving()
                        }
                    }
                    total += message.count
                }
                call.onEnd = { status, _ in
                    #expect(status == .ok)
                    promise.succeed((queued, other, total))
                    pair.server.close()
                }
                call.send([])
                call.halfClose()
            }
            #expect(other)
            #expect(total == 400 * 64 * 1_024)
            #expect(queued <= 1 << 20 + 65 * 1_024)
        }
    }

    @Test("end a call whose sender ignores that it is not writable")
    func queueLimit() async throws {
        try await withLoop { loop in
            let status = try await loop.wait(RPCStatus.self) { promise in
                var channel = RPCChannelOptions()
                channel.connection.maxQueuedBytes = .mebibytes(2)
                let pair = try Pair(loop, channel: channel)
                let call = pair.channel.call("/t.S/Any")
                call.onEnd = { status, _ in
                    promise.succeed(status)
                    pair.server.close()
                }
                for _ in 0..<3 { call.send([UInt8](repeating: 0, count: 1 << 20)) }
            }
            #expect(status.code == .resourceExhausted)
        }
    }

    @Test("refuse headers above the limit")
    func headerSize() async throws {
        try await withLoop { loop in
            let status = try await loop.wait(RPCStatus.self) { promise in
                var server = RPCServerOptions()
                server.connection.maxHeaderListSize = .kibibytes(4)
                let pair = try Pair(loop, server: server)
                let metadata: RPCMetadata = ["x-long": String(repeating: "x", count: 5_000)]
                pair.channel.unary(
                    "/t.S/Any", [], metadata: metadata, deadline: loop.now + .seconds(10)
                ) { result in
                    if case .failure(let status) = result { promise.succeed(status) }
                    pair.server.close()
                }
            }
            #expect(status.code != .ok && status.code != .deadlineExceeded)
        }
    }

    @Test("let calls wait for their turn when the server takes few at a time")
    func concurrentStreams() async throws {
        try await withLoop { loop in
            let most = try await loop.wait(Int.self) { promise in
                var options = RPCServerOptions()
                options.maxConcurrentStreams = 4
                let pair = try Pair(loop, server: options)
                var open = 0
                var most = 0
                pair.server.register(unary: "/t.S/Slow") { _, _, reply in
                    open += 1
                    most = max(most, open)
                    loop.schedule(after: .milliseconds(1)) {
                        open -= 1
                        reply(.success([]))
                    }
                }
                pair.channel.connect()
                pair.channel.onStateChange = { state in
                    guard state == .ready else { return }
                    var left = 40
                    for _ in 0..<40 {
                        pair.channel.unary("/t.S/Slow", [], deadline: nil) { result in
                            #expect((try? result.get()) == [])
                            left -= 1
                            guard left == 0 else { return }
                            promise.succeed(most)
                            pair.server.close()
                        }
                    }
                }
            }
            #expect((1...4).contains(most))
        }
    }

    @Test("refuse to listen off loopback without asking for anything")
    func unsafeListener() async throws {
        try await withLoop { loop in
            try await loop.run {
                let everywhere = try SocketAddress(host: "0.0.0.0", port: 0)
                #expect(throws: NetError.self) { try RPCServer(loop: loop, address: everywhere) }
                #expect(throws: NetError.self) {
                    try BlockServer(loop: loop, address: everywhere, provider: TableProvider())
                }
                var options = RPCServerOptions()
                options.authorizer = .bearerToken("secret")
                try RPCServer(loop: loop, address: everywhere, options: options).close()
            }
        }
    }

    @Test("let in who has the token, and probes")
    func token() async throws {
        try await withLoop { loop in
            let codes = try await loop.wait([RPCStatus.Code].self) { promise in
                var options = RPCServerOptions()
                options.authorizer = .bearerToken("secret")
                let pair = try Pair(loop, server: options)
                pair.server.register(unary: "/t.S/Echo") { request, _, reply in
                    reply(.success(request))
                }
                let calls: [(String, RPCMetadata)] = [
                    ("/t.S/Echo", ["authorization": "Bearer secret"]),
                    ("/t.S/Echo", ["authorization": "Bearer secreT"]), ("/t.S/Echo", [:]),
                    ("/grpc.health.v1.Health/Check", [:]),
                ]
                var codes: [RPCStatus.Code] = []
                func next() {
                    guard codes.count < calls.count else {
                        promise.succeed(codes)
                        return pair.server.close()
                    }
                    let (method, metadata) = calls[codes.count]
                    pair.channel.unary(method, [], metadata: metadata, deadline: nil) { result in
                        if case .failure(let status) = result {
                            codes.append(status.code)
                        } else {
                            codes.append(.ok)
                        }
                        next()
                    }
                }
                next()
            }
            #expect(codes == [.ok, .unauthenticated, .unauthenticated, .ok])
        }
    }
}
