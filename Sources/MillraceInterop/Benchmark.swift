import MillraceBase
import MillraceNet

/// What the network layer does in a second on this machine: two loops, loopback, in clear.
///
/// One line per measure, `name value unit`. Nothing here passes or fails.
enum Benchmark {
    static func run(seconds: Int) throws {
        let serverLoop = try EventLoop(name: "bench-server")
        let clientLoop = try EventLoop(name: "bench-client")
        try serverLoop.start()
        try clientLoop.start()
        let (target, blocks) = try serverLoop.sync {
            let server = try RPCServer(loop: serverLoop, address: .loopback())
            server.register(unary: "/bench.B/Echo") { request, _, reply in reply(.success(request))
            }
            server.register(method: "/bench.B/Stream") { call in
                call.onMessage = { [unowned call] in call.send($0) }
                call.onHalfClose = { [unowned call] in call.finish() }
            }
            let blocks = try BlockServer(
                loop: serverLoop, address: .loopback(), provider: OneBlock())
            return (Endpoint(server.address), Endpoint(blocks.address))
        }
        for (name, unit, inFlight, measure) in [
            ("unary round trip, 1 in flight", "calls/s", 1, unary),
            ("unary, 64 in flight", "calls/s", 64, unary),
            ("stream round trip of 100 bytes, 1 in flight", "messages/s", 1, stream),
            ("stream round trip of 100 bytes, 1024 in flight", "messages/s", 1_024, stream),
        ]
            as [(
                String, String, Int,
                @Sendable (EventLoop, Endpoint, Int, Int, @escaping (Int) -> Void) -> Void
            )]
        {
            let count = try wait(clientLoop, seconds) {
                measure(clientLoop, target, inFlight, seconds, $0)
            }
            say("\(name): \(count / seconds) \(unit)")
        }
        let bytes = try wait(clientLoop, seconds) { fetch(clientLoop, blocks, seconds, $0) }
        say("block stream, blocks of 1 MiB with checksums: \((bytes >> 20) / seconds) MiB/s")
        for loop in [clientLoop, serverLoop] {
            loop.stop()
            loop.join()
        }
    }

    /// Starts a measure on the loop and waits for its count.
    private static func wait(
        _ loop: EventLoop, _ seconds: Int,
        _ body: @escaping @Sendable (@escaping (Int) -> Void) -> Void
    ) throws -> Int {
        let outcome = Outcome()
        loop.post { body { outcome.set(String($0)) } }
        return Int(outcome.wait() ?? "") ?? 0
    }

    @Sendable private static func unary(
        _ loop: EventLoop, _ target: Endpoint, _ inFlight: Int, _ seconds: Int,
        _ done: @escaping (Int) -> Void
    ) {
        let channel = RPCChannel(loop: loop, target: target)
        let request = [UInt8](repeating: 1, count: 100)
        let end = loop.now + .seconds(seconds)
        var count = 0
        var open = inFlight
        func next() {
            channel.unary("/bench.B/Echo", request, deadline: nil) { result in
                if case .success = result { count += 1 }
                if loop.now < end, case .success = result { return next() }
                open -= 1
                guard open == 0 else { return }
                channel.close()
                done(count)
            }
        }
        for _ in 0..<inFlight { next() }
    }

    @Sendable private static func stream(
        _ loop: EventLoop, _ target: Endpoint, _ inFlight: Int, _ seconds: Int,
        _ done: @escaping (Int) -> Void
    ) {
        let channel = RPCChannel(loop: loop, target: target)
        let message = [UInt8](repeating: 1, count: 100)
        let end = loop.now + .seconds(seconds)
        var count = 0
        let call = channel.call("/bench.B/Stream")
        call.onMessage = { [unowned call] _ in
            count += 1
            if loop.now < end { call.send(message) } else { call.halfClose() }
        }
        call.onEnd = { _, _ in
            channel.close()
            done(count)
        }
        for _ in 0..<inFlight { call.send(message) }
    }

    private static func fetch(
        _ loop: EventLoop, _ peer: Endpoint, _ seconds: Int, _ done: @escaping (Int) -> Void
    ) {
        let client = BlockClient(loop: loop)
        let end = loop.now + .seconds(seconds)
        let requests = [BlockRequest](repeating: BlockRequest(key: [1]), count: 16)
        var bytes = 0
        func next() {
            let deadline = loop.now + .seconds(60)
            client.fetch(peer, requests, deadline: deadline) { index, result in
                bytes += (try? result.get())?.count ?? 0
                guard index == requests.count - 1 else { return }
                if loop.now < end { return next() }
                client.close()
                done(bytes)
            }
        }
        next()
    }
}

/// A mebibyte, whatever is asked for.
private final class OneBlock: BlockProvider {
    private let bytes = [UInt8](repeating: 5, count: 1 << 20)
    func content(of request: BlockRequest) -> BlockContent { .bytes(bytes) }
}
