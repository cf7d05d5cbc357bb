import MillraceBase
import Testing

@testable import MillraceNet

/// A server and a channel to it, on one loop.
final class Pair {
    let server: RPCServer
    let channel: RPCChannel

    init(
        _ loop: EventLoop, server serverOptions: RPCServerOptions = .init(),
        channel channelOptions: RPCChannelOptions = .init(), serverTLS: TLSContext? = nil,
        clientTLS: TLSContext? = nil
    ) throws {
        server = try RPCServer(
            loop: loop, address: .loopback(), tls: serverTLS, options: serverOptions)
        channel = RPCChannel(
            loop: loop, target: Endpoint(server.address), tls: clientTLS, options: channelOptions)
    }
}

@Suite("A gRPC call") struct RPCCallTests {
    @Test("of one request and one response")
    func unary() async throws {
        try await withLoop { loop in
            let answer = try await loop.wait([UInt8].self) { promise in
                let pair = try Pair(loop)
                pair.server.register(unary: "/t.S/Reverse") { request, _, reply in
                    reply(.success(request.reversed()))
                }
                pair.channel.unary("/t.S/Reverse", [1, 2, 3], deadline: nil) { result in
                    promise.succeed((try? result.get()) ?? [])
                    pair.server.close()
                }
            }
            #expect(answer == [3, 2, 1])
        }
    }

    @Test("with many responses")
    func serverStreaming() async throws {
        try await withLoop { loop in
            let sizes = try await loop.wait([Int].self) { promise in
                let pair = try Pair(loop)
                pair.server.register(method: "/t.S/Count") { call in
                    call.onMessage = { [unowned call] request in
                        for size in request {
                            call.send([UInt8](repeating: 7, count: Int(size) * 1_000))
                        }
                        call.finish()
                    }
                }
                let call = pair.channel.call("/t.S/Count")
                var sizes: [Int] = []
                call.onMessage = { sizes.append($0.count) }
                call.onEnd = { status, _ in
                    #expect(status == .ok)
                    promise.succeed(sizes)
                    pair.server.close()
                }
                call.send([0, 1, 2, 200])
                call.halfClose()
            }
            #expect(sizes == [0, 1_000, 2_000, 200_000])
        }
    }

    @Test("with many requests")
    func clientStreaming() async throws {
        try await withLoop { loop in
            let sum = try await loop.wait([UInt8].self) { promise in
                let pair = try Pair(loop)
                pair.server.register(method: "/t.S/Sum") { call in
                    var sum: UInt8 = 0
                    call.onMessage = { sum += $0.reduce(0, +) }
                    call.onHalfClose = { [unowned call] in
                        call.send([sum])
                        call.finish()
                    }
                }
                let call = pair.channel.call("/t.S/Sum")
                call.onMessage = { promise.succeed($0) }
                call.onEnd = { _, _ in pair.server.close() }
                for value in 1...10 as ClosedRange<UInt8> { call.send([value]) }
                call.halfClose()
            }
            #expect(sum == [55])
        }
    }

    @Test("in both directions at once, message by message")
    func bidirectional() async throws {
        try await withLoop { loop in
            let count = try await loop.wait(Int.self) { promise in
                let pair = try Pair(loop)
                pair.server.register(method: "/t.S/Echo") { call in
                    call.onMessage = { [unowned call] in call.send($0) }
                    call.onHalfClose = { [unowned call] in call.finish() }
                }
                let call = pair.channel.call("/t.S/Echo")
                var count = 0
                call.onMessage = { [unowned call] message in
                    #expect(
                        message
                            == [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count))
                    count += 1
                    if count < 500 {
                        call.send(
                            [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count))
                    } else {
                        call.halfClose()
                    }
                }
                call.onEnd = { status, _ in
                    #expect(status == .ok)
                    promise.succeed(count)
                    pair.server.close()
                }
                call.send([])
            }
            #expect(count == 500)
        }
    }

    @Test("carries metadata both ways, binary values too")
    func metadata() async throws {
        try await withLoop { loop in
            let (initial, trailers) = try await loop.wait((RPCMetadata, RPCMetadata).self) {
                promise in
                let pair = try Pair(loop)
                pair.server.register(method: "/t.S/Meta") { call in
                    call.onHalfClose = { [unowned call] in
                        call.sendInitialMetadata(["x-name": call.metadata["x-name"] ?? "?"])
                        var trailers: RPCMetadata = [:]
                        trailers.append("x-raw-bin", bytes: call.metadata.bytes("x-raw-bin") ?? [])
                        call.finish(.init(.aborted, "sorry: 100 % façade\n"), trailers: trailers)
                    }
                }
                var sent: RPCMetadata = ["X-Name": "millrace"]
                sent.append("x-raw-bin", bytes: [0, 255, 10])
                let call = pair.channel.call("/t.S/Meta", metadata: sent)
                var initial: RPCMetadata = [:]
                call.onInitialMetadata = { initial = $0 }
                call.onEnd = { status, trailers in
                    #expect(status == RPCStatus(.aborted, "sorry: 100 % façade\n"))
                    promise.succeed((initial, trailers))
                    pair.server.close()
                }
                call.halfClose()
            }
            #expect(initial["x-name"] == "millrace")
            #expect(trailers.bytes("x-raw-bin") == [0, 255, 10])
        }
    }

    @Test("of an unknown method or service is UNIMPLEMENTED")
    func unimplemented() async throws {
        try await withLoop { loop in
            for method in ["/t.S/Nothing", "/t.Nobody/Nothing"] {
                let status = try await loop.wait(RPCStatus.self) { promise in
                    let pair = try Pair(loop)
                    pair.server.register(unary: "/t.S/Known") { _, _, reply in reply(.success([])) }
                    pair.channel.unary(method, [], deadline: nil) { result in
                        if case .failure(let status) = result { promise.succeed(status) }
                        pair.server.close()
                    }
                }
                #expect(status.code == .unimplemented)
            }
        }
    }

    @Test("ends on both sides when its deadline passes")
    func deadline() async throws {
        try await withLoop { loop in
            let (client, server) = try await loop.wait((RPCStatus, RPCStatus).self) { promise in
                let pair = try Pair(loop)
                var ends: [RPCStatus] = []
                var serverEnd: RPCStatus?
                func check() {
                    guard let end = ends.first, let serverEnd else { return }
                    promise.succeed((end, serverEnd))
                    pair.server.close()
                }
                pair.server.register(method: "/t.S/Sleep") { call in
                    #expect(call.deadline != nil)
                    call.onCancel = { status in
                        serverEnd = status
                        check()
                    }
                }
                let call = pair.channel.call("/t.S/Sleep", deadline: loop.now + .milliseconds(50))
                call.onEnd = { status, _ in
                    ends.append(status)
                    check()
                }
                call.send([])
            }
            #expect(client.code == .deadlineExceeded)
            #expect([RPCStatus.Code.deadlineExceeded, .cancelled].contains(server.code))
        }
    }

    @Test("cancelled by the client is told to the server")
    func cancellation() async throws {
        try await withLoop { loop in
            let status = try await loop.wait(RPCStatus.self) { promise in
                let pair = try Pair(loop)
                pair.server.register(method: "/t.S/Wait") { call in
                    call.onMessage = { [unowned call] _ in call.send([1]) }
                    call.onCancel = { status in
                        promise.succeed(status)
                        pair.server.close()
                    }
                }
                let call = pair.channel.call("/t.S/Wait")
                call.onMessage = { [unowned call] _ in call.cancel() }
                call.onEnd = { status, _ in #expect(status.code == .cancelled) }
                call.send([])
            }
            #expect(status.code == .cancelled)
        }
    }
}
