import Glibc
import MillraceBase
import MillraceNet
import MillraceStore
import MillraceWire
import Synchronization

@testable import MillraceShuffleService

/// A service on ports of its own, its callers on the same loop, and folders that are deleted.
final class ServiceFixture: @unchecked Sendable {
    let loop: EventLoop
    let root: String
    private(set) var service: ShuffleService
    private var channel: RPCChannel
    private let timeout: Duration

    init(timeout: Duration = .seconds(120)) throws {
        var template = Array("/tmp/millrace-service-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw MillraceError(.system, "mkdtemp") }
        let root = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let loop = try EventLoop(name: "test")
        try loop.start()
        self.root = root
        self.loop = loop
        self.timeout = timeout
        let started = try loop.sync {
            UnsafeTransfer(try Self.start(loop, root, timeout, port: 0, blockPort: 0))
        }
        (service, channel) = started.value
    }

    /// To be called at the test's end, on its own thread.
    func stop() {
        let service = UnsafeTransfer(service)
        let channel = UnsafeTransfer(channel)
        try? loop.sync {
            channel.value.close()
            service.value.close()
        }
        loop.stop()
        loop.join()
        try? PosixFileSystem().deleteTree(root)
    }

    private static func start(
        _ loop: EventLoop, _ root: String, _ timeout: Duration, port: Int, blockPort: Int
    ) throws -> (ShuffleService, RPCChannel) {
        let service = try ShuffleService(
            loop: loop,
            options: .init(
                port: port, blockPort: blockPort, stateFolder: root + "/state", roots: [root],
                applicationTimeout: timeout))
        return (service, RPCChannel(loop: loop, target: Endpoint(service.address)))
    }

    /// The service ends and another one, on the same ports, takes its place.
    func restart() throws {
        let place = UnsafeTransfer(self)
        try loop.sync {
            let fixture = place.value
            let port = Int(fixture.service.address.port)
            let blockPort = Int(fixture.service.blockAddress.port)
            fixture.channel.close()
            fixture.service.close()
            (fixture.service, fixture.channel) = try Self.start(
                fixture.loop, fixture.root, fixture.timeout, port: port, blockPort: blockPort)
        }
    }

    var status: ShuffleServiceStatus {
        get throws {
            let place = UnsafeTransfer(self)
            return try loop.sync { place.value.service.status }
        }
    }

    // MARK: What executors and drivers do

    /// An executor's folder with one map output in it; the bytes by reduce partition.
    func write(
        application: String, executor: Int, shuffle: Int, task: Int, _ blocks: [[UInt8]]
    ) throws -> String {
        let folder = "\(root)/millrace-\(application)/executor-\(executor)"
        let files = try ShuffleFiles(PosixFileSystem(), folder: folder)
        let writer = try files.write(ShuffleID(shuffle), TaskID(task), partitions: blocks.count)
        for (reduce, block) in blocks.enumerated() { try writer.append(reduce, block) }
        _ = try writer.commit()
        return folder
    }

    func call(
        _ method: String, _ request: ShuffleServiceRequest
    ) async throws -> Result<ShuffleServiceReply, RPCStatus> {
        try await withCheckedThrowingContinuation { continuation in
            loop.post { [self] in
                channel.unary(
                    "/millrace.v1.ShuffleService/\(method)",
                    request.encoded(arena: WireArena()), deadline: loop.now + .seconds(20)
                ) { result in
                    continuation.resume(
                        with: Result {
                            switch result {
                            case .success(let bytes):
                                .success(
                                    try ShuffleServiceReply(decoding: bytes, arena: WireArena()))
                            case .failure(let status): .failure(status)
                            }
                        })
                }
            }
        }
    }

    func register(
        _ application: String, executor: Int, folder: String, secret: String = "secret"
    ) async throws -> Result<ShuffleServiceReply, RPCStatus> {
        try await call(
            "RegisterExecutor",
            ShuffleServiceRequest(
                applicationID: application, secret: secret, executor: ExecutorID(executor),
                folder: folder))
    }

    func fetch(
        _ key: String, credential: String
    ) async throws -> Result<[UInt8], BlockError> {
        try await withCheckedThrowingContinuation { continuation in
            loop.post { [self] in
                var options = BlockOptions()
                options.token = credential
                let client = BlockClient(loop: loop, options: options)
                client.fetch(
                    Endpoint(service.blockAddress), [BlockRequest(key: Array(key.utf8))],
                    deadline: loop.now + .seconds(20)
                ) { _, result in
                    continuation.resume(returning: result)
                    client.close()
                }
            }
        }
    }

    /// Pushes blocks of one map output, by reduce partition, for the application's `merge`.
    func push(
        _ blocks: [(reduce: Int, bytes: [UInt8])], of map: Int, shuffle: Int = 1, merge: Int = 1,
        task: Int? = nil, credential: String = "a:secret"
    ) async throws -> Result<PushedBlocks.Answer?, BlockError> {
        let head = PushedBlocks(
            shuffle: ShuffleID(shuffle), merge: merge, mapIndex: map,
            mapTask: TaskID(task ?? 100 + map),
            blocks: blocks.map {
                .init(
                    reduce: $0.reduce, length: $0.bytes.count,
                    checksum: CRC32C.checksum($0.bytes))
            }
        ).encodedHead()
        return try await push(head + blocks.flatMap(\.bytes), credential: credential)
    }

    func push(
        _ payload: [UInt8], credential: String = "a:secret"
    ) async throws -> Result<PushedBlocks.Answer?, BlockError> {
        try await withCheckedThrowingContinuation { continuation in
            loop.post { [self] in
                var options = BlockOptions()
                options.token = credential
                let client = BlockClient(loop: loop, options: options)
                client.push(
                    Endpoint(service.blockAddress), payload, deadline: loop.now + .seconds(20)
                ) { result in
                    continuation.resume(
                        returning: result.map { $0.first.flatMap(PushedBlocks.Answer.init) })
                    client.close()
                }
            }
        }
    }

    /// Bytes by reduce partition.
    func finalize(
        shuffle: Int = 1, merge: Int = 1, application: String = "a"
    ) async throws -> [Int: Int] {
        let reply = try await call(
            "FinalizeShuffleMerge",
            ShuffleServiceRequest(
                applicationID: application, secret: "secret", shuffles: [ShuffleID(shuffle)],
                merge: merge)
        ).get()
        return Dictionary(uniqueKeysWithValues: reply.merged.map { ($0.reduce, $0.bytes) })
    }

    /// What a reader finds of a merged reduce partition, by map task.
    func merged(
        _ reduce: Int, shuffle: Int = 1, merge: Int = 1, credential: String = "a:secret"
    ) async throws -> [Int: [UInt8]] {
        let name = "merged_\(shuffle)_\(merge)_\(reduce)"
        let index = try await fetch(name + ".index", credential: credential).get()
        let data = try await fetch(name + ".data", credential: credential).get()
        return Dictionary(
            uniqueKeysWithValues: MergedBlock.decode(index).map {
                ($0.mapTask.rawValue, Array(data[$0.offset..<$0.end]))
            })
    }

    /// Waits on the loop until `condition` holds: what it waits for happens on the same loop.
    func until(_ condition: @escaping @Sendable (ServiceFixture) -> Bool) async throws {
        try await withCheckedThrowingContinuation { continuation in
            loop.post { [self] in poll(loop.now + .seconds(20), condition, continuation) }
        }
    }

    private func poll(
        _ deadline: Instant, _ condition: @escaping (ServiceFixture) -> Bool,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        if condition(self) { return continuation.resume() }
        guard loop.now < deadline else {
            return continuation.resume(throwing: NetError.timedOut("the test"))
        }
        _ = loop.schedule(after: .milliseconds(1)) { [self] in
            poll(deadline, condition, continuation)
        }
    }
}

/// Something of the loop, on its way there.
struct UnsafeTransfer<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
