import MillraceBase
import MillraceNet
import Synchronization
import Testing

@testable import MillraceExecutor

/// A fetcher and a server on one loop, for tests that wait on their own threads.
///
/// `@unchecked Sendable`: what changes belongs to the loop.
final class FetchWorld: @unchecked Sendable {
    static let limit = Duration.seconds(20)
    let loop: EventLoop
    let fetcher: NetworkBlockFetcher
    private var server: BlockServer?
    private var port: UInt16 = 0

    init(_ settings: [String: String] = [:]) throws {
        var settings = settings
        settings["millrace.shuffle.readHostLocalDisk"] = "false"
        let conf = try Conf(settings)
        let loop = try EventLoop(name: "fetch-test")
        try loop.start()
        self.loop = loop
        fetcher = try loop.sync {
            NetworkBlockFetcher(
                loop: loop, client: BlockClient(loop: loop), serviceClient: BlockClient(loop: loop),
                mergeClient: BlockClient(loop: loop),
                conf: conf)
        }
    }

    func stop() {
        try? loop.sync { [self] in
            fetcher.close()
            server?.close()
        }
        loop.stop()
        loop.join()
    }

    /// Any thread; again on the same port.
    func serve(_ provider: NotedBlocks, as executor: ExecutorID) throws {
        try loop.sync { [self] in
            let server = try BlockServer(
                loop: loop, address: SocketAddress(host: "127.0.0.1", port: Int(port)),
                provider: provider)
            self.server = server
            port = server.address.port
            fetcher.add(executor, at: Endpoint(server.address), isService: false)
        }
    }

    /// After this turn of the loop.
    func killServer(_ then: @escaping @Sendable () throws -> Void = {}) {
        loop.post { [self] in
            server?.close()
            server = nil
            do { try then() } catch { Issue.record(error) }
        }
    }

    /// Fetches that somebody waits for, and how many of them wait for their next attempt.
    func underWay() throws -> (fetches: Int, pauses: Int) {
        try loop.sync(within: Self.limit) { [fetcher] in
            (fetcher.fetchesUnderWay, fetcher.fetchesPaused)
        }
    }

    func waitUntil(fetches: Int, pauses: Int) throws {
        let end = ContinuousClock.now + Self.limit
        while try underWay() != (fetches, pauses) {
            guard ContinuousClock.now < end else {
                Issue.record("\(try underWay()) fetches and pauses")
                return
            }
        }
    }
}

/// Blocks that are made when they are asked for, and what was asked for.
final class NotedBlocks: BlockProvider, Sendable {
    private let make: @Sendable (_ name: String, _ timesBefore: Int) -> BlockContent
    private let noted = Mutex<[String]>([])
    var asked: [String] { noted.withLock { $0 } }

    init(_ make: @escaping @Sendable (_ name: String, _ timesBefore: Int) -> BlockContent) {
        self.make = make
    }

    func content(of request: BlockRequest) -> BlockContent {
        let name = String(decoding: request.key, as: UTF8.self)
        let before = noted.withLock { noted in
            defer { noted.append(name) }
            return noted.count { $0 == name }
        }
        return make(name, before).part(request)
    }
}

/// Something that waits, on a thread of its own.
final class WaitingThread<Value: Sendable>: Sendable {
    private final class Slot: Sendable { let result = Mutex<Result<Value, any Error>?>(nil) }
    private let slot = Slot()
    private let thread: TaskThread

    init(_ body: @escaping @Sendable () throws -> Value) throws {
        thread = try TaskThread(name: "waits") { [slot] in
            let result = Result { try body() }
            slot.result.withLock { $0 = result }
        }
    }

    /// Of what it did; waits for its end.
    func result() throws -> Value {
        thread.join()
        return try slot.result.withLock { $0! }.get()
    }
}
