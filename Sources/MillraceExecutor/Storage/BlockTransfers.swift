import MillraceBase
import MillraceCore
import MillraceNet
import MillraceStore
import MillraceWire
import Synchronization

/// Cached partitions between executors: who has them, fetching them, serving them, copying them.
///
/// Making bytes of cached values and waiting for other executors takes time that the loop hasn't
/// got, so each has a thread. Two, because a thread that waits for a peer must not keep that peer
/// waiting.
final class BlockTransfers: Sendable {
    let manager: BlockManager
    private let fetcher: any BlockFetcher
    private let executor: ExecutorID
    private let report: @Sendable (ExecutorReport) -> Void
    private let holders = Mutex<[RDDID: [[ExecutorID]]]>([:])
    private let serving = BackgroundThread("blocks-serve")
    private let fetching = BackgroundThread("blocks-fetch")

    init(
        manager: BlockManager, fetcher: any BlockFetcher, executor: ExecutorID,
        report: @escaping @Sendable (ExecutorReport) -> Void
    ) {
        self.manager = manager
        self.fetcher = fetcher
        self.executor = executor
        self.report = report
    }

    func stop() {
        serving.stop()
        fetching.stop()
    }

    // MARK: What the driver sends

    func update(_ known: [DriverMessage.BlockHolders]) {
        holders.withLock { holders in for entry in known { holders[entry.rdd] = entry.holders } }
    }

    /// Forgets datasets, and says so when their blocks are gone.
    func remove(_ rdds: [RDDID]) {
        holders.withLock { holders in for rdd in rdds { holders[rdd] = nil } }
        manager.refuse(rdds)
        serving.perform { [self] in
            for rdd in rdds {
                manager.remove(rdd)
                report(.rddRemoved(rdd))
            }
        }
    }

    /// Fetches blocks from others and keeps them too. What fails is reported as not kept.
    func copy(_ copies: [BlockCopy]) {
        for copy in copies {
            fetching.perform { [self] in
                let block = RDDBlockID(rdd: copy.rdd, partition: copy.partition)
                do {
                    try manager.adopt(block, level: copy.level) {
                        try BlockFrames.split(try fetch(block, from: copy.from), of: block)
                    }
                } catch {
                    Log.warn(
                        "executor", "cannot keep a copy of a block",
                        ["block": block, "from": copy.from.rawValue, "reason": error])
                }
                manager.tell(block)
            }
        }
    }

    // MARK: For tasks

    /// The persisted datasets of a stage; nil when it has none.
    func blocks(of setup: StageSetup) -> TaskBlocks? {
        if setup.persisted.isEmpty { return nil }
        return TaskBlocks(
            manager: manager, persisted: setup.persisted, holders: holders(of:),
            fetch: fetch(_:from:))
    }

    /// Other executors that had the block when the stage came.
    func holders(of block: RDDBlockID) -> [ExecutorID] {
        holders.withLock { holders in
            guard let partitions = holders[block.rdd],
                partitions.indices.contains(block.partition)
            else { return [] }
            return partitions[block.partition].filter { $0 != executor }
        }
    }

    /// The block's bytes from another executor. Waits. Throws `BlockFetchError`.
    func fetch(_ block: RDDBlockID, from holder: ExecutorID) throws -> [UInt8] {
        try fetcher.start(names: ["\(block)"], from: holder).wait()[0]
    }

    // MARK: For the data plane

    /// What to answer for a block's name; on the loop.
    func content(of block: RDDBlockID) -> BlockContent {
        switch manager.serve(block) {
        case nil: return .failure(.notFound("\(block)"))
        case .file(let path, let size):
            do {
                return .file(try SharedFile(path: path), offset: 0, length: UInt64(size))
            } catch { return .failure(.failed("\(block): \(error)")) }
        case .memory(let pin):
            return .later { [serving] answer in
                serving.perform {
                    do { answer(.bytes(Array(try pin.rows.frames().joined()))) } catch {
                        answer(.failure(.failed("\(block): \(error)")))
                    }
                }
            }
        }
    }
}

/// A thread for work that nobody waits for, started with the first piece of it.
final class BackgroundThread: Sendable {
    private let name: String
    private let queue = WorkQueue<@Sendable () -> Void>()
    private let thread = Mutex<TaskThread?>(nil)

    init(_ name: String) { self.name = name }

    func perform(_ work: @escaping @Sendable () -> Void) {
        thread.withLock { thread in
            guard thread == nil else { return }
            do {
                thread = try TaskThread(name: name) { [queue] in
                    while let work = queue.pop() { work() }
                }
            } catch { Log.error("executor", "cannot start a thread", ["reason": error]) }
        }
        queue.push([work])
    }

    /// Drops what hasn't begun and waits for the rest.
    func stop() {
        queue.close(discarding: true)
        thread.withLock { $0.take() }?.join()
    }
}
