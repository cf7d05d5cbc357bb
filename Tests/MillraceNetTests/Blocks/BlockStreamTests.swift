import Glibc
import MillraceBase
import Synchronization
import Testing

@testable import MillraceNet

/// Blocks in memory, and one in a file.
final class TableProvider: BlockProvider {
    var blocks: [[UInt8]: BlockContent] = [:]
    var receives: ([UInt8]) -> Void = { _ in }

    func content(of request: BlockRequest) -> BlockContent {
        guard let content = blocks[request.key] else {
            return .failure(.notFound(String(decoding: request.key, as: UTF8.self)))
        }
        guard case .bytes(let bytes) = content else { return content }
        let start = Int(request.offset)
        let end = request.length.map { start + Int($0) } ?? bytes.count
        return .bytes(Array(bytes[start..<end]))
    }

    func receive(_ notice: [UInt8]) { receives(notice) }
}

/// Bytes in which a piece at a wrong place shows: a prime number of them, again and again.
func pattern(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + base.count)
    while bytes.count < count { bytes.append(contentsOf: base) }
    bytes.removeLast(bytes.count - count)
    return bytes
}
private let base = (0..<4_099).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }

/// Keeps what it is given, but refuses the block 3.
private final class GatheringSink: BlockSink {
    let blocks = Mutex<[Int: [UInt8]]>([:])
    private let current = Mutex(0)

    func begin(_ index: Int, length: Int) throws(BlockError) {
        guard index != 3 else { throw .failed("no room") }
        current.withLock { $0 = index }
        blocks.withLock { $0[index] = [] }
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws(BlockError) {
        let index = current.withLock { $0 }
        blocks.withLock { $0[index]?.append(contentsOf: bytes) }
    }
}

/// Compared here, because the test library would print megabytes of a difference.
func isEqual(_ result: Result<[UInt8], BlockError>, _ bytes: [UInt8]) -> Bool {
    result == .success(bytes)
}

@Suite("The block stream") struct BlockStreamTests {
    @Test("delivers every block once, small and large, whole and in part, in order")
    func fetches() async throws {
        try await withLoop { loop in
            let results = try await loop.wait([(Int, Result<[UInt8], BlockError>)].self) {
                promise in
                let provider = TableProvider()
                provider.blocks = ["s": 10, "e": 0, "l": 5_000_000].reduce(into: [:]) {
                    $0[Array($1.key.utf8)] = .bytes(pattern($1.value))
                }
                let server = try BlockServer(loop: loop, address: .loopback(), provider: provider)
                let client = BlockClient(loop: loop)
                let requests = [
                    BlockRequest(key: Array("s".utf8)), BlockRequest(key: Array("l".utf8)),
                    BlockRequest(key: Array("no".utf8)), BlockRequest(key: Array("e".utf8)),
                    BlockRequest(key: Array("l".utf8), offset: 100, length: 1_000),
                ]
                var results: [(Int, Result<[UInt8], BlockError>)] = []
                client.fetch(Endpoint(server.address), requests, deadline: loop.now + .seconds(20))
                { index, result in
                    results.append((index, result))
                    guard results.count == requests.count else { return }
                    promise.succeed(results)
                    client.close()
                    server.close()
                }
            }
            #expect(results.map(\.0) == [0, 1, 2, 3, 4])
            #expect(isEqual(results[0].1, pattern(10)))
            #expect(isEqual(results[1].1, pattern(5_000_000)))
            #expect(results[2].1 == .failure(.notFound("no")))
            #expect(isEqual(results[3].1, []))
            #expect(isEqual(results[4].1, Array(pattern(5_000_000)[100..<1_100])))
        }
    }

    @Test("gives a sink the bytes as they come, also of a part of an array behind a prefix")
    func sinks() async throws {
        let bytes = pattern(3_000_000)
        let sink = GatheringSink()
        try await withLoop { loop in
            let results = try await loop.wait([Result<[UInt8], BlockError>].self) { promise in
                let provider = TableProvider()
                provider.blocks = [
                    Array("slice".utf8): .slice(
                        prefix: Array(bytes[..<100]), bytes[100..<2_500_000]),
                    Array("short".utf8): .slice(prefix: [1, 2, 3], []),
                    Array("bytes".utf8): .bytes(bytes),
                ]
                let server = try BlockServer(loop: loop, address: .loopback(), provider: provider)
                let client = BlockClient(loop: loop)
                let requests = ["slice", "no", "short", "refused", "bytes"].map {
                    BlockRequest(key: Array(($0 == "refused" ? "bytes" : $0).utf8))
                }
                var results: [Result<[UInt8], BlockError>] = []
                client.fetch(
                    Endpoint(server.address), requests, deadline: loop.now + .seconds(20),
                    sink: sink
                ) { _, result in
                    results.append(result)
                    guard results.count == requests.count else { return }
                    promise.succeed(results)
                    client.close()
                    server.close()
                }
            }
            #expect(
                results == [
                    .success([]), .failure(.notFound("no")), .success([]),
                    .failure(.failed("no room")), .success([]),
                ])
        }
        #expect(
            sink.blocks.withLock { $0 == [0: Array(bytes[..<2_500_000]), 2: [1, 2, 3], 4: bytes] })
    }

    @Test("tells a server something, before and after the greeting, beside its fetches")
    func notices() async throws {
        try await withLoop { loop in
            let received = try await loop.wait([[UInt8]].self) { promise in
                let provider = TableProvider()
                provider.blocks[[1]] = .bytes(pattern(100))
                let server = try BlockServer(loop: loop, address: .loopback(), provider: provider)
                let client = BlockClient(loop: loop)
                let peer = Endpoint(server.address)
                var received: [[UInt8]] = []
                provider.receives = { notice in
                    received.append(notice)
                    guard received.count == 3 else { return }
                    promise.succeed(received)
                    client.close()
                    server.close()
                }
                client.tell(peer, [])
                client.tell(peer, pattern(300_000))
                client.fetch(
                    peer, [BlockRequest(key: [1])], deadline: loop.now + .seconds(20)
                ) { _, result in
                    #expect(isEqual(result, pattern(100)))
                    client.tell(peer, [7])
                }
            }
            #expect(received == [[], pattern(300_000), [7]])
        }
    }

    @Test("sends parts of files")
    func files() async throws {
        let path = "/tmp/millrace-block-\(getpid()).data"
        defer { unlink(path) }
        let bytes = pattern(3_000_000)
        let raw = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
        #expect(Glibc.write(raw, bytes, bytes.count) == bytes.count)
        close(raw)
        try await withLoop { loop in
            let result = try await loop.wait(Result<[UInt8], BlockError>.self) { promise in
                let provider = TableProvider()
                provider.blocks[[1]] = .file(
                    try SharedFile(path: path), offset: 1_000, length: 2_500_000)
                let server = try BlockServer(loop: loop, address: .loopback(), provider: provider)
                let client = BlockClient(loop: loop)
                client.fetch(
                    Endpoint(server.address), [BlockRequest(key: [1])],
                    deadline: loop.now + .seconds(20)
                ) {
                    promise.succeed($1)
                    client.close()
                    server.close()
                }
            }
            #expect(isEqual(result, Array(bytes[1_000..<2_501_000])))
        }
    }

    @Test("serves many fetches on one connection at a time")
    func multiplexing() async throws {
        try await withLoop { loop in
            let (count, connections) = try await loop.wait((Int, Int).self) { promise in
                let provider = TableProvider()
                for number in 0..<50 as Range<UInt8> {
                    provider.blocks[[number]] = .bytes(pattern(Int(number) * 5_000))
                }
                let server = try BlockServer(loop: loop, address: .loopback(), provider: provider)
                let client = BlockClient(loop: loop)
                var count = 0
                for number in 0..<50 as Range<UInt8> {
                    let requests = [BlockRequest(key: [number]), BlockRequest(key: [49 - number])]
                    client.fetch(
                        Endpoint(server.address), requests, deadline: loop.now + .seconds(20)
                    ) { index, result in
                        let expected = Int(index == 0 ? number : 49 - number) * 5_000
                        #expect(isEqual(result, pattern(expected)))
                        count += 1
                        guard count == 100 else { return }
                        promise.succeed((count, server.openConnections))
                        client.close()
                        server.close()
                    }
                }
            }
            #expect(count == 100)
            #expect(connections == 1)
        }
    }

    @Test("refuses a client without the token, and says so")
    func wrongToken() async throws {
        try await withLoop { loop in
            let result = try await loop.wait(Result<[UInt8], BlockError>.self) { promise in
                var options = BlockOptions()
                options.token = "secret"
                let server = try BlockServer(
                    loop: loop, address: .loopback(), provider: TableProvider(), options: options)
                options.token = "guess"
                let client = BlockClient(loop: loop, options: options)
                client.fetch(
                    Endpoint(server.address), [BlockRequest(key: [1])],
                    deadline: loop.now + .seconds(20)
                ) {
                    promise.succeed($1)
                    client.close()
                    server.close()
                }
            }
            guard case .failure(.refused) = result else {
                Issue.record("\(result)")
                return
            }
        }
    }

    @Test("fails at its deadline when the peer says nothing, and when nobody is there")
    func silence() async throws {
        try await withLoop { loop in
            let late = try await loop.wait(Result<[UInt8], BlockError>.self) { promise in
                let listener = try Listener(loop: loop, address: .loopback()) { socket, _ in
                    _ = socket.release()
                }
                let client = BlockClient(loop: loop)
                client.fetch(
                    Endpoint(listener.address), [BlockRequest(key: [1])],
                    deadline: loop.now + .milliseconds(50)
                ) {
                    promise.succeed($1)
                    client.close()
                    listener.close()
                }
            }
            #expect(late == .failure(.deadlineExceeded))
            let nobody = try await loop.wait(Result<[UInt8], BlockError>.self) { promise in
                let listener = try Listener(loop: loop, address: .loopback()) { _, _ in }
                let address = listener.address
                listener.close()
                let client = BlockClient(loop: loop)
                client.fetch(
                    Endpoint(host: "127.0.0.1", port: address.port == 1 ? 2 : 1),
                    [BlockRequest(key: [1])],
                    deadline: loop.now + .seconds(20)
                ) {
                    promise.succeed($1)
                    client.close()
                }
            }
            guard case .failure(.unavailable) = nobody else {
                Issue.record("\(nobody)")
                return
            }
        }
    }

    @Test("finds out that a peer which owes blocks is gone, before the deadline")
    func lostPeer() async throws {
        try await withLoop { loop in
            let result = try await loop.wait(Result<[UInt8], BlockError>.self) { promise in
                var peers: [RawPeer] = []
                let welcome = Frame(kind: .welcome, stream: 0, payload: [1]).bytes(checksum: true)
                let listener = try Listener(loop: loop, address: .loopback()) { socket, address in
                    peers.append(RawPeer(loop, accepted: socket, address, saying: welcome))
                }
                var options = BlockOptions()
                options.keepAliveInterval = .milliseconds(20)
                options.keepAliveTimeout = .milliseconds(40)
                let client = BlockClient(loop: loop, options: options)
                client.fetch(
                    Endpoint(listener.address), [BlockRequest(key: [1])],
                    deadline: loop.now + .seconds(15)
                ) { _, result in
                    promise.succeed(result)
                    listener.close()
                    for peer in peers { peer.close() }
                }
            }
            guard case .failure(.unavailable(let why)) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(why.contains("ping"))
        }
    }

    @Test("gives up a block in the middle and goes on with the next fetch")
    func cancellation() async throws {
        try await withLoop { loop in
            let results = try await loop.wait([Result<[UInt8], BlockError>].self) { promise in
                let provider = TableProvider()
                provider.blocks[[1]] = .bytes(pattern(20_000_000))
                provider.blocks[[2]] = .bytes(pattern(100))
                let server = try BlockServer(loop: loop, address: .loopback(), provider: provider)
                let client = BlockClient(loop: loop)
                var results: [Result<[UInt8], BlockError>] = []
                let peer = Endpoint(server.address)
                var large: BlockFetch?
                large = client.fetch(
                    peer, [BlockRequest(key: [2]), BlockRequest(key: [1])],
                    deadline: loop.now + .seconds(20)
                ) { index, result in
                    results.append(result)
                    guard index == 0 else { return }
                    large?.cancel()
                    client.fetch(peer, [BlockRequest(key: [2])], deadline: loop.now + .seconds(20))
                    {
                        results.append($1)
                        promise.succeed(results)
                        client.close()
                        server.close()
                    }
                }
            }
            #expect(
                results == [.success(pattern(100)), .failure(.cancelled), .success(pattern(100))])
        }
    }

    @Test("refuses a block that is larger than this side takes")
    func tooLarge() async throws {
        try await withLoop { loop in
            let result = try await loop.wait(Result<[UInt8], BlockError>.self) { promise in
                let provider = TableProvider()
                provider.blocks[[1]] = .bytes(pattern(3_000_000))
                let server = try BlockServer(loop: loop, address: .loopback(), provider: provider)
                var options = BlockOptions()
                options.maxBlockSize = .mebibytes(1)
                let client = BlockClient(loop: loop, options: options)
                client.fetch(
                    Endpoint(server.address), [BlockRequest(key: [1])],
                    deadline: loop.now + .seconds(20)
                ) {
                    promise.succeed($1)
                    client.close()
                    server.close()
                }
            }
            guard case .failure(.tooLarge) = result else {
                Issue.record("\(result)")
                return
            }
        }
    }
}
