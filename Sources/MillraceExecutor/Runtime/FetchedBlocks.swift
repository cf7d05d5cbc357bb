import MillraceBase
import MillraceCore
import MillraceStore

/// The blocks of one reduce partition: this executor's own straight from its store, those of others
/// on this host straight from their files, others that came on their own, the rest by requests, of
/// which as many are under way as the governor allows.
///
/// Same rule as Spark's ShuffleBlockFetcherIterator: at most `maxBytesInFlight` are asked for at a
/// time, one request is at most a fifth of that (so that five peers can be read at once), and one
/// request is always allowed. What is under way or waits to be read is reserved before it is asked
/// for; blocks for which there is no memory, and those above `maxBlockInMemory`, are read a piece
/// at a time (Spark puts them on disk first).
final class FetchedBlocks: ShuffleBlocks {
    private struct Request {
        var executor: ExecutorID
        var statuses: [MapStatus] = []
        var bytes = 0
    }

    let outputs: MapOutputs
    let reduce: Int
    let runtime: ExecutorRuntime
    private let shuffleInput: Int
    private let consumer: MemoryConsumer
    private var local: [MapStatus] = []
    private var near: [MapStatus] = []
    /// To be read a piece at a time.
    private var large: [MapStatus] = []
    private var waiting: [Request] = []
    private var underWay: [(request: Request, fetch: any BlockFetch)] = []
    private var bytesInFlight = 0
    private var ready: [(status: MapStatus, bytes: [UInt8])] = []
    /// Of the block that is read, and its file when it was put into one.
    private var pieces: BlockPieces?
    var copy: FetchedCopy?
    /// Whose block was handed out last, and what is reserved for it.
    private var current: MapStatus?
    private var handedOut = 0
    /// Bytes to be reserved: a piece, and what was asked for and not read yet.
    private var held = 0
    private var hasPieceReserved = false

    /// Reservations shrink when so much is not needed any more.
    private static let slack = 4 << 20

    /// `inline` has blocks that are here already, by map task.
    init(
        outputs: MapOutputs, inline: [TaskID: [UInt8]], shuffleInput: Int, reduce: Int,
        runtime: ExecutorRuntime, memory: TaskMemory
    ) {
        self.outputs = outputs
        self.shuffleInput = shuffleInput
        self.reduce = reduce
        self.runtime = runtime
        consumer = memory.consumer("fetched blocks")
        plan(inline)
    }

    deinit {
        for (_, fetch) in underWay { fetch.cancel() }
        consumer.close()
    }

    func next() throws -> [UInt8]? {
        giveBack()
        try startRequests()
        while true {
            if let piece = try nextPiece() { return piece }
            if let status = local.popLast() {
                if let bytes = take(status, try own(status)) { return bytes }
            } else if let block = ready.popLast() {
                current = block.status
                handedOut = block.status.sizes[reduce]
                return block.bytes
            } else if let status = near.popLast() {
                if let bytes = take(status, try nearby(status) ?? distant(status)) { return bytes }
            } else if !underWay.isEmpty {
                try collect()
            } else if let status = large.popLast() {
                if let bytes = take(status, try distant(status)) { return bytes }
            } else {
                return nil
            }
        }
    }

    private func take(_ status: MapStatus, _ content: Content) -> [UInt8]? {
        current = status
        switch content {
        case .bytes(let bytes): return bytes
        case .pieces(let all):
            pieces = all
            return nil
        }
    }

    private func nextPiece() throws -> [UInt8]? {
        do {
            if let piece = try pieces?.next() { return piece }
        } catch let error as StoreError { throw damaged(error) }
        pieces = nil
        copy = nil
        return nil
    }

    /// Sorts the outputs into local blocks and requests. Empty blocks are not asked for.
    private func plan(_ inline: [TaskID: [UInt8]]) {
        var open: [Request] = []
        for case let status? in outputs.statuses where status.sizes[reduce] > 0 {
            let size = status.sizes[reduce]
            if status.executor == runtime.executor {
                local.append(status)
                continue
            }
            if let block = inline[status.mapTask] {
                ready.append((status, block))
                continue
            }
            if isNearby(status) {
                near.append(status)
                continue
            }
            if size > runtime.maxBlockInMemory {
                large.append(status)
                continue
            }
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

    private func startRequests() throws {
        while let next = waiting.last {
            let isFirst = underWay.isEmpty && ready.isEmpty
            guard isFirst || bytesInFlight + next.bytes <= runtime.maxBytesInFlight else { return }
            guard try consumer.grow(to: held + next.bytes) else {
                if !isFirst { return }
                large += waiting.removeLast().statuses
                continue
            }
            waiting.removeLast()
            let blocks = next.statuses.map(block(of:))
            underWay.append((next, runtime.fetcher.start(blocks, from: next.executor)))
            bytesInFlight += next.bytes
            held += next.bytes
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
        try startRequests()
    }

    /// Not longer than the task is wanted.
    func wait(for fetch: any BlockFetch) throws -> [[UInt8]] {
        try TaskContext.waiting(for: fetch)
    }

    // MARK: Memory

    /// As long as `body` runs, room for another piece if there is any.
    func reservingAnother<Result>(_ body: (_ isThere: Bool) throws -> Result) throws -> Result {
        let isThere = try consumer.grow(to: held + runtime.pieceSize)
        if isThere { held += runtime.pieceSize }
        defer {
            if isThere { held -= runtime.pieceSize }
            consumer.shrink(to: held)
        }
        return try body(isThere)
    }

    /// Once: what is read piece by piece needs room for one.
    func reserveForPiece() throws {
        if hasPieceReserved { return }
        try consumer.require(held + runtime.pieceSize)
        hasPieceReserved = true
        held += runtime.pieceSize
    }

    /// The block before is read.
    private func giveBack() {
        held -= handedOut
        handedOut = 0
        if consumer.used > held + Self.slack { consumer.shrink(to: held) }
    }

    // MARK: Failures

    /// A frame whose checksum does not hold: the output is lost and will be computed again.
    func damaged(_ error: any Error) -> any Error {
        guard let current else { return error }
        // What arrived here whole is not its owner's to compute again.
        return copy?.damage ?? damage(current, error)
    }

    func damage(_ status: MapStatus, _ error: any Error) -> FetchFailure {
        let block = block(of: status)
        let place = runtime.diagnosis.damage(
            of: block, from: status.executor, isOwn: status.executor == runtime.executor,
            received: copy?.checksum)
        let message = "\(block) was damaged \(place) (\(error))"
        Log.warn("executor", "a block is computed again", ["reason": message])
        return failure(status, message)
    }

    func block(of status: MapStatus) -> BlockID {
        BlockID(shuffle: outputs.shuffle, mapTask: status.mapTask, reduce: reduce)
    }

    func failure(_ status: MapStatus, _ message: String) -> FetchFailure {
        FetchFailure(
            shuffleInput: shuffleInput, mapIndex: status.mapIndex, reduce: reduce,
            executor: status.executor, message: message)
    }
}
