import Foundation
import Millrace
import MillraceBase
import MillraceCore
import Synchronization

/// The time of one micro-batch: rate source, count and sum by key, update mode, a durable
/// checkpoint, as fast as possible. Same work and keys as the peers' `streaming`.
struct MicroBatchBenchmark: Encodable {
    var kind: String
    var src = "rate-micro-batch"
    var sink = "noop"
    var partitions: Int
    var rows_per_batch: Int
    var warm_batches: Int
    var batches: Int
    var ms: [String: Distribution]
    var trigger_interval_ms: Distribution
    var batches_per_s: Double
    var rows_per_s_wall: Double
    var state_rows: Int
    /// Batches that one decision of the scheduler covered; only with groups.
    var group_size: GroupSizes?
    /// Of a batch's time: from the job's submission to its end, without the time that its tasks
    /// would have taken alone. Deciding, messages, waking up.
    var scheduling_overhead_share: Distribution

    struct GroupSizes: Encodable {
        var min: Int
        var median: Int
        var max: Int
        var last: Int
    }

    static func run(_ session: MillraceSession, _ options: Options) async throws
        -> MicroBatchBenchmark
    {
        try options.expectOnly(
            "kind", "batches", "warm", "rows", "keys", "partitions", "srcparts", "ckptdir",
            "no-groups")
        let warm = try options.int("warm", 50)
        let batches = try options.int("batches", 200)
        let folder = URL(fileURLWithPath: options.string("ckptdir", NSTemporaryDirectory()))
            .appendingPathComponent("ckpt-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let collector = ProgressCollector(wanted: warm + batches)
        session.streams.addListener(collector)
        let query = try await start(session, options, checkpoint: folder.path)
        try await collector.wait(for: query)
        await query.stop()
        return try summary(collector.progress, ends: collector.ends, warm: warm, options)
    }

    private static func start(
        _ session: MillraceSession, _ options: Options, checkpoint: String
    ) async throws -> StreamingQuery {
        let keys = Int64(try options.int("keys", 100))
        let rows = try session.readStream
            .option("numPartitions", try options.int("srcparts", 2))
            .rateMicroBatch(rowsPerBatch: try options.int("rows", 1_000))
        switch options.string("kind", "agg") {
        case "agg":
            return try await rows.groupByKey { $0.value % keys }.agg(.count(), .sum { $0.value })
                .writeStream.outputMode(.update).checkpointLocation(checkpoint).format("noop")
                .start()
        case "stateless":
            return try await rows.map { ($0.value % keys, $0.value + 1) }.filter { $0.0 != 7 }
                .writeStream.outputMode(.append).checkpointLocation(checkpoint).format("noop")
                .start()
        case let kind:
            throw MillraceError(.invalidArgument, "--kind \(kind) is neither agg nor stateless")
        }
    }

    private static func summary(
        _ all: [StreamingQueryProgress], ends: [ContinuousClock.Instant], warm: Int,
        _ options: Options
    ) throws -> MicroBatchBenchmark {
        let progress = Array(all.dropFirst(warm))
        guard progress.count > 1 else {
            throw MillraceError(.queryFailed, "only \(all.count) batches ended")
        }
        // From one batch's end to the next one's: includes what triggerExecution leaves out.
        let measured = ends.dropFirst(warm)
        let gaps = zip(measured.dropFirst(), measured).map { ($0 - $1) / .milliseconds(1) }
        var times: [String: [Double]] = [:]
        for batch in progress {
            for phase in TriggerPhase.allCases {
                if let time = batch.times[phase] {
                    times[phase.rawValue, default: []].append(time.milliseconds)
                }
            }
        }
        let rows = progress.map(\.numInputRows)
        return MicroBatchBenchmark(
            kind: options.string("kind", "agg"), partitions: try options.int("partitions", 2),
            rows_per_batch: Int(rows.max() ?? 0), warm_batches: warm, batches: progress.count,
            ms: times.mapValues(Distribution.init), trigger_interval_ms: Distribution(gaps),
            batches_per_s: 1_000 * Double(gaps.count) / gaps.reduce(0, +),
            rows_per_s_wall: Double(rows.dropLast().reduce(0, +)) * 1_000 / gaps.reduce(0, +),
            state_rows: Int(progress.last?.stateOperators.first?.numRowsTotal ?? 0),
            group_size: groupSizes(progress),
            scheduling_overhead_share: Distribution(progress.compactMap(overhead)))
    }

    private static func groupSizes(_ progress: [StreamingQueryProgress]) -> GroupSizes? {
        let sizes = progress.compactMap(\.scheduling.groupSize)
        guard let last = sizes.last else { return nil }
        let sorted = sizes.sorted()
        return GroupSizes(
            min: sorted[0], median: sorted[sorted.count / 2], max: sorted[sorted.count - 1],
            last: last)
    }

    private static func overhead(_ batch: StreamingQueryProgress) -> Double? {
        guard let job = batch.times[.addBatch], batch.batchDuration > .zero else { return nil }
        return max((job - batch.scheduling.work) / batch.batchDuration, 0)
    }
}

/// Keeps the progress of each batch until there are enough.
private final class ProgressCollector: StreamingQueryListener {
    private let batches = Mutex<[(StreamingQueryProgress, ContinuousClock.Instant)]>([])
    private let wanted: Int

    init(wanted: Int) { self.wanted = wanted }

    var progress: [StreamingQueryProgress] { batches.withLock { $0.prefix(wanted).map(\.0) } }
    var ends: [ContinuousClock.Instant] { batches.withLock { $0.prefix(wanted).map(\.1) } }

    func onQueryProgress(_ progress: StreamingQueryProgress) {
        guard progress.numInputRows > 0 else { return }
        let now = ContinuousClock.now
        batches.withLock { $0.append((progress, now)) }
    }

    /// Returns when enough batches have ended; throws what the query failed with.
    func wait(for query: StreamingQuery) async throws {
        while batches.withLock({ $0.count }) < wanted {
            if try await query.awaitTermination(timeout: .milliseconds(100)) { return }
        }
    }
}
