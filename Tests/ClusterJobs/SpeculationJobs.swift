import Glibc
import Millrace
import MillraceBase

/// Copies of slow tasks that are as far as their originals when they are about to commit.
enum SpeculationJobs {
    /// Original and copy of one partition have written everything when they ask: one commits.
    static func race(_ context: MillraceContext) async throws {
        for round in 0..<5 {
            let folder = ClusterJobs.temporaryFolder()
            let output = "\(folder)/output"
            try await context.range(0, 400, 1, 4).map { value -> String in
                // The last row of the last partition.
                if value == 399 { meet(folder, TaskContext.current?.attemptNumber ?? 0) }
                return "\(value)"
            }.saveAsTextFile(output)
            let names = ExecutorFaults.names(in: folder)
            ClusterJobs.check(names.contains("attempt-0") && names.contains("attempt-1"), true)
            let parts = ExecutorFaults.names(in: output).filter { $0.contains("part-") }
            ClusterJobs.check(parts, (0..<4).map { "part-0000\($0)" })
            ClusterJobs.check(
                ExecutorFaults.names(in: output).filter { $0.contains("attempt") }, [])
            let lines = try await context.textFile(output).collect().map { Int($0)! }.sorted()
            ClusterJobs.check(lines, Array(0..<400))
            print("round \(round) exact")
        }
    }

    /// The same in a streaming query whose sink are files: the batch has each row once.
    static func streamRace(_ session: MillraceSession) async throws {
        let folder = ClusterJobs.temporaryFolder()
        let output = "\(folder)/output"
        let query = try await session.readStream.option("numPartitions", 4)
            .rateMicroBatch(rowsPerBatch: 400)
            .map { row -> String in
                if row.value == 399 { meet(folder, TaskContext.current?.attemptNumber ?? 0) }
                return "\(row.value)"
            }
            .writeStream.format("text").option("path", output)
            .checkpointLocation("\(folder)/checkpoint").start()
        while query.lastProgress.map({ $0.batchId < 3 }) ?? true {
            if try await query.awaitTermination(timeout: .milliseconds(20)) {
                ClusterJobs.fail("the query ended")
            }
        }
        await query.stop()
        let names = ExecutorFaults.names(in: folder)
        ClusterJobs.check(names.contains("attempt-0") && names.contains("attempt-1"), true)
        let rows = try DriverCrashes.manifestRows(of: output)
        ClusterJobs.check(rows, Array(0..<rows.count))
    }

    /// Returns when an original and a copy are here.
    private static func meet(_ folder: String, _ attempt: Int) {
        close(open("\(folder)/attempt-\(attempt)", O_CREAT | O_WRONLY, 0o600))
        let other = "\(folder)/attempt-\(attempt == 0 ? 1 : 0)"
        let deadline = time(nil) + 60
        var none = pollfd()
        while access(other, F_OK) != 0, time(nil) < deadline { poll(&none, 0, 1) }
    }
}
