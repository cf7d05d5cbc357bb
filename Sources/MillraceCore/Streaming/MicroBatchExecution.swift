import MillraceBase

/// The life of one streaming query, batch by batch: decides what is done next, never does anything.
///
/// A trigger asks the sources for their latest offsets. When something is new, the batch's range is
/// written to `offsets/`, the job runs (its tasks make the state durable), the sink commits, the
/// batch is written to `commits/`: always in this order, so that a crash at any point leaves either
/// a batch that is repeated over exactly the same range (`MicroBatchExecution+Recovery.swift`), or
/// a finished one. When nothing is new, the query waits (`MicroBatchExecution+Triggers.swift`).
///
/// Always true: at most one effect is unanswered; batches are numbered without gaps; nothing
/// follows `terminate`.
public struct MicroBatchExecution: Sendable {
    public struct Settings: Sendable {
        public var trigger: Trigger.Kind
        /// Number of sources.
        public var sources: Int
        /// Until a source that had nothing new is asked again, where the trigger sets no time.
        public var pollingDelay: Duration = .milliseconds(10)
        public var idleReportInterval: Duration = .seconds(10)
        /// Batches that stay recoverable.
        public var minBatchesToRetain = 100
        /// Batches between two purges: each lists the checkpoint's folders.
        public var purgeInterval = 32

        public init(trigger: Trigger.Kind = .processingTime(.zero), sources: Int) {
            self.trigger = trigger
            self.sources = sources
        }
    }

    /// What the machine waits for.
    public enum Phase: Hashable, Sendable {
        /// Not started.
        case created
        /// For time or data. Leads to `fetching`, or to `running` for a batch to repeat.
        case waiting(until: Instant)
        case fetching
        case loggingOffsets
        case running
        case committingSink
        case loggingCommit
        case terminated
    }

    public let settings: Settings
    public internal(set) var phase = Phase.created
    /// The batch that runs or will run next.
    public internal(set) var batch = BatchID(0)
    /// Where each source stands: the end of the last committed batch.
    public internal(set) var offsets: [String?]
    public internal(set) var watermarkMs: Int64 = 0
    /// Whether the last trigger found new data.
    public internal(set) var isDataAvailable = false

    /// The batch at work; also one found in the logs that is to be repeated.
    var current: MicroBatch?
    var isRerun = false
    var isStopping = false
    var trigger = TriggerRun()
    var lastTriggerStart: Instant?
    /// Of the last batch or idle report.
    var lastReport: Instant?
    /// Fetches begun so far; says which fetch came after a `processAllRequested`.
    var fetches = 0
    var processAll: [(token: Int, fetch: Int)] = []

    /// The trigger at work.
    struct TriggerRun: Sendable {
        var start = StreamTime(instant: .zero, wallMs: 0)
        var sinceLast: Duration?
        /// When the unanswered effect was asked for.
        var mark = Instant.zero
        var times = TriggerTimes()
    }

    public init(_ settings: Settings) {
        precondition(settings.sources > 0, "a streaming query has a source")
        self.settings = settings
        offsets = Array(repeating: nil, count: settings.sources)
    }

    public var isTriggerActive: Bool {
        switch phase {
        case .created, .waiting, .terminated: false
        default: true
        }
    }

    /// Takes one event and appends what is to be done.
    public mutating func handle(
        _ event: MicroBatchEvent, at time: StreamTime, into effects: inout [MicroBatchEffect]
    ) {
        if phase == .terminated {
            // Whoever asks now is not left waiting.
            if case .processAllRequested(let token) = event {
                effects.append(.completeProcessAll([token]))
            }
            return
        }
        switch event {
        case .started(let logs): recover(logs, time, &effects)
        case .latestOffsets(let ends): plan(ends, time, &effects)
        case .offsetsWritten: run(after: .walCommit, time, &effects)
        case .batchFinished(let getBatch, let queryPlanning):
            finishJob(getBatch, queryPlanning, time, &effects)
        case .sinkCommitted: logCommit(time, &effects)
        case .commitWritten: finishBatch(time, &effects)
        case .timerFired: wake(isTimer: true, time, &effects)
        case .dataArrived: wake(isTimer: false, time, &effects)
        case .processAllRequested(let token): enqueue(token, time, &effects)
        case .stopRequested: stop(&effects)
        case .failed(let error): terminate(isStopping ? nil : error, &effects)
        }
    }

    // MARK: A batch, step by step

    /// The sources have answered: a batch, or a pause.
    private mutating func plan(
        _ ends: [String?], _ time: StreamTime, _ effects: inout [MicroBatchEffect]
    ) {
        precondition(phase == .fetching && ends.count == settings.sources)
        lap(.latestOffset, time)
        if isStopping { return terminate(nil, &effects) }
        isDataAvailable = ends.contains { $0 != nil }
        guard isDataAvailable else { return endIdleTrigger(time, &effects) }
        let next = MicroBatch(
            id: batch, start: offsets, end: zip(ends, offsets).map { $0 ?? $1 },
            timestampMs: time.wallMs, watermarkMs: watermarkMs)
        current = next
        isRerun = false
        phase = .loggingOffsets
        effects.append(.writeOffsets(next))
    }

    /// The batch's range is durable.
    mutating func run(
        after done: TriggerPhase?, _ time: StreamTime, _ effects: inout [MicroBatchEffect]
    ) {
        guard let current else { preconditionFailure("no batch to run") }
        if let done { lap(done, time) }
        if isStopping { return terminate(nil, &effects) }
        phase = .running
        effects.append(.runBatch(current, isRerun: isRerun))
    }

    private mutating func finishJob(
        _ getBatch: Duration, _ queryPlanning: Duration, _ time: StreamTime,
        _ effects: inout [MicroBatchEffect]
    ) {
        guard let current, phase == .running else { preconditionFailure("no batch runs") }
        lap(.addBatch, time)
        trigger.times[.getBatch] = getBatch
        trigger.times[.queryPlanning] = queryPlanning
        trigger.times.add(.addBatch, .zero - getBatch - queryPlanning)
        if isStopping { return terminate(nil, &effects) }
        phase = .committingSink
        effects.append(.commitSink(current))
    }

    /// A stop does not come between the sink's commit and the log's: the batch would only be
    /// repeated.
    private mutating func logCommit(_ time: StreamTime, _ effects: inout [MicroBatchEffect]) {
        guard let current, phase == .committingSink else { preconditionFailure("no sink commits") }
        lap(.addBatch, time)
        phase = .loggingCommit
        effects.append(.writeCommit(current.id, nextWatermarkMs: watermarkMs))
    }

    private mutating func finishBatch(_ time: StreamTime, _ effects: inout [MicroBatchEffect]) {
        guard let done = current, phase == .loggingCommit else {
            preconditionFailure("no batch is being committed")
        }
        lap(.commitOffsets, time)
        current = nil
        offsets = done.end
        batch = done.id.next
        lastReport = time.instant
        effects.append(.releaseSources(done))
        effects.append(.publish(report(of: done, time)))
        let retained = settings.minBatchesToRetain
        if done.id.rawValue >= retained, done.id.rawValue.isMultiple(of: settings.purgeInterval) {
            effects.append(.purge(keepingFrom: BatchID(done.id.rawValue - retained + 1)))
        }
        if isStopping || settings.trigger == .once { return terminate(nil, &effects) }
        endTrigger(hadData: true, time, &effects)
    }

    // MARK: The end

    private mutating func stop(_ effects: inout [MicroBatchEffect]) {
        isStopping = true
        switch phase {
        case .created, .waiting: terminate(nil, &effects)
        default: break
        }
    }

    mutating func terminate(_ error: MillraceError?, _ effects: inout [MicroBatchEffect]) {
        phase = .terminated
        processAll = []
        effects.append(.terminate(error))
    }

    // MARK: Times

    /// Books the time since the last effect was asked for.
    private mutating func lap(_ phase: TriggerPhase, _ time: StreamTime) {
        trigger.times.add(phase, time.instant - trigger.mark)
        trigger.mark = time.instant
    }

    func report(of ran: MicroBatch?, _ time: StreamTime) -> TriggerReport {
        var times = trigger.times
        times[.triggerExecution] = time.instant - trigger.start.instant
        return TriggerReport(
            startedMs: trigger.start.wallMs, sinceLastTrigger: trigger.sinceLast, times: times,
            batch: ran?.id ?? batch, ran: ran, offsets: offsets)
    }
}
