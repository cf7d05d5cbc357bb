import MillraceBase
import MillraceCore
import MillraceStore

/// The blocks of one reduce partition: this executor's own straight from its store, others that
/// came on their own, the rest by requests, of which as many are under way as the governor allows.
///
/// Same rule as Spark's ShuffleBlockFetcherIterator: at most `maxBytesInFlight` are asked for at a
/// time, one request is at most a fifth of that (so that five peers can be read at once), and one
/// request is always allowed.
final class FetchedBlocks: ShuffleBlocks {
    private struct Request {
        var executor: ExecutorID
        var statuses: [MapStatus] = []
        var bytes = 0
    }

    private let outputs: MapOutputs
    private let shuffleInput: Int
    private let reduce: Int
    private let runtime: ExecutorRuntime
    private var local: [MapStatus] = []
    private var waiting: [Request] = []
    private var underWay: [(request: Request, fetch: any BlockFetch)] = []
    private var bytesInFlight = 0
    private var ready: [(status: MapStatus, bytes: [UInt8])] = []
    /// Whose block was handed out last.
    private var current: MapStatus?

    /// `inline` has blocks that are here already, by map task.
    init(
        outputs: MapOutputs, inline: [TaskID: [UInt8]], shuffleInput: Int, reduce: Int,
        runtime: ExecutorRuntime
    ) {
        self.outputs = outputs
        self.shuffleInput = shuffleInput
        self.reduce = reduce
        self.runtime = runtime
        plan(inline)
    }

    func next() throws -> [UInt8]? {
        startRequests()
        if let status = local.popLast() {
            current = status
            return try readLocal(status)
        }
        while true {
            if let block = ready.popLast() {
                current = block.status
                return block.bytes
            }
            guard !underWay.isEmpty else { return nil }
            try collect()
        }
    }

    /// Sorts the outputs into local blocks and requests. Empty blocks are not asked for.
    private func plan(_ inline: [TaskID: [UInt8]]) {
        var open: [Request] = []
        for case let status? in outputs.statuses where status.sizes[reduce] > 0 {
            if status.executor == runtime.executor {
                local.append(status)
                continue
            }
            if let block = inline[status.mapTask] {
                ready.append((status, block))
                continue
            }
            let size = status.sizes[reduce]
            let index = open.firstIndex { $0.executor == status.executor } ?? open.count
            if index == open.count { open.append(Request(executor: status.executor)) }
            open[index].statuses.append(status)
            open[index].bytes += size
            if open[index].bytes >= runtime.maxBytesInFlight / 5 {
                waiting.append(open.remove(at: index))
            }
        }
        waiting += open
    }

    private func startRequests() {
        while let next = waiting.last,
            underWay.isEmpty || bytesInFlight + next.bytes <= runtime.maxBytesInFlight
        {
            waiting.removeLast()
            let blocks = next.statuses.map {
                BlockID(shuffle: outputs.shuffle, mapTask: $0.mapTask, reduce: reduce)
            }
            underWay.append((next, runtime.fetcher.start(blocks, from: next.executor)))
            bytesInFlight += next.bytes
        }
    }

    private func collect() throws {
        let (request, fetch) = underWay.removeFirst()
        bytesInFlight -= request.bytes
        do {
            ready = zip(request.statuses, try wait(for: fetch)).map { ($0, $1) }
        } catch let error as BlockFetchError {
            let index = min(error.index, request.statuses.count - 1)
            throw failure(request.statuses[index], error.message)
        }
        startRequests()
    }

    /// Not longer than the task is wanted.
    private func wait(for fetch: any BlockFetch) throws -> [[UInt8]] {
        guard let task = TaskContext.current else { return try fetch.wait() }
        return try task.waiting(wakenBy: { fetch.cancel() }) { try fetch.wait() }
    }

    private func readLocal(_ status: MapStatus) throws -> [UInt8] {
        do {
            let block = try runtime.mapOutputStore.block(
                shuffle: outputs.shuffle, task: status.mapTask, reduce: reduce)
            switch block {
            case nil: throw failure(status, "this executor has no output of \(status.mapTask)")
            case .memory(let bytes): return bytes
            case .file(let file, let partition): return try file.read(partition)
            }
        } catch let error as StoreError { throw failure(status, "\(error)") }
    }

    /// A frame whose checksum does not hold. The connection has checksums of its own and a file is
    /// checked when it is read here, so the damage was on the other side's disk: that output is
    /// lost and will be computed again.
    func damaged(_ error: any Error) -> any Error {
        guard let current else { return error }
        return failure(
            current, "the block is damaged in the files of \(current.executor): \(error)")
    }

    private func failure(_ status: MapStatus, _ message: String) -> FetchFailure {
        FetchFailure(
            shuffleInput: shuffleInput, mapIndex: status.mapIndex, reduce: reduce,
            executor: status.executor, message: message)
    }
}
