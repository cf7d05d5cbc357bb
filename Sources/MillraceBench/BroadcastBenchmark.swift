import CBenchFloor
import Glibc
import Millrace
import MillraceBase

/// A value of 100 MB to all executors, until each has touched it. Same work and keys as the peers'
/// `broadcast`.
struct BroadcastBenchmark: Encodable {
    var mb: Int
    var fill: String
    var executors_touched: Int
    var driver_put_ms: Repetitions
    var both_touched_ms: Repetitions
    /// Bytes that the driver sent for each byte of the value.
    var driver_sent_ratio: Double
    var floor: BroadcastFloor?

    /// What moving these bytes costs without anything else: one copy in memory, and one `sendfile`
    /// over loopback for each of two executors.
    struct BroadcastFloor: Encodable {
        var memory_copy_ms: Double
        var sendfile_ms: Double
        var ratio_to_sendfile: Double
    }

    static func run(
        _ context: MillraceContext, _ options: Options
    ) async throws -> BroadcastBenchmark {
        try options.expectOnly("mb", "reps", "fill", "floor", "executors")
        let mb = try options.int("mb", 100)
        let executors = try options.int("executors", 2)
        let isZero = try options.int("fill", 1) == 0
        _ = try await context.range(0, executors, 1, executors).count()
        var (put, both): ([Double], [Double]) = ([], [])
        var touched = executors
        let sentBefore = context.broadcastBytesSent
        let reps = try options.int("reps", 6)
        for rep in 0..<reps {
            let value = isZero ? [UInt8](repeating: 0, count: mb * 1_000_000) : random(rep, mb)
            let start = now()
            let broadcast = try context.broadcast(value)
            put.append(Double(now() - start) / 1000)
            let rows = try await context.range(0, executors, 1, executors).map { _ in
                let value = try broadcast.value
                var sum = 0
                for index in stride(from: 0, to: value.count, by: 4096) {
                    sum &+= Int(value[index])
                }
                let end = now()
                // So that the other executors take the other tasks.
                usleep(500_000)
                return (Int(getpid()), end, sum, value.count)
            }.collect()
            precondition(rows.allSatisfy { $0.3 == value.count && $0.2 == rows[0].2 })
            both.append(Double(rows.map(\.1).max()! - start) / 1000)
            touched = min(touched, Set(rows.map(\.0)).count)
            broadcast.destroy()
        }
        let sent = Double(context.broadcastBytesSent - sentBefore)
        let times = Repetitions(both)
        return BroadcastBenchmark(
            mb: mb, fill: isZero ? "zero" : "random", executors_touched: touched,
            driver_put_ms: Repetitions(put), both_touched_ms: times,
            driver_sent_ratio: sent / Double(reps * mb * 1_000_000),
            floor: try options.int("floor", 1) == 0 ? nil : floor(mb, times.median))
    }

    private static func floor(_ mb: Int, _ median: Double) -> BroadcastFloor {
        let bytes = mb * 1_000_000
        let send = cbench_sendfile("/tmp", bytes) * 2 * 1000
        return BroadcastFloor(
            memory_copy_ms: cbench_memory_copy(bytes) * 1000, sendfile_ms: send,
            ratio_to_sendfile: median / send)
    }

    private static func random(_ seed: Int, _ mb: Int) -> [UInt8] {
        var random = SplitMix64(seed: UInt64(seed))
        return [UInt8](unsafeUninitializedCapacity: mb * 1_000_000) { buffer, count in
            count = buffer.count
            let words = UnsafeMutableRawBufferPointer(buffer)
            for index in 0..<(count / 8) {
                words.storeBytes(of: random.next(), toByteOffset: index * 8, as: UInt64.self)
            }
        }
    }
}

/// Microseconds of the clock that all processes share.
private func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int(time.tv_sec) * 1_000_000 + time.tv_nsec / 1000
}
