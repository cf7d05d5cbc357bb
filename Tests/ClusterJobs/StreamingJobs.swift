import Glibc
import Millrace
import MillraceBase
import Synchronization

/// A stateful query over many micro-batches, every one of whose results is known beforehand.
///
/// Batch b has the values 100b up to 100(b + 1). They are counted and added up by their last digit,
/// so after batch b every digit has 10(b + 1) values.
enum StreamingJobs {
    static let batches = 150
    static let rows = 100

    /// Where the query meets a fault. All of them hit once, in the middle of a group of batches.
    enum Fault: String {
        case none = "stream"
        case killInMap = "stream-kill-executor-in-map"
        case killInReduce = "stream-kill-executor-in-reduce"
        case failInMap = "stream-failing-map-task"
        case failInReduce = "stream-failing-reduce-task"
    }

    static func run(_ session: MillraceSession, _ fault: Fault) async throws {
        let marker = "\(ClusterJobs.temporaryFolder())/hit"
        let seen = Seen()
        let query = try await counts(session, fault, marker: marker)
            .checkpointLocation("\(ClusterJobs.temporaryFolder())/checkpoint")
            .foreachBatch { batch, id in seen.check(batch.rows, id) }.start()
        try await seen.wait(for: query)
        await query.stop()
        ClusterJobs.check(seen.batches, Array(0..<batches))
        if fault != .none { ClusterJobs.check(access(marker, F_OK), 0) }
    }

    static func counts(
        _ session: MillraceSession, _ fault: Fault, marker: String
    ) async throws -> DataStreamWriter<(Int64, Int, Int64)> {
        let (inMap, inReduce) = (fault == .killInMap, fault == .killInReduce)
        let (failsInMap, failsInReduce) = (fault == .failInMap, fault == .failInReduce)
        return try session.readStream.option("numPartitions", 3)
            .rateMicroBatch(rowsPerBatch: rows)
            .map { row -> Int64 in
                if row.value == 5_050 {
                    if inMap { dieOnce(marker) }
                    if failsInMap { try failOnce(marker) }
                }
                return row.value
            }
            .groupByKey { $0 % 10 }
            .agg(.count(), .sum { $0 })
            .map { row in
                if row.0 == 7, row.1 == 510 {
                    if inReduce { dieOnce(marker) }
                    if failsInReduce { try failOnce(marker) }
                }
                return row
            }
            .writeStream.outputMode(.update)
    }

    /// What every batch has to bring, and which came.
    final class Seen: Sendable {
        private let state = Mutex<[Int]>([])
        var batches: [Int] { state.withLock { Array($0.prefix(StreamingJobs.batches)) } }

        func check(_ rows: [(Int64, Int, Int64)], _ batch: Int) {
            let counts = Dictionary(rows.map { ($0.0, [Int64($0.1), $0.2]) }) { $1 }
            let last = Int64(batch + 1) * 10
            var expected: [Int64: [Int64]] = [:]
            for digit in Int64(0)..<10 {
                expected[digit] = [last, last * digit + 10 * last * (last - 1) / 2]
            }
            ClusterJobs.check(rows.count, 10)
            ClusterJobs.check(counts, expected)
            state.withLock { $0.append(batch) }
        }

        func wait(for query: StreamingQuery) async throws {
            while batches.count < StreamingJobs.batches {
                if try await query.awaitTermination(timeout: .milliseconds(20)) {
                    ClusterJobs.fail("the query ended after \(batches.count) batches")
                }
            }
        }
    }
}

/// For the first caller that makes the marker.
func failOnce(_ marker: String) throws {
    let file = open(marker, O_CREAT | O_EXCL | O_WRONLY, 0o600)
    guard file >= 0 else { return }
    close(file)
    throw MillraceError(.unavailable, "once")
}
