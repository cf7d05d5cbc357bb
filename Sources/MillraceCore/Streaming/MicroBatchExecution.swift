import MillraceBase

/// The life of one streaming query, batch by batch: decides what is done next, never does anything.
///
/// A trigger asks the sources for their latest offsets. When something is new, the batch's range is
/// written to `offsets/` while the job already runs (its tasks make the state durable). When both
/// are done the sink commits, and while the batch is written to `commits/` the next trigger begins.
/// Entries are written one after the other, so that a crash at any point leaves either a batch that
/// is repeated over exactly the same range (`MicroBatchExecution+Recovery.swift`), or one that
/// nobody saw and that never happened, or a finished one. When nothing is new, the query waits
/// (`MicroBatchExecution+Triggers.swift`).
///
/// Always true: at most one of the batch's own steps is unanswered; the sink commits a batch only
/// when its offsets, and with them the commit of the batch before, are durable; batches are
/// numbered without gaps; nothing follows `terminate`.
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

    /// What the machine waits for. The log may be busy in any phase after the first.
    public enum Phase: Hashable, Sendable {
        /// Not started.
        case created
        /// For time or data. Leads to `fetching`, or to `running` for a batch to repeat.
        case waiting(until: Instant)
        case fetching
        case running
        /// The job is done, the offsets are not durable yet.
        case awaitingOffsets
        case committingSink
        /// Nothing was new; the trigger ends when the log has written what it was asked for, or
        /// something is new.
        case settling
        /// The query ends when the log has written what it was asked for.
        case ending
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
    /// Whether the offsets of `current` are durable.
    var isLogged = false
    /// The batch whose sink has committed and whose commit is being written.
    var committing: Committing?
    /// Entries that the log was asked for and has not written yet.
    var unwritten = 0
    /// Why the query ends, in `ending`.
    var reason: MillraceError?
    /// Why nothing can be logged any more, while a batch is being cancelled for it.
    var logFailure: MillraceError?
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
        /// When the unanswered step was asked for.
        var mark = Instant.zero
        /// When the offsets were handed to the log.
        var logged = Instant.zero
        var times = TriggerTimes()
    }

    struct Committing: Sendable {
        var batch: MicroBatch
        var trigger: TriggerRun
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
        case .offsetsWritten: noteOffsets(time, &effects)
        case .batchFinished(let getBatch, let queryPlanning):
            finishJob(getBatch, queryPlanning, time, &effects)
        case .sinkCommitted: logCommit(time, &effects)
        case .commitWritten: noteCommit(time, &effects)
        case .timerFired: wake(isTimer: true, time, &effects)
        case .dataArrived: wake(isTimer: false, time, &effects)
        case .processAllRequested(let token): enqueue(token, time, &effects)
        case .stopRequested: stop(&effects)
        case .failed(let error): end(isStopping ? nil : error, &effects)
        case .logFailed(let error): giveUp(error, &effects)
        }
    }

    // MARK: A batch, step by step

    /// The sources have answered: a batch, or a pause.
    private mutating func plan(
        _ ends: [String?], _ time: StreamTime, _ effects: inout [MicroBatchEffect]
    ) {
        precondition(phase == .fetching && ends.count == settings.sources)
        lap(.latestOffset, time)
        if isStopping { return end(nil, &effects) }
        isDataAvailable = ends.contains { $0 != nil }
        guard isDataAvailable else { return endIdleTrigger(time, &effects) }
        let next = MicroBatch(
            id: batch, start: offsets, end: zip(ends, offsets).map { $0 ?? $1 },
            timestampMs: time.wallMs, watermarkMs: watermarkMs)
        current = next
        isRerun = false
        isLogged = false
        unwritten += 1
        trigger.logged = time.instant
        effects.append(.writeOffsets(next))
        run(&effects)
    }

    mutating func run(_ effects: inout [MicroBatchEffect]) {
        guard let current else { preconditionFailure("no batch to run") }
        phase = .running
        effects.append(.runBatch(current, isRerun: isRerun))
    }

    private mutating func noteOffsets(_ time: StreamTime, _ effects: inout [MicroBatchEffect]) {
        precondition(!isLogged, "offsets are written once")
        isLogged = true
        trigger.times[.walCommit] = time.instant - trigger.logged
        if phase == .awaitingOffsets { commitSink(&effects) }
        noteWritten(time, &effects)
    }

    private mutating func finishJob(
        _ getBatch: Duration, _ queryPlanning: Duration, _ time: StreamTime,
        _ effects: inout [MicroBatchEffect]
    ) {
        precondition(phase == .running, "no batch runs")
        lap(.addBatch, time)
        trigger.times[.getBatch] = getBatch
        trigger.times[.queryPlanning] = queryPlanning
        trigger.times.add(.addBatch, .zero - getBatch - queryPlanning)
        if isStopping || logFailure != nil { return end(nil, &effects) }
        if isLogged { commitSink(&effects) } else { phase = .awaitingOffsets }
    }

    /// The state and the offsets are durable: now the batch may be seen.
    private mutating func commitSink(_ effects: inout [MicroBatchEffect]) {
        guard let current, isLogged else { preconditionFailure("a batch that is not logged") }
        if isStopping { return end(nil, &effects) }
        phase = .committingSink
        effects.append(.commitSink(current))
    }

    /// The batch is over but for its entry in `commits/`, and the next trigger need not wait for
    /// that. A stop does not come between the sink's commit and the log's: the batch would only be
    /// repeated.
    private mutating func logCommit(_ time: StreamTime, _ effects: inout [MicroBatchEffect]) {
        guard let done = current, phase == .committingSink, committing == nil else {
            preconditionFailure("no sink commits")
        }
        lap(.addBatch, time)
        committing = Committing(batch: done, trigger: trigger)
        unwritten += 1
        effects.append(.writeCommit(done.id, nextWatermarkMs: watermarkMs))
        current = nil
        offsets = done.end
        batch = done.id.next
        if isStopping || settings.trigger == .once { return end(nil, &effects) }
        endTrigger(hadData: true, time, &effects)
    }

    private mutating func noteCommit(_ time: StreamTime, _ effects: inout [MicroBatchEffect]) {
        guard var done = committing.take() else { preconditionFailure("no batch is committed") }
        done.trigger.times[.commitOffsets] = time.instant - done.trigger.mark
        lastReport = time.instant
        effects.append(.releaseSources(done.batch))
        effects.append(.publish(report(of: done.batch, done.trigger, time)))
        let (number, retained) = (done.batch.id.rawValue, settings.minBatchesToRetain)
        if number >= retained, number.isMultiple(of: settings.purgeInterval) {
            effects.append(.purge(keepingFrom: BatchID(number - retained + 1)))
        }
        noteWritten(time, &effects)
    }

    private mutating func noteWritten(_ time: StreamTime, _ effects: inout [MicroBatchEffect]) {
        unwritten -= 1
        guard unwritten == 0 else { return }
        switch phase {
        case .settling: endIdleTrigger(time, &effects)
        case .ending: terminate(reason, &effects)
        default: break
        }
    }

    // MARK: The end

    private mutating func stop(_ effects: inout [MicroBatchEffect]) {
        isStopping = true
        switch phase {
        case .created, .waiting, .settling, .awaitingOffsets: end(nil, &effects)
        case .running: effects.append(.cancelBatch)
        case .fetching, .committingSink, .ending, .terminated: break
        }
    }

    /// Ends the query when the log has written what it was asked for: it is asked for nothing more.
    mutating func end(_ error: MillraceError?, _ effects: inout [MicroBatchEffect]) {
        if let logFailure { return terminate(logFailure, &effects) }
        if unwritten == 0 { return terminate(error, &effects) }
        phase = .ending
        reason = error
    }

    /// Without its logs a query cannot go on. A job that runs has to be over first.
    private mutating func giveUp(_ error: MillraceError, _ effects: inout [MicroBatchEffect]) {
        guard phase == .running else { return terminate(error, &effects) }
        logFailure = error
        effects.append(.cancelBatch)
    }

    mutating func terminate(_ error: MillraceError?, _ effects: inout [MicroBatchEffect]) {
        phase = .terminated
        processAll = []
        effects.append(.terminate(error))
    }

    // MARK: Times

    /// Books the time since the last step was asked for.
    private mutating func lap(_ phase: TriggerPhase, _ time: StreamTime) {
        trigger.times.add(phase, time.instant - trigger.mark)
        trigger.mark = time.instant
    }

    func report(
        of ran: MicroBatch?, _ trigger: TriggerRun, _ time: StreamTime
    ) -> TriggerReport {
        var times = trigger.times
        times[.triggerExecution] = time.instant - trigger.start.instant
        return TriggerReport(
            startedMs: trigger.start.wallMs, sinceLastTrigger: trigger.sinceLast, times: times,
            batch: ran?.id ?? batch, ran: ran, offsets: offsets)
    }
}
