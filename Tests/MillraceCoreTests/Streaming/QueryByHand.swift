import MillraceBase
import MillraceCore

/// A query's machine with a clock that a test turns: takes events, gives effects as lines.
struct QueryByHand {
    var machine: MicroBatchExecution
    /// Milliseconds, on both clocks.
    var now: Int64

    init(
        _ trigger: Trigger.Kind = .processingTime(.zero), sources: Int = 1, now: Int64 = 0,
        retain: Int = 100
    ) {
        var settings = MicroBatchExecution.Settings(trigger: trigger, sources: sources)
        settings.minBatchesToRetain = retain
        settings.purgeInterval = 1
        machine = MicroBatchExecution(settings)
        self.now = now
    }

    @discardableResult
    mutating func take(_ event: MicroBatchEvent, after milliseconds: Int64 = 0) -> [String] {
        handle(event, after: milliseconds).map(Self.line)
    }

    mutating func handle(
        _ event: MicroBatchEvent, after milliseconds: Int64 = 0
    ) -> [MicroBatchEffect] {
        now += milliseconds
        var effects: [MicroBatchEffect] = []
        machine.handle(
            event, at: StreamTime(instant: Instant(nanoseconds: now * 1_000_000), wallMs: now),
            into: &effects)
        return effects
    }

    /// From the answer of the sources to the end of the batch.
    mutating func runBatch(_ ends: [String?]) -> [String] {
        take(.latestOffsets(ends)) + take(.offsetsWritten) + finishBatch()
    }

    mutating func finishBatch() -> [String] {
        take(finished) + take(.sinkCommitted) + take(.commitWritten)
    }

    /// The job has ended well.
    var finished: MicroBatchEvent { .batchFinished(getBatch: .zero, queryPlanning: .zero) }

    static func line(_ effect: MicroBatchEffect) -> String {
        switch effect {
        case .prepareAvailableNow(let start): "prepare \(list(start))"
        case .fetchLatestOffsets(let start): "fetch \(list(start))"
        case .writeOffsets(let batch): "offsets \(line(batch))"
        case .runBatch(let batch, let isRerun): "\(isRerun ? "rerun" : "run") \(line(batch))"
        case .cancelBatch: "cancel"
        case .commitSink(let batch): "sink \(batch.id.rawValue)"
        case .writeCommit(let batch, _): "commit \(batch.rawValue)"
        case .releaseSources(let batch): "release \(list(batch.end))"
        case .publish(let report): "progress \(report.batch.rawValue)"
        case .publishIdle(let report): "idle \(report.batch.rawValue)"
        case .purge(let batch): "purge \(batch.rawValue)"
        case .completeProcessAll(let tokens): "processed \(tokens)"
        case .wait(let until): "wait \(until.nanoseconds / 1_000_000)"
        case .terminate(let error): "end" + (error.map { " \($0.code)" } ?? "")
        }
    }

    private static func line(_ batch: MicroBatch) -> String {
        "\(batch.id.rawValue) \(list(batch.start))-\(list(batch.end)) at \(batch.timestampMs)"
    }
    private static func list(_ offsets: [String?]) -> String {
        offsets.map { $0 ?? "-" }.joined(separator: ",")
    }
}
