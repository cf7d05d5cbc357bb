import MillraceBase
import MillraceNet
import Synchronization

/// Fetches blocks from other executors over the data plane, for task threads that wait.
///
/// A peer that cannot be reached is tried again (`FetchRetry`), but not once the driver said that
/// it is gone, nor when nobody waits any more. All but `folders` belongs to the loop.
final class NetworkBlockFetcher: BlockFetcher, @unchecked Sendable {
    /// A fetch and what is being done for it: either `asked` or `pause` is set.
    private final class Attempt {
        let executor: ExecutorID
        let blocks: [BlockRequest]
        let fetch: NetworkFetch
        let deadline: Instant
        var retry: FetchRetry
        var asked: MillraceNet.BlockFetch?
        var pause: TimerToken?

        init(
            _ executor: ExecutorID, _ blocks: [BlockRequest], _ fetch: NetworkFetch,
            _ retry: FetchRetry, deadline: Instant
        ) {
            self.executor = executor
            self.blocks = blocks
            self.fetch = fetch
            self.retry = retry
            self.deadline = deadline
        }
    }

    let loop: EventLoop
    /// Where an executor's blocks are served: by itself, or by the shuffle service of its host.
    private struct Peer {
        var endpoint: Endpoint
        var isService: Bool
    }

    private let client: BlockClient
    private let serviceClient: BlockClient
    /// For what services merge, so that pushes don't hold up blocks that a task waits for.
    let mergeClient: BlockClient
    /// The shuffle services of executors' hosts, also while the executors are there.
    var services: [ExecutorID: Endpoint] = [:]
    private var peers: [ExecutorID: Peer] = [:]
    /// What task threads wait for, by peer, so that they learn at once when it is gone.
    private var underWay: [ExecutorID: [ObjectIdentifier: Attempt]] = [:]
    /// Of executors on this host.
    private let folders = Mutex<[ExecutorID: String]>([:])
    private let readsHostLocalDisk: Bool
    private let retry: FetchRetry
    let deadline: Duration

    /// On the loop.
    init(
        loop: EventLoop, client: BlockClient, serviceClient: BlockClient, mergeClient: BlockClient,
        conf: Conf
    ) {
        self.loop = loop
        self.mergeClient = mergeClient
        self.client = client
        self.serviceClient = serviceClient
        readsHostLocalDisk = conf.shuffle.readsHostLocalDisk
        retry = FetchRetry(conf)
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
        services[executor] = nil
        folders.withLock { $0[executor] = nil }
        for attempt in underWay.removeValue(forKey: executor)?.values.map({ $0 }) ?? [] {
            fail(attempt, "\(executor) is gone")
        }
    }

    /// On the loop. Nobody waits any longer.
    func close() {
        for executor in peers.keys.sorted() { remove(executor) }
        client.close()
        serviceClient.close()
        mergeClient.close()
    }

    func start(names: [String], from executor: ExecutorID) -> any BlockFetch {
        start(names.map { BlockRequest(key: Array($0.utf8)) }, executor)
    }

    func start(
        name: String, from executor: ExecutorID, into sink: any BlockSink
    ) -> any BlockFetch {
        start([BlockRequest(key: Array(name.utf8))], executor, into: sink)
    }

    func start(
        part: Range<Int>, of name: String, from executor: ExecutorID
    ) -> any BlockFetch {
        let request = BlockRequest(
            key: Array(name.utf8), offset: UInt64(part.lowerBound), length: UInt64(part.count))
        return start([request], executor)
    }

    func start(
        _ blocks: [BlockRequest], _ executor: ExecutorID, into sink: (any BlockSink)? = nil
    ) -> NetworkFetch {
        let fetch = NetworkFetch(blocks.count, limit: deadline, sink: sink) { [weak self] fetch in
            guard let self else { return }
            loop.post { self.forget(fetch, executor) }
        }
        loop.post { [self] in
            // It may have been given up before it began.
            guard !fetch.missing.isEmpty else { return }
            let attempt = Attempt(executor, blocks, fetch, retry, deadline: loop.now + deadline)
            underWay[executor, default: [:]][ObjectIdentifier(fetch)] = attempt
            ask(attempt)
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

    // MARK: Attempts

    /// Fetches that somebody waits for, and those of them that wait for their next attempt. On the
    /// loop.
    var fetchesUnderWay: Int { underWay.values.reduce(0) { $0 + $1.count } }
    var fetchesPaused: Int {
        underWay.values.reduce(0) { $0 + $1.values.count { $0.pause != nil } }
    }

    /// Asks for what has not come yet.
    private func ask(_ attempt: Attempt) {
        guard let peer = peers[attempt.executor] else { return remove(attempt.executor) }
        let wanted = attempt.fetch.missing
        let owner = peer.isService ? Array("\(attempt.executor.rawValue)/".utf8) : []
        let requests = wanted.map { index in
            var request = attempt.blocks[index]
            request.key = owner + request.key
            return request
        }
        var left = wanted.count
        var isOver = false
        let client = peer.isService ? serviceClient : client
        attempt.asked = client.fetch(
            peer.endpoint, requests, deadline: attempt.deadline, sink: attempt.fetch.sink
        ) { [self] index, result in
            guard !isOver else { return }
            switch result {
            case .success(let bytes):
                attempt.fetch.accept(bytes, at: wanted[index])
                left -= 1
                if left == 0 { forget(attempt.fetch, attempt.executor) }
            case .failure(let error):
                isOver = true
                attempt.asked.take()?.cancel()
                failed(attempt, wanted[index], error)
            }
        }
    }

    private func failed(_ attempt: Attempt, _ index: Int, _ error: BlockError) {
        guard underWay[attempt.executor]?[ObjectIdentifier(attempt.fetch)] === attempt else {
            return
        }
        switch attempt.retry.failed(error, timeLeft: attempt.deadline - loop.now) {
        case .never(let why):
            forget(attempt.fetch, attempt.executor)
            fail(attempt, "\(error)\(why)", index)
        case .again(let wait):
            Log.info(
                "executor", "fetching again",
                [
                    "from": attempt.executor.rawValue, "attempt": attempt.retry.attempts + 1,
                    "in": wait, "reason": error,
                ])
            attempt.pause = loop.schedule(after: wait) { [self] in
                attempt.pause = nil
                ask(attempt)
            }
        }
    }

    private func fail(_ attempt: Attempt, _ message: String, _ index: Int = 0) {
        attempt.fetch.fail(BlockFetchError(index: index, message: message))
        stop(attempt)
    }

    /// The fetch is over: whatever is still done for it is not needed.
    private func forget(_ fetch: NetworkFetch, _ executor: ExecutorID) {
        let attempt = underWay[executor]?.removeValue(forKey: ObjectIdentifier(fetch))
        if underWay[executor]?.isEmpty == true { underWay[executor] = nil }
        if let attempt { stop(attempt) }
    }

    private func stop(_ attempt: Attempt) {
        if let pause = attempt.pause.take() { loop.cancel(pause) }
        attempt.asked.take()?.cancel()
    }
}
