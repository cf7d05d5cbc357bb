import MillraceBase
import MillraceNet
import Synchronization
import Testing

@testable import MillraceExecutor

/// Fetches over real connections to servers that come and go; those that wait are threads.
@Suite struct NetworkBlockFetcherTests {
    private let peer = ExecutorID(4)

    @Test("a peer that is away for a moment is asked again, only for what has not come")
    func comesBack() throws {
        let world = try FetchWorld(["millrace.shuffle.fetch.retryWait": "20ms"])
        defer { world.stop() }
        let back = NotedBlocks { name, _ in .bytes(Array(name.utf8)) }
        let dying = NotedBlocks { [peer] name, _ in
            guard name == "b" else { return .bytes(Array(name.utf8)) }
            world.killServer { try world.serve(back, as: peer) }
            return .later { _ in }
        }
        try world.serve(dying, as: peer)
        let fetch = world.fetcher.start(names: ["a", "b", "c"], from: peer)
        #expect(try fetch.wait() == ["a", "b", "c"].map { Array($0.utf8) })
        #expect(dying.asked.prefix(2) == ["a", "b"])
        #expect(!back.asked.contains("a") && back.asked.contains("b"), "\(back.asked)")
    }

    @Test("gives up after the attempts of the settings and names the block that is missing")
    func givesUp() throws {
        let world = try FetchWorld(["millrace.shuffle.fetch.retryWait": "1ms"])
        defer { world.stop() }
        let dying = NotedBlocks { _, _ in
            world.killServer()
            return .bytes([1])
        }
        try world.serve(dying, as: peer)
        let first = world.fetcher.start(names: ["a"], from: peer)
        _ = try? first.wait()
        let fetch = world.fetcher.start(names: ["a", "b"], from: peer)
        let error = #expect(throws: BlockFetchError.self) { try fetch.wait() }
        #expect(error?.index == 0)
        #expect(error?.message.hasSuffix(", after 4 attempts") == true, "\(error!)")
    }

    @Test("an answer is no reason to ask again, and the others are not waited for")
    func answered() throws {
        let world = try FetchWorld(["millrace.shuffle.fetch.retryWait": "1h"])
        defer { world.stop() }
        let blocks = NotedBlocks { name, _ in
            name == "no"
                ? .failure(.notFound(name)) : name == "later" ? .later { _ in } : .bytes([])
        }
        try world.serve(blocks, as: peer)
        let fetch = world.fetcher.start(names: ["yes", "later", "no", "later"], from: peer)
        #expect(throws: BlockFetchError(index: 2, message: "no such block: no")) {
            try fetch.wait()
        }
        try world.waitUntil(fetches: 0, pauses: 0)
    }

    /// A fetch whose next attempt is more than ten minutes away.
    private func pausedFetch(
        _ world: FetchWorld
    ) throws -> (NetworkFetch, WaitingThread<[[UInt8]]>) {
        let blocks = NotedBlocks { _, _ in
            world.killServer()
            return .later { _ in }
        }
        try world.serve(blocks, as: peer)
        let fetch = world.fetcher.start([BlockRequest(key: [7])], peer)
        let waiting = try WaitingThread { try fetch.wait() }
        try world.waitUntil(fetches: 1, pauses: 1)
        return (fetch, waiting)
    }
    private let long = [
        "millrace.shuffle.fetch.retryWait": "1h", "millrace.network.timeout": "24h",
    ]

    @Test("a task that is killed waits no longer, and nothing is asked for it any more")
    func cancelled() throws {
        let world = try FetchWorld(long)
        defer { world.stop() }
        let (fetch, waiting) = try pausedFetch(world)
        fetch.cancel()
        #expect(throws: BlockFetchError(index: 0, message: "the task is wanted no more")) {
            try waiting.result()
        }
        try world.waitUntil(fetches: 0, pauses: 0)
    }

    @Test("who is gone for good is not waited for")
    func removed() throws {
        let world = try FetchWorld(long)
        defer { world.stop() }
        let (_, waiting) = try pausedFetch(world)
        try world.loop.sync { [peer] in world.fetcher.remove(peer) }
        #expect(throws: BlockFetchError(index: 0, message: "executor 4 is gone")) {
            try waiting.result()
        }
        try world.waitUntil(fetches: 0, pauses: 0)
    }

    @Test("a fetch whose deadline is over ends, with nothing left behind")
    func deadline() throws {
        let world = try FetchWorld([
            "millrace.network.timeout": "100ms", "millrace.executor.heartbeatInterval": "50ms",
        ])
        defer { world.stop() }
        try world.serve(NotedBlocks { _, _ in .later { _ in } }, as: peer)
        let fetch = world.fetcher.start(names: ["a"], from: peer)
        #expect(throws: BlockFetchError.self) { try fetch.wait() }
        try world.waitUntil(fetches: 0, pauses: 0)
    }
}
