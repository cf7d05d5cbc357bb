import Glibc
import Millrace
import MillraceBase
import MillraceStore

/// A streaming query whose driver dies at one step of one batch in the middle of a granted group;
/// started again with the same folder and the step `none` it goes on and checks that all is exact:
/// `driver-dies STEP QUERY FOLDER`.
///
/// Batch b has the values 100b up to 100(b + 1).
enum DriverCrashes {
    private static let rows = 100
    /// The batch that dies, and the one after which a whole run ends.
    private static let (victim, last) = (30, 60)

    static func run(_ session: MillraceSession, _ arguments: [String]) async throws {
        guard arguments.count == 3 else {
            throw MillraceError(.invalidArgument, "driver-dies STEP QUERY FOLDER")
        }
        let (step, folder) = (arguments[0], arguments[2])
        switch arguments[1] {
        case "counts": try await counts(session, step, folder)
        case "lines": try await lines(session, step, folder)
        default: throw MillraceError(.invalidArgument, "no query \(arguments[1])")
        }
    }

    /// Kills this process when the batch comes to the step.
    private static func fault(
        _ name: String
    ) throws -> (@Sendable (StreamingStep) throws -> Void)? {
        let steps: [String: StreamingStep] = [
            "before-offsets": .beforeOffsets(victim), "after-offsets": .afterOffsets(victim),
            "after-job": .afterJob(victim), "after-sink-commit": .afterSinkCommit(victim),
            "before-commit": .beforeCommit(victim), "after-commit": .afterCommit(victim),
        ]
        if name == "none" || name == "granted" { return nil }
        guard let step = steps[name] else {
            throw MillraceError(.invalidArgument, "no step \(name)")
        }
        return { if $0 == step { kill(getpid(), SIGKILL) } }
    }

    /// In a task of that batch, which its grant let begin: the driver dies, and this executor with
    /// it.
    private static func killDriver(_ step: String, _ value: Int64, _ marker: String) {
        guard step == "granted", value == Int64(victim * rows + 50) else { return }
        close(open(marker, O_CREAT | O_WRONLY, 0o600))
        kill(getppid(), SIGKILL)
        while true { pause() }
    }

    /// Stateful: what each batch puts out is known beforehand, and must be the same each time.
    private static func counts(
        _ session: MillraceSession, _ step: String, _ folder: String
    ) async throws {
        let output = "\(folder)/output"
        mkdir(output, 0o700)
        let query = try await session.readStream.option("numPartitions", 3)
            .rateMicroBatch(rowsPerBatch: rows)
            .map { row -> Int64 in
                killDriver(step, row.value, "\(folder)/died")
                return row.value
            }
            .groupByKey { $0 % 10 }.agg(.count(), .sum { $0 })
            .writeStream.outputMode(.update).checkpointLocation("\(folder)/checkpoint")
            .foreachBatch { batch, id in
                ClusterJobs.check(
                    batch.rows.map { "\($0.0) \($0.1) \($0.2)" }.sorted(), expected(id))
                close(open("\(output)/\(id)", O_CREAT | O_WRONLY, 0o600))
            }
            .start(nil, fault: try fault(step))
        try await finish(query)
        let batches = ExecutorFaults.names(in: output).compactMap { Int($0) }.sorted()
        ClusterJobs.check(batches, Array(0..<batches.count))
    }

    private static func expected(_ batch: Int) -> [String] {
        let count = Int64(batch + 1) * 10
        return (Int64(0)..<10).map {
            "\($0) \(count) \(count * $0 + 10 * count * (count - 1) / 2)"
        }
    }

    /// Each value is on one line of one file that the sink's manifest names.
    private static func lines(
        _ session: MillraceSession, _ step: String, _ folder: String
    ) async throws {
        let output = "\(folder)/output"
        let query = try await session.readStream.option("numPartitions", 3)
            .rateMicroBatch(rowsPerBatch: rows)
            .map { row -> String in
                killDriver(step, row.value, "\(folder)/died")
                return "\(row.value)"
            }
            .writeStream.format("text").option("path", output)
            .checkpointLocation("\(folder)/checkpoint")
            .start(nil, fault: try fault(step))
        try await finish(query)
        let found = try manifestRows(of: output)
        ClusterJobs.check(found.count % rows, 0)
        ClusterJobs.check(found, Array(0..<found.count))
    }

    /// The numbers in the files that a sink's manifest names, in their order.
    static func manifestRows(of output: String) throws -> [Int] {
        try FileSinkLog(PosixFileSystem(), output: output).allFiles().flatMap { file in
            let bytes = try PosixFileSystem().read(try StorePath.resolve(file.path))
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { Int($0)! }
        }.sorted()
    }

    private static func finish(_ query: StreamingQuery) async throws {
        while query.lastProgress.map({ $0.batchId < last }) ?? true {
            if try await query.awaitTermination(timeout: .milliseconds(20)) {
                ClusterJobs.fail("the query ended")
            }
        }
        await query.stop()
    }
}
