import MillraceBase

/// Who has which pieces of the broadcasts, and who fetches which from whom. Spark's
/// TorrentBroadcast, with the driver's view instead of random choice.
///
/// The driver gives each piece to one executor; the others are sent to whoever has it, on the same
/// host first, then to whoever uploads least. So the driver sends each byte about once however many
/// executors read it. An executor begins at a place of its own, so that two that begin together
/// bring different pieces into the cluster. A piece whose holders are all gone comes from the
/// driver
/// again.
struct BroadcastTracker: Sendable {
    struct Piece: Sendable {
        var holders: [ExecutorID] = []
        /// Who is fetching it from the driver.
        var firstReader: ExecutorID?
    }

    /// One executor that is fetching.
    struct Reader: Sendable {
        var executor: ExecutorID
        var hasPiece: [Bool]
        /// (piece, source; `nil` is the driver), under way.
        var underWay: [(piece: Int, source: ExecutorID?)] = []
        var missing: Int
    }

    struct Broadcast: Sendable, SlabElement {
        let id: BroadcastID
        var pieces: [Piece]
        var readers: [Reader] = []
        mutating func vacate() {
            pieces = []
            readers = []
        }
    }

    /// Pieces that one executor fetches at a time: enough to keep a connection busy while the next
    /// answer is on its way.
    static let piecesInFlight = 4

    var broadcasts = IdentifierMap<BroadcastID, Broadcast>()
    /// By executor: pieces that others are fetching from it.
    private var uploads: [Int] = []

    mutating func register(_ id: BroadcastID, pieces: Int) {
        guard !broadcasts.contains(id) else { return }
        broadcasts.insert(
            Broadcast(id: id, pieces: [Piece](repeating: Piece(), count: pieces)), for: id)
    }

    /// Executors forget their pieces; with `forever`, nobody gets any again.
    mutating func remove(_ id: BroadcastID, forever: Bool, _ effects: inout Effects) {
        guard let slot = broadcasts.slot(of: id) else { return }
        effects.append(.removeBroadcast(id))
        for reader in broadcasts[slot: slot].readers {
            for fetch in reader.underWay { release(fetch.source) }
            if forever { effects.append(.broadcastGone(id, to: reader.executor)) }
        }
        if forever {
            broadcasts.remove(id)
        } else {
            let count = broadcasts[slot: slot].pieces.count
            broadcasts[slot: slot].pieces = [Piece](repeating: Piece(), count: count)
            let readers = broadcasts[slot: slot].readers.map(\.executor)
            broadcasts[slot: slot].readers = []
            for executor in readers { addReader(executor, slot) }
        }
    }

    /// An executor wants all pieces.
    mutating func want(
        _ id: BroadcastID, _ executor: ExecutorID, _ executors: ExecutorRegistry,
        _ effects: inout Effects
    ) {
        guard let slot = broadcasts.slot(of: id) else {
            effects.append(.broadcastGone(id, to: executor))
            return
        }
        addReader(executor, slot)
        assign(slot, executors, &effects)
    }

    /// What it has served or was fetching before is forgotten.
    private mutating func addReader(_ executor: ExecutorID, _ slot: Int) {
        let count = broadcasts[slot: slot].pieces.count
        forget(executor, slot)
        broadcasts[slot: slot].readers.append(
            Reader(
                executor: executor, hasPiece: [Bool](repeating: false, count: count),
                missing: count))
    }

    /// A piece arrived; `serves` when the executor gives it to others. Or it did not.
    mutating func fetched(
        _ fetch: BroadcastFetch, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) {
        guard let slot = broadcasts.slot(of: fetch.broadcast),
            let reader = broadcasts[slot: slot].readers.firstIndex(where: {
                $0.executor == fetch.executor
            }),
            let place = broadcasts[slot: slot].readers[reader].underWay.firstIndex(where: {
                $0.piece == fetch.piece
            })
        else { return }
        let source = broadcasts[slot: slot].readers[reader].underWay.remove(at: place).source
        release(source)
        if broadcasts[slot: slot].pieces[fetch.piece].firstReader == fetch.executor {
            broadcasts[slot: slot].pieces[fetch.piece].firstReader = nil
        }
        switch fetch.outcome {
        case .failed:
            // Whatever was wrong with that source, it isn't asked again.
            if let source {
                broadcasts[slot: slot].pieces[fetch.piece].holders.removeAll { $0 == source }
            }
        case .kept, .unkept:
            broadcasts[slot: slot].readers[reader].hasPiece[fetch.piece] = true
            broadcasts[slot: slot].readers[reader].missing -= 1
            if fetch.outcome == .kept {
                broadcasts[slot: slot].pieces[fetch.piece].holders.append(fetch.executor)
            }
            if broadcasts[slot: slot].readers[reader].missing == 0 {
                broadcasts[slot: slot].readers.remove(at: reader)
            }
        }
        assign(slot, executors, &effects)
    }

    mutating func lose(
        _ executor: ExecutorID, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) {
        for slot in 0..<broadcasts.slotBound where broadcasts.id(at: slot) != nil {
            forget(executor, slot)
            assign(slot, executors, &effects)
        }
    }

    private mutating func forget(_ executor: ExecutorID, _ slot: Int) {
        for piece in broadcasts[slot: slot].pieces.indices {
            broadcasts[slot: slot].pieces[piece].holders.removeAll { $0 == executor }
            if broadcasts[slot: slot].pieces[piece].firstReader == executor {
                broadcasts[slot: slot].pieces[piece].firstReader = nil
            }
        }
        let reader = broadcasts[slot: slot].readers.firstIndex { $0.executor == executor }
        guard let reader else { return }
        let gone = broadcasts[slot: slot].readers.remove(at: reader)
        for fetch in gone.underWay { release(fetch.source) }
    }

    // MARK: Who fetches what

    private mutating func assign(
        _ slot: Int, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) {
        for reader in broadcasts[slot: slot].readers.indices {
            let executor = broadcasts[slot: slot].readers[reader].executor
            let room = Self.piecesInFlight - broadcasts[slot: slot].readers[reader].underWay.count
            guard room > 0, executors.isAlive(executor) else { continue }
            var given: [BroadcastSource] = []
            // What nobody has first: each new piece is a source for all.
            for isFromDriver in [true, false] where given.count < room {
                take(room, isFromDriver: isFromDriver, slot, reader, executors, &given)
            }
            guard !given.isEmpty else { continue }
            effects.append(.fetchPieces(broadcasts[slot: slot].id, given, to: executor))
        }
    }

    private mutating func take(
        _ room: Int, isFromDriver: Bool, _ slot: Int, _ reader: Int,
        _ executors: ExecutorRegistry, _ given: inout [BroadcastSource]
    ) {
        let executor = broadcasts[slot: slot].readers[reader].executor
        let count = broadcasts[slot: slot].pieces.count
        // Far apart for neighbours: multiples of the golden section.
        let start = Int(Double(count) * (Double(executor.rawValue) * 0.618_034).fraction)
        for step in 0..<count where given.count < room {
            let piece = (start + step) % count
            guard !broadcasts[slot: slot].readers[reader].hasPiece[piece],
                !broadcasts[slot: slot].readers[reader].underWay.contains(where: {
                    $0.piece == piece
                })
            else { continue }
            let state = broadcasts[slot: slot].pieces[piece]
            var source: ExecutorID?
            if isFromDriver {
                guard state.holders.isEmpty, state.firstReader == nil else { continue }
                broadcasts[slot: slot].pieces[piece].firstReader = executor
            } else {
                guard let best = best(state.holders, for: executor, executors) else { continue }
                source = best
                occupy(best)
            }
            broadcasts[slot: slot].readers[reader].underWay.append((piece, source))
            given.append(BroadcastSource(piece: piece, executor: source))
        }
    }

    private func best(
        _ holders: [ExecutorID], for executor: ExecutorID, _ executors: ExecutorRegistry
    ) -> ExecutorID? {
        let host = executors.states[executor.rawValue].host
        return holders.filter { executors.isAlive($0) }.min { left, right in
            let (leftIsNear, rightIsNear) = (
                executors.states[left.rawValue].host == host,
                executors.states[right.rawValue].host == host
            )
            if leftIsNear != rightIsNear { return leftIsNear }
            return uploadCount(left) < uploadCount(right)
        }
    }

    private func uploadCount(_ executor: ExecutorID) -> Int {
        uploads.indices.contains(executor.rawValue) ? uploads[executor.rawValue] : 0
    }

    private mutating func occupy(_ executor: ExecutorID) {
        while uploads.count <= executor.rawValue { uploads.append(0) }
        uploads[executor.rawValue] += 1
    }

    private mutating func release(_ executor: ExecutorID?) {
        if let executor { uploads[executor.rawValue] -= 1 }
    }
}

extension Double {
    fileprivate var fraction: Double { self - rounded(.down) }
}

/// Where an executor gets a piece of a broadcast.
public struct BroadcastSource: Hashable, Sendable {
    public var piece: Int
    /// `nil` is the driver.
    public var executor: ExecutorID?
    public init(piece: Int, executor: ExecutorID?) {
        self.piece = piece
        self.executor = executor
    }
}

/// How an executor's fetch of a piece ended.
public struct BroadcastFetch: Hashable, Sendable {
    public enum Outcome: Int, Hashable, Sendable {
        /// It has the piece and serves it.
        case kept
        /// It has the piece, but no room to keep it for others.
        case unkept
        case failed
    }
    public var broadcast: BroadcastID
    public var piece: Int
    public var executor: ExecutorID
    public var outcome: Outcome
    public init(broadcast: BroadcastID, piece: Int, executor: ExecutorID, outcome: Outcome) {
        self.broadcast = broadcast
        self.piece = piece
        self.executor = executor
        self.outcome = outcome
    }
}
