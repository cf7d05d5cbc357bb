import Glibc
import Millrace
import MillraceBase
import Synchronization

/// Executors that come and go.
extension ClusterJobs {
    /// A job whose tasks wait gets executors up to the maximum, each of which does some of the
    /// work; afterwards only the minimum stays.
    static func scaleUpAndDown(_ context: MillraceContext) async throws {
        check(try await context.executors().count, 1)
        let folder = temporaryFolder()
        // Every task waits until three executors have started one.
        let rows = try await context.range(0, 12, 1, 12).map { value -> Int in
            mark(folder, "\(getpid())")
            waitForMarks(folder, 3)
            return value * value
        }.collect()
        check(rows, (0..<12).map { $0 * $0 })
        check(marks(folder), 3)
        check(await context.waitForExecutors(1...1, timeout: .seconds(60)), 1)
        let gauges = await context.allocationGauges()
        check(gauges?.numberTargetExecutors, 1)
        check(gauges?.numberExecutorsGracefullyDecommissioned, 2)
        check(gauges?.numberExecutorsExitedUnexpectedly, 0)
        // And the one that is left still works.
        check(try await context.range(0, 10, 1, 2).map { $0 + 1 }.reduce(+), 55)
    }

    /// A query under load asks for more slots, gets them, its state moves there, and goes down
    /// again when the load ends; the counts are exact.
    static func streamScales(_ session: MillraceSession) async throws {
        let context = session.context
        let input = MemoryStream<Int>(context)
        let watcher = ScalingWatcher()
        session.streams.addListener(watcher)
        let query = try await input.toDS()
            .map { value -> Int in
                spin(microseconds: 200)
                return value % 50
            }
            .groupByKey { $0 }.count()
            .writeStream.outputMode(.complete).trigger(.processingTime("100 milliseconds"))
            .checkpointLocation("\(temporaryFolder())/checkpoint").queryName("counts")
            .format("memory").start()
        var sent = 0
        // Rows for about 1.6 slots at a time, in many partitions, until three slots are wanted.
        let deadline = time(nil) + 90
        var batches = 0
        while watcher.most < 3, time(nil) < deadline {
            for _ in 0..<8 {
                input.addData((0..<100).map { sent + $0 })
                sent += 100
            }
            batches += 1
            if batches % 4 == 0 { try await query.processAllAvailable() }
        }
        check(watcher.most >= 3, true)
        check(await context.waitForExecutors(3...3, timeout: .seconds(60)), 3)
        // A batch with all executors: each has some of the state.
        for _ in 0..<3 {
            input.addData((0..<100).map { sent + $0 })
            sent += 100
            try await query.processAllAvailable()
        }
        check(await context.waitForExecutors(1...1, timeout: .seconds(90)), 1)
        input.addData([sent])
        sent += 1
        try await query.processAllAvailable()
        let rows = try session.streams.table("counts", of: (Int, Int).self)
        var expected: [Int: Int] = [:]
        for value in 0..<sent { expected[value % 50, default: 0] += 1 }
        check(Dictionary(rows.map { ($0.0, $0.1) }, uniquingKeysWith: max), expected)
        check(watcher.reasons.contains("lag") && watcher.reasons.contains("idleSlots"), true)
        await query.stop()
    }

    /// An executor is asked to leave by a signal, as a platform would, when it holds half of a
    /// shuffle: the next job reads it all, and no map task runs twice.
    static func decommissionKeepsOutputs(_ context: MillraceContext) async throws {
        let folder = temporaryFolder()
        let sums = context.range(0, 4_000, 1, 8)
            .map { value in
                if value % 500 == 0 { mark(folder, "map-\(value)-\(getpid())-\(unique())") }
                // Long values, so that the outputs lie in files.
                return (value % 100, String(repeating: "x", count: 100) + String(value))
            }
            .groupByKey(numPartitions: 4)
            .map { ($0.0, $0.1.reduce(0) { $0 + (Int($1.drop { $0 == "x" }) ?? 0) }) }
        let first = Dictionary(uniqueKeysWithValues: try await sums.collect())
        check(marks(folder), 8)
        let victim = try await context.executors()[0]
        kill(pid_t(victim.processID), SIGTERM)
        // It goes, another one comes, and what it had is still there.
        check(await context.waitForExecutors(1...1, timeout: .seconds(60)), 1)
        let second = Dictionary(uniqueKeysWithValues: try await sums.collect())
        check(second, first)
        check(marks(folder), 8)
        var expected: [Int: Int] = [:]
        for value in 0..<4_000 { expected[value % 100, default: 0] += value }
        check(second, expected)
    }

    /// Without dynamic allocation the program may ask itself.
    static func executorsOnRequest(_ context: MillraceContext) async throws {
        check(try await context.requestExecutors(1), true)
        check(await context.waitForExecutors(3...3, timeout: .seconds(60)), 3)
        let first = try await context.executors()[0].id
        check(await context.killExecutors([first]), [first])
        check(await context.killExecutors([first]), [])
        check(await context.waitForExecutors(2...2, timeout: .seconds(60)), 2)
        check(try await context.range(0, 100, 1, 4).reduce(+), 4950)
        let second = try await context.executors()[0].id
        check(await context.decommissionExecutors([second]), [second])
        check(await context.waitForExecutors(1...1, timeout: .seconds(60)), 1)
        check(try await context.range(0, 100, 1, 4).reduce(+), 4950)
    }

    static func marks(_ folder: String) -> Int {
        guard let directory = opendir(folder) else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            let isDot = entry.pointee.d_name.0 == CChar(UInt8(ascii: "."))
            if !isDot { count += 1 }
        }
        return count
    }
}

/// What a query's controller has decided so far.
final class ScalingWatcher: StreamingQueryListener {
    private let state = Mutex((most: 0, reasons: Set<String>()))
    var most: Int { state.withLock { $0.most } }
    var reasons: Set<String> { state.withLock { $0.reasons } }
    func onScalingDecision(_ event: StreamingQueryEvent.Scaling) {
        state.withLock { state in
            state.most = max(state.most, event.decision.slots)
            state.reasons.insert(event.decision.reason.rawValue)
        }
    }
}

/// Work for that long, measured as time of this thread.
func spin(microseconds: Int) {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    let end = now.tv_sec * 1_000_000_000 + now.tv_nsec + microseconds * 1_000
    while now.tv_sec * 1_000_000_000 + now.tv_nsec < end {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    }
}

/// A number that this process gives once.
func unique() -> Int { uniques.wrappingAdd(1, ordering: .relaxed).oldValue }
private let uniques = Atomic<Int>(0)

/// Leaves a file of that name; nothing when it is there.
func mark(_ folder: String, _ name: String) {
    let file = open("\(folder)/\(name)", O_CREAT | O_WRONLY, 0o600)
    if file >= 0 { close(file) }
}

/// Blocks a task's thread until so many files are there. Ends the process after a minute, so that a
/// test that goes wrong ends.
func waitForMarks(_ folder: String, _ count: Int) {
    let watch = inotify_init1(Int32(IN_CLOEXEC))
    inotify_add_watch(watch, folder, UInt32(IN_CREATE))
    defer { close(watch) }
    let start = time(nil)
    var buffer = [UInt8](repeating: 0, count: 4096)
    while ClusterJobs.marks(folder) < count {
        var poll = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
        Glibc.poll(&poll, 1, 1_000)
        if poll.revents != 0 { _ = read(watch, &buffer, buffer.count) }
        if time(nil) - start > 60 { exit(7) }
    }
}
