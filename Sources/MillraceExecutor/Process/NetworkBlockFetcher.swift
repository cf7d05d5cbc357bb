import Glibc
import MillraceBase
import MillraceNet
import Synchronization

/// Fetches blocks from other executors over the data plane, for task threads that wait.
///
/// A peer that cannot be reached is tried again as the settings say, but not once the driver said
/// that it is gone. `peers` and `client` belong to the loop.
final class NetworkBlockFetcher: BlockFetcher, @unchecked Sendable {
    private let loop: EventLoop
    /// Where an executor's blocks are served: by itself, or by the shuffle service of its host.
    private struct Peer {
        var endpoint: Endpoint
        var isService: Bool
    }

    private let client: BlockClient
    private let serviceClient: BlockClient
    private var peers: [ExecutorID: Peer] = [:]
    /// What task threads wait for, by peer, so that they learn at once when it is gone.
    private var underWay: [ExecutorID: [ObjectIdentifier: NetworkFetch]] = [:]
    /// Of executors on this host.
    private let folders = Mutex<[ExecutorID: String]>([:])
    private let readsHostLocalDisk: Bool
    private let retries: Int
    private let retryWait: Duration
    private let deadline: Duration

    /// On the loop.
    init(loop: EventLoop, client: BlockClient, serviceClient: BlockClient, conf: Conf) {
        self.loop = loop
        self.client = client
        self.serviceClient = serviceClient
        readsHostLocalDisk = conf.shuffle.readsHostLocalDisk
        retries = conf.shuffle.maxFetchRetries
        retryWait = conf.shuffle.fetchRetryWait
        deadline = conf.network.timeout
    }

    /// On the loop.
    func add(_ executor: ExecutorID, at endpoint: Endpoint, isService: Bool) {
        peers[executor] = Peer(endpoint: endpoint, isService: isService)
        if readsHostLocalDisk, !isService, executor != .driver,
            HostAddresses.contains(endpoint.host)
        {
            askForFolder(executor, endpoint)
        }
    }
    /// On the loop.
    func remove(_ executor: ExecutorID) {
        peers[executor] = nil
        folders.withLock { $0[executor] = nil }
        for fetch in underWay.removeValue(forKey: executor)?.values.map({ $0 }) ?? [] {
            fetch.fail(BlockFetchError(index: 0, message: "\(executor) is gone"))
        }
    }

    /// On the loop. Nobody waits any longer.
    func close() {
        for executor in peers.keys.sorted() { remove(executor) }
        client.close()
        serviceClient.close()
    }

    func start(names: [String], from executor: ExecutorID) -> any BlockFetch {
        start(names.map { BlockRequest(key: Array($0.utf8)) }, executor)
    }

    func start(
        part: Range<Int>, of name: String, from executor: ExecutorID
    ) -> any BlockFetch {
        let request = BlockRequest(
            key: Array(name.utf8), offset: UInt64(part.lowerBound), length: UInt64(part.count))
        return start([request], executor)
    }

    private func start(_ blocks: [BlockRequest], _ executor: ExecutorID) -> NetworkFetch {
        let fetch = NetworkFetch(blocks.count, limit: deadline)
        loop.post { [self] in
            underWay[executor, default: [:]][ObjectIdentifier(fetch)] = fetch
            ask(executor, blocks, fetch, attempt: 0)
        }
        return fetch
    }

    func folder(of executor: ExecutorID) -> String? { folders.withLock { $0[executor] } }

    /// Asks an executor of this host where its files are. Until it has said so, and if it cannot,
    /// its blocks come over the network.
    private func askForFolder(_ executor: ExecutorID, _ endpoint: Endpoint) {
        let request = BlockRequest(key: Array(ServedBlocks.folder.utf8))
        client.fetch(endpoint, [request], deadline: loop.now + deadline) { [self] _, result in
            guard case .success(let path) = result, peers[executor] != nil else { return }
            folders.withLock { $0[executor] = String(decoding: path, as: UTF8.self) }
        }
    }

    func tell(_ executor: ExecutorID, _ notice: [UInt8]) {
        loop.post { [self] in
            guard let peer = peers[executor], !peer.isService else { return }
            client.tell(peer.endpoint, notice)
        }
    }

    private func ask(
        _ executor: ExecutorID, _ blocks: [BlockRequest], _ fetch: NetworkFetch, attempt: Int
    ) {
        guard let peer = peers[executor] else {
            return remove(executor)
        }
        var failed: BlockError?
        var left = blocks.count
        var requests = blocks
        if peer.isService {
            let owner = Array("\(executor.rawValue)/".utf8)
            for index in requests.indices { requests[index].key = owner + requests[index].key }
        }
        let client = peer.isService ? serviceClient : client
        client.fetch(peer.endpoint, requests, deadline: loop.now + deadline) {
            [self] index, result in
            left -= 1
            switch result {
            case .success(let bytes): fetch.accept(bytes, at: index)
            case .failure(let error) where failed == nil:
                failed = error
                if !Self.isRetriable(error) {
                    fetch.fail(BlockFetchError(index: index, message: "\(error)"))
                }
            case .failure: break
            }
            guard left == 0 else { return }
            guard let failed, Self.isRetriable(failed) else { return forget(fetch, executor) }
            retry(executor, blocks, fetch, attempt, failed)
        }
    }

    private func retry(
        _ executor: ExecutorID, _ blocks: [BlockRequest], _ fetch: NetworkFetch, _ attempt: Int,
        _ error: BlockError
    ) {
        guard attempt < retries, peers[executor] != nil else {
            forget(fetch, executor)
            return fetch.fail(
                BlockFetchError(index: 0, message: "\(error), after \(attempt + 1) attempts"))
        }
        Log.info(
            "executor", "fetching again",
            ["from": executor.rawValue, "attempt": attempt + 2, "reason": error])
        fetch.restart()
        _ = loop.schedule(after: retryWait) { [self] in
            ask(executor, blocks, fetch, attempt: attempt + 1)
        }
    }

    private func forget(_ fetch: NetworkFetch, _ executor: ExecutorID) {
        underWay[executor]?[ObjectIdentifier(fetch)] = nil
    }

    private static func isRetriable(_ error: BlockError) -> Bool {
        if case .unavailable = error { return true }
        return false
    }
}

/// Blocks on their way, handed from the loop to the task thread that waits.
///
/// `@unchecked Sendable`: `semaphore` is made for threads, the rest is under the mutex.
private final class NetworkFetch: BlockFetch, @unchecked Sendable {
    private struct State {
        var blocks: [[UInt8]?]
        var missing: Int
        var error: BlockFetchError?
        var isDone = false
    }

    private let state: Mutex<State>
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let limit: Duration

    init(_ count: Int, limit: Duration) {
        state = Mutex(State(blocks: Array(repeating: nil, count: count), missing: count))
        self.limit = limit
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func accept(_ bytes: [UInt8], at index: Int) {
        let isComplete = state.withLock { state in
            guard !state.isDone, state.blocks[index] == nil else { return false }
            state.blocks[index] = bytes
            state.missing -= 1
            state.isDone = state.missing == 0
            return state.isDone
        }
        if isComplete { sem_post(semaphore) }
    }

    func fail(_ error: BlockFetchError) {
        let isFirst = state.withLock { state in
            guard !state.isDone else { return false }
            state.error = error
            state.isDone = true
            return true
        }
        if isFirst { sem_post(semaphore) }
    }

    func cancel() {
        fail(BlockFetchError(index: 0, message: "the task is wanted no more"))
    }

    /// A request that is made again brings all blocks again.
    func restart() {
        state.withLock { state in
            guard !state.isDone else { return }
            state.missing = state.blocks.count
            for index in state.blocks.indices { state.blocks[index] = nil }
        }
    }

    func wait() throws -> [[UInt8]] {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let nanoseconds = Int64(deadline.tv_nsec) + min(limit.nanoseconds, 1_000_000_000_000_000)
        deadline.tv_sec += Int(nanoseconds / 1_000_000_000)
        deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
        while sem_timedwait(semaphore, &deadline) != 0 {
            guard errno == EINTR else {
                throw BlockFetchError(index: 0, message: "no answer within \(limit)")
            }
        }
        return try state.withLock { state in
            if let error = state.error { throw error }
            return state.blocks.map { $0! }  // complete, because there is no error
        }
    }
}
