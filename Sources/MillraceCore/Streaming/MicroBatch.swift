import MillraceBase

/// A moment as a streaming query needs it: to wait by, and to write down.
public struct StreamTime: Hashable, Sendable {
    public var instant: Instant
    /// Milliseconds since 1970.
    public var wallMs: Int64
    public init(instant: Instant, wallMs: Int64) {
        self.instant = instant
        self.wallMs = wallMs
    }
}

/// What one batch reads: fixed before it runs, the same again when it is repeated.
public struct MicroBatch: Hashable, Sendable {
    public var id: BatchID
    /// Where each source stands before and after it: the source's JSON, nil where it has none yet.
    public var start: [String?]
    public var end: [String?]
    /// The batch's processing time, ms since 1970.
    public var timestampMs: Int64
    /// Event-time watermark that it drops late rows by, ms since 1970; 0 before any.
    public var watermarkMs: Int64

    public init(
        id: BatchID, start: [String?], end: [String?], timestampMs: Int64, watermarkMs: Int64 = 0
    ) {
        self.id = id
        self.start = start
        self.end = end
        self.timestampMs = timestampMs
        self.watermarkMs = watermarkMs
    }
}

/// What the logs of a checkpoint say when a query starts.
public struct RecoveredLogs: Sendable {
    /// The newest entry of `offsets/`.
    public struct Offsets: Sendable {
        public var batch: BatchID
        public var offsets: [String?]
        public var timestampMs: Int64
        public var watermarkMs: Int64
        public init(batch: BatchID, offsets: [String?], timestampMs: Int64, watermarkMs: Int64) {
            self.batch = batch
            self.offsets = offsets
            self.timestampMs = timestampMs
            self.watermarkMs = watermarkMs
        }
    }
    public var latest: Offsets?
    /// Offsets of the batch before `latest`, nil if there are none.
    public var previous: [String?]?
    /// The newest entry of `commits/`.
    public var committed: BatchID?
    public var nextWatermarkMs: Int64

    public init(
        latest: Offsets? = nil, previous: [String?]? = nil, committed: BatchID? = nil,
        nextWatermarkMs: Int64 = 0
    ) {
        self.latest = latest
        self.previous = previous
        self.committed = committed
        self.nextWatermarkMs = nextWatermarkMs
    }
}

/// A part of a trigger whose time is reported. The names are Spark's keys of `durationMs`.
public enum TriggerPhase: String, Hashable, Sendable, CaseIterable {
    case addBatch, commitOffsets, getBatch, latestOffset, queryPlanning, triggerExecution, walCommit
}

/// How long each part of a trigger took.
public struct TriggerTimes: Hashable, Sendable {
    private var nanoseconds = [Int64](repeating: -1, count: TriggerPhase.allCases.count)
    public init() {}

    /// Nil for a part that did not happen.
    public subscript(phase: TriggerPhase) -> Duration? {
        get {
            let value = nanoseconds[index(phase)]
            return value < 0 ? nil : .nanoseconds(value)
        }
        set { nanoseconds[index(phase)] = newValue.map { max($0.nanoseconds, 0) } ?? -1 }
    }

    public mutating func add(_ phase: TriggerPhase, _ duration: Duration) {
        self[phase] = (self[phase] ?? .zero) + duration
    }

    private func index(_ phase: TriggerPhase) -> Int {
        switch phase {
        case .addBatch: 0
        case .commitOffsets: 1
        case .getBatch: 2
        case .latestOffset: 3
        case .queryPlanning: 4
        case .triggerExecution: 5
        case .walCommit: 6
        }
    }
}

/// A trigger that ended, as far as the machine knows it; the shell adds rows, state and sink.
public struct TriggerReport: Hashable, Sendable {
    /// When it began, ms since 1970.
    public var startedMs: Int64
    /// From the beginning of the trigger before; nil for the first.
    public var sinceLastTrigger: Duration?
    public var times: TriggerTimes
    /// The next batch's number if none ran.
    public var batch: BatchID
    /// Nil when there was nothing to do.
    public var ran: MicroBatch?
    /// Where each source stands, if nothing ran.
    public var offsets: [String?]
}
