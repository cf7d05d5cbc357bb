import MillraceBase
import MillraceCore
import MillraceNet
import MillraceStore
import MillraceWire
import Synchronization

/// Gets the pieces of broadcasts, from the driver and from other executors as the driver says, and
/// serves those it has.
final class BroadcastClient: Sendable {
    private struct State {
        /// What task threads are to fetch next.
        var assigned: [BroadcastID: [BroadcastSource]] = [:]
        var gone: Set<BroadcastID> = []
        var held: [BroadcastID: [Int: BlockContent]] = [:]
        var accounts: [BroadcastID: StorageAccount] = [:]
        /// Of values that were made of the bytes.
        var values: [BroadcastID: StorageAccount] = [:]
        var isStopped = false
    }

    private let state = Monitor(State())
    private let memory: MemoryManager
    private let fetcher: any BlockFetcher
    private let report: @Sendable (ExecutorReport) -> Void
    /// `millrace.broadcast.blockSize`
    private let pieceSize: Int
    /// Fetches that may fail before the task does.
    private static let maxFailures = 10

    init(
        memory: MemoryManager, fetcher: any BlockFetcher, pieceSize: Int = BroadcastPiece.size,
        report: @escaping @Sendable (ExecutorReport) -> Void
    ) {
        self.memory = memory
        self.fetcher = fetcher
        self.pieceSize = pieceSize
        self.report = report
    }

    // MARK: What the driver says

    func assign(_ pieces: [DriverMessage.BroadcastPieces]) {
        state.withLock { state in
            for entry in pieces { state.assigned[entry.broadcast, default: []] += entry.sources }
        }
        state.wakeAll()
    }

    func markGone(_ ids: [BroadcastID]) {
        state.withLock { $0.gone.formUnion(ids) }
        state.wakeAll()
    }

    func remove(_ ids: [BroadcastID]) {
        for id in ids {
            let (pieces, account, value) = state.withLock { state in
                (
                    state.held.removeValue(forKey: id), state.accounts.removeValue(forKey: id),
                    state.values.removeValue(forKey: id)
                )
            }
            if let value {
                memory.releaseStorage(value.used, of: value)
                memory.close(value)
            }
            guard let account else { continue }
            memory.releaseStorage(Self.size(of: pieces ?? [:]), of: account)
            memory.close(account)
        }
        BroadcastRegistry.shared.remove(ids)
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        state.wakeAll()
    }

    /// A piece that is here, for the data plane.
    func content(_ name: String) -> BlockContent {
        let parts = name.split(separator: "_")
        guard parts.count == 3, let id = Int(parts[1]),
            let piece = Int(parts[2].dropFirst("piece".count)),
            let content = state.withLock({ $0.held[BroadcastID(id)]?[piece] })
        else { return .failure(.notFound(name)) }
        return content
    }

    private static func size(of pieces: [Int: BlockContent]) -> Int {
        pieces.values.reduce(0) { $0 + Int(clamping: $1.length ?? 0) }
    }

    // MARK: For task threads

    /// The value's bytes. Throws `TaskKilled`, or why they cannot be had.
    func fetch(_ id: BroadcastID, bytes: Int) throws -> [UInt8] {
        state.withLock { state in
            state.assigned[id] = nil
            state.gone.remove(id)
        }
        report(.broadcastWanted(id))
        let value = BroadcastBytes(count: bytes, pieceSize: pieceSize)
        try fetch(id, into: value)
        return value.array
    }

    private func fetch(_ id: BroadcastID, into value: BroadcastBytes) throws {
        var isThere = [Bool](repeating: false, count: value.pieces)
        var missing = isThere.count
        var failures = 0
        while missing > 0 {
            let given = try nextSources(id).filter { isThere.indices.contains($0.piece) }
            // What came before the driver was told to forget it is not written over.
            for source in given where isThere[source.piece] { tell(id, source.piece, .unkept) }
            let fetches = given.filter { !isThere[$0.piece] }.map { source in
                let arrival = BroadcastArrival(source.piece, of: value)
                let name = BroadcastPiece.name(id, source.piece)
                let fetch = fetcher.start(
                    name: name, from: source.executor ?? .driver, into: arrival)
                return (source.piece, arrival, fetch)
            }
            for (piece, arrival, fetch) in fetches {
                do {
                    _ = try fetch.wait()
                    let content = try arrival.complete()
                    missing -= 1
                    isThere[piece] = true
                    tell(id, piece, keep(id, piece, content) ? .kept : .unkept)
                } catch {
                    arrival.giveUp()
                    failures += 1
                    Log.info(
                        "executor", "cannot fetch a piece of a broadcast",
                        ["piece": BroadcastPiece.name(id, piece), "reason": error])
                    guard failures <= Self.maxFailures else { throw error }
                    tell(id, piece, .failed)
                }
            }
        }
    }

    private func tell(_ id: BroadcastID, _ piece: Int, _ outcome: BroadcastFetch.Outcome) {
        report(.pieceFetched(.init(broadcast: id, piece: piece, outcome: outcome)))
    }

    private func nextSources(_ id: BroadcastID) throws -> [BroadcastSource] {
        let wait = { [state] in
            try state.wait { state throws(MillraceError) -> [BroadcastSource]? in
                if state.gone.remove(id) != nil { throw destroyed(id) }
                if state.isStopped { throw MillraceError(.cancelled, "the executor is stopping") }
                if TaskContext.current?.isInterrupted == true { return [] }
                return state.assigned.removeValue(forKey: id)
            }
        }
        guard let task = TaskContext.current else { return try wait() }
        return try task.waiting(wakenBy: { [state] in state.wakeAll() }, wait)
    }

    /// A value is here, made of so many bytes, and takes about as many itself: they are in the
    /// ledger, as far as there is room. One that is its bytes (`isOwnBytes`) is there already with
    /// the pieces that are served from them.
    func note(_ id: BroadcastID, bytes: Int, isOwnBytes: Bool) {
        let account = memory.account("value of \(id)")
        let former = state.withLock { state in
            let former = state.values[id]
            state.values[id] = account
            return former
        }
        if let former {
            memory.releaseStorage(former.used, of: former)
            memory.close(former)
        }
        let shared = isOwnBytes ? state.withLock { Self.shared($0.held[id] ?? [:]) } : 0
        if bytes > shared { _ = memory.acquireStorage(bytes - shared, for: account) }
    }

    /// Bytes of pieces that are served from the value's own.
    private static func shared(_ pieces: [Int: BlockContent]) -> Int {
        pieces.values.reduce(0) { sum, piece in
            guard case .slice(let prefix, let bytes) = piece, !prefix.isEmpty else { return sum }
            return sum + bytes.count
        }
    }

    /// Whether there is room to serve the piece to others.
    private func keep(_ id: BroadcastID, _ piece: Int, _ content: BlockContent) -> Bool {
        let account = state.withLock { state in
            if let known = state.accounts[id] { return known }
            let account = memory.account("\(id)")
            state.accounts[id] = account
            return account
        }
        guard memory.acquireStorage(Int(clamping: content.length ?? 0), for: account) else {
            return false
        }
        state.withLock { $0.held[id, default: [:]][piece] = content }
        return true
    }
}

extension ExecutorID {
    /// The driver among those that serve blocks.
    static let driver = ExecutorID(Int(UInt32.max))
}
