import MillraceBase

/// How the tasks of one attempt of a barrier stage wait for each other. Spark's
/// BarrierCoordinator, for one barrier.
///
/// Each round is an *epoch*: it's passed when every task has arrived, and then the next begins. A
/// task says which epoch it means, so that a request that comes late or twice does no harm. When it
/// is clear that a round can't be passed it's *broken*, and so is every later one: the stage's
/// attempt is over then. It lies in its task set and is forgotten with it.
///
/// Always true: a task that has arrived waits until the epoch changes or breaks.
struct BarrierSync: Sendable {
    /// What an arrival means.
    enum Verdict: Hashable, Sendable {
        /// Others are missing.
        case waits(isFirst: Bool)
        /// It was the last one.
        case passes(messages: [String])
        /// This request is wrong; the others go on waiting.
        case refused(reason: String)
        /// Nobody can pass any more.
        case breaks(reason: String)
    }

    /// Rounds that were passed.
    private(set) var epoch = 0
    /// Of the round that has begun.
    private(set) var kind: BarrierKind?
    private(set) var arrivedCount = 0
    private(set) var brokenBy: String?
    private var gatheredBytes = 0
    private let maxGatheredBytes: Int
    /// By partition, what those that have arrived brought.
    private var messages: [String?]

    init(count: Int, maxGatheredBytes: Int = .max) {
        messages = [String?](repeating: nil, count: count)
        self.maxGatheredBytes = maxGatheredBytes
    }

    var isWaiting: Bool { arrivedCount > 0 }
    func hasArrived(_ partition: Int) -> Bool { messages[partition] != nil }
    /// A partition whose task hasn't arrived.
    var someMissing: Int? { messages.firstIndex { $0 == nil } }

    mutating func arrive(_ partition: Int, _ request: BarrierRequest) -> Verdict {
        if let brokenBy { return .refused(reason: brokenBy) }
        guard request.epoch == epoch else {
            return .refused(
                reason: "it has passed \(request.epoch) barriers and its stage \(epoch)")
        }
        guard messages[partition] == nil else { return .waits(isFirst: false) }
        if let kind, kind != request.kind {
            return .breaks(
                reason: """
                    one task calls \(request.kind) where others wait in \(kind); all tasks of a \
                    barrier stage must make the same calls in the same order
                    """)
        }
        let bytes = gatheredBytes + request.message.utf8.count
        guard bytes <= maxGatheredBytes else {
            return .breaks(
                reason: """
                    the messages of allGather() take \(bytes) bytes together; at most \
                    \(maxGatheredBytes) are possible (half of millrace.rpc.message.maxSize)
                    """)
        }
        gatheredBytes = bytes
        kind = request.kind
        messages[partition] = request.message
        arrivedCount += 1
        guard arrivedCount == messages.count else { return .waits(isFirst: arrivedCount == 1) }
        let gathered = request.kind == .allGather ? messages.compactMap { $0 } : []
        begin()
        return .passes(messages: gathered)
    }

    private mutating func begin() {
        epoch += 1
        kind = nil
        gatheredBytes = 0
        arrivedCount = 0
        for index in messages.indices { messages[index] = nil }
    }

    /// Those that wait are to be told.
    mutating func breakUp(_ reason: String) {
        if brokenBy == nil { brokenBy = reason }
        arrivedCount = 0
        for partition in messages.indices { messages[partition] = nil }
    }
}

/// What a task set has more when its tasks are launched together.
struct BarrierTasks: Sendable {
    let preferred: PreferredLocations
    var sync: BarrierSync
    /// By partition, where it runs; empty until all are launched.
    var executors: [ExecutorID] = []

    init(count: Int, preferred: PreferredLocations, _ settings: BarrierSettings) {
        self.preferred = preferred
        sync = BarrierSync(count: count, maxGatheredBytes: settings.maxGatheredBytes)
    }
}
