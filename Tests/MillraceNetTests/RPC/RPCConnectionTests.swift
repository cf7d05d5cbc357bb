import MillraceBase
import Synchronization
import Testing

@testable import MillraceNet

@Suite("An RPC connection") struct RPCConnectionTests {
    @Test("that cannot be made ends its calls with UNAVAILABLE, and the next attempt may succeed")
    func refused() async throws {
        try await withLoop { loop in
            let (first, second) = try await loop.wait((RPCStatus.Code, RPCStatus.Code).self) {
                promise in
                let listener = try Listener(loop: loop, address: .loopback()) { _, _ in }
                let address = listener.address
                listener.close()
                // The port is free when the listener is gone.
                loop.atTickEnd { [weak listener] in precondition(listener == nil) }
                loop.schedule(after: .milliseconds(1)) {
                    let channel = RPCChannel(loop: loop, target: Endpoint(address))
                    channel.unary("/t.S/Any", [], deadline: nil) { result in
                        guard case .failure(let failure) = result else { return }
                        do {
                            let server = try RPCServer(loop: loop, address: address)
                            channel.unary("/t.S/Any", [], deadline: nil) { result in
                                if case .failure(let status) = result {
                                    promise.succeed((failure.code, status.code))
                                }
                                channel.close()
                                server.close()
                            }
                        } catch { promise.fail(error) }
                    }
                }
            }
            #expect(first == .unavailable)
            #expect(second == .unimplemented)
        }
    }

    @Test("that is lost ends its calls on both sides, and the channel makes another")
    func lost() async throws {
        try await withLoop { loop in
            let codes = try await loop.wait([RPCStatus.Code].self) { promise in
                var codes: [RPCStatus.Code] = []
                let first = try RPCServer(loop: loop, address: .loopback())
                let address = first.address
                first.register(method: "/t.S/Wait") { call in
                    call.onCancel = { codes.append($0.code) }
                    call.onMessage = { _ in first.close() }
                }
                let channel = RPCChannel(loop: loop, target: Endpoint(address))
                let call = channel.call("/t.S/Wait")
                call.onEnd = { status, _ in
                    codes.append(status.code)
                    do {
                        let second = try RPCServer(loop: loop, address: address)
                        second.register(unary: "/t.S/Echo") { request, _, reply in
                            reply(.success(request))
                        }
                        channel.unary("/t.S/Echo", [1], deadline: loop.now + .seconds(5)) {
                            result in
                            codes.append((try? result.get()) == [1] ? .ok : .unknown)
                            promise.succeed(codes)
                            channel.close()
                            second.close()
                        }
                    } catch { promise.fail(error) }
                }
                call.send([])
            }
            #expect(codes == [.unavailable, .unavailable, .ok])
        }
    }

    @Test("shuts down gracefully: open calls end well, new ones are not taken")
    func graceful() async throws {
        try await withLoop { loop in
            let events = try await loop.wait([String].self) { promise in
                var events: [String] = []
                let pair = try Pair(loop)
                pair.server.register(method: "/t.S/Long") { call in
                    call.onMessage = { [unowned call] _ in
                        pair.server.shutdown(grace: .seconds(10)) {
                            events.append("shut down")
                            promise.succeed(events)
                        }
                        loop.schedule(after: .milliseconds(100)) { [call] in
                            call.send([1])
                            call.finish()
                        }
                    }
                }
                let call = pair.channel.call("/t.S/Long")
                call.onMessage = { _ in events.append("answer") }
                call.onEnd = { status, _ in
                    events.append("\(status)")
                    pair.channel.unary("/t.S/Long", [], deadline: loop.now + .seconds(5)) {
                        result in
                        if case .failure(let status) = result {
                            #expect(status.code == .unavailable)
                        }
                    }
                }
                call.send([])
            }
            #expect(events == ["answer", "OK", "shut down"])
        }
    }

    @Test("to a peer that has gone silent is found dead by its pings")
    func keepAlive() async throws {
        try await withLoop { loop in
            let status = try await loop.wait(RPCStatus.self) { promise in
                var peers: [RawPeer] = []
                let emptySettings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
                let listener = try Listener(loop: loop, address: .loopback()) { socket, address in
                    peers.append(RawPeer(loop, accepted: socket, address, saying: emptySettings))
                }
                var options = RPCChannelOptions()
                options.connection.keepAliveInterval = .milliseconds(20)
                options.connection.keepAliveTimeout = .milliseconds(40)
                let channel = RPCChannel(
                    loop: loop, target: Endpoint(listener.address), options: options)
                channel.unary("/t.S/Any", [], deadline: nil) { result in
                    if case .failure(let status) = result { promise.succeed(status) }
                    listener.close()
                    for peer in peers { peer.close() }
                }
            }
            #expect(status.code == .unavailable)
            #expect(status.message.contains("ping"))
        }
    }

    @Test("to a peer that never speaks HTTP/2 is given up")
    func silentServer() async throws {
        try await withLoop { loop in
            let status = try await loop.wait(RPCStatus.self) { promise in
                var peers: [RawPeer] = []
                let listener = try Listener(loop: loop, address: .loopback()) { socket, address in
                    peers.append(RawPeer(loop, accepted: socket, address, saying: []))
                }
                var options = RPCChannelOptions()
                options.connection.handshakeTimeout = .milliseconds(50)
                let channel = RPCChannel(
                    loop: loop, target: Endpoint(listener.address), options: options)
                channel.unary("/t.S/Any", [], deadline: nil) { result in
                    if case .failure(let status) = result { promise.succeed(status) }
                    listener.close()
                    for peer in peers { peer.close() }
                }
            }
            #expect(status.code == .unavailable)
        }
    }

    @Test("resolves names")
    func names() async throws {
        try await withLoop { loop in
            let codes = try await loop.wait([RPCStatus.Code].self) { promise in
                let server = try RPCServer(loop: loop, address: .loopback())
                let good = RPCChannel(
                    loop: loop, target: Endpoint(host: "localhost", port: server.address.port))
                let bad = RPCChannel(
                    loop: loop, target: Endpoint(host: "no.such.host.invalid", port: 1))
                var codes: [RPCStatus.Code] = []
                good.unary("/t.S/Any", [], deadline: loop.now + .seconds(15)) { result in
                    if case .failure(let status) = result { codes.append(status.code) }
                    bad.unary("/t.S/Any", [], deadline: loop.now + .seconds(15)) { result in
                        if case .failure(let status) = result { codes.append(status.code) }
                        promise.succeed(codes)
                        good.close()
                        server.close()
                    }
                }
            }
            #expect(codes.first == .unimplemented)
            #expect(codes.last == .unavailable || codes.last == .deadlineExceeded)
        }
    }

    @Test("works over IPv6, where the machine has it")
    func ipv6() async throws {
        try await withLoop { loop in
            let answer = try await loop.wait([UInt8]?.self) { promise in
                guard
                    let server = try? RPCServer(
                        loop: loop, address: SocketAddress(host: "::1", port: 0))
                else {
                    print("skipped: no IPv6 on this machine")
                    return promise.succeed(nil)
                }
                server.register(unary: "/t.S/Echo") { request, _, reply in
                    reply(.success(request))
                }
                let channel = RPCChannel(loop: loop, target: Endpoint(server.address))
                channel.unary("/t.S/Echo", [6], deadline: loop.now + .seconds(10)) { result in
                    promise.succeed((try? result.get()) ?? [])
                    channel.close()
                    server.close()
                }
            }
            #expect(answer == nil || answer == [6])
        }
    }

    @Test("of a loop that stops ends its calls on that loop")
    func loopStops() async throws {
        let loop = try EventLoop(name: "ends")
        try loop.start()
        let ends = Mutex<[RPCStatus.Code]>([])
        try loop.sync {
            let pair = try Pair(loop)
            pair.server.register(method: "/t.S/Wait") { call in
                call.onMessage = { _ in loop.stop() }
                call.onCancel = { status in ends.withLock { $0.append(status.code) } }
            }
            let call = pair.channel.call("/t.S/Wait")
            call.onEnd = { status, _ in
                #expect(loop.isOnLoop)
                ends.withLock { $0.append(status.code) }
            }
            call.send([])
        }
        #expect(loop.join())
        #expect(ends.withLock { $0 } == [.unavailable, .unavailable])
    }

    @Test("closed in the middle of its own callbacks does no harm")
    func closeWithinCallback() async throws {
        try await withLoop { loop in
            let status = try await loop.wait(RPCStatus.self) { promise in
                let pair = try Pair(loop)
                pair.server.register(method: "/t.S/Flood") { call in
                    call.onMessage = { [unowned call] _ in
                        for _ in 0..<100 { call.send([1, 2, 3]) }
                    }
                }
                let call = pair.channel.call("/t.S/Flood")
                var count = 0
                call.onMessage = { _ in
                    count += 1
                    if count == 3 { pair.channel.close() }
                    #expect(count <= 3)
                }
                call.onEnd = { status, _ in
                    promise.succeed(status)
                    pair.server.close()
                }
                call.send([])
            }
            #expect(status.code == .unavailable)
        }
    }
}
