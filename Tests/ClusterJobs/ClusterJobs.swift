import Glibc
import Millrace
import MillraceBase

/// Jobs for the integration tests, run as a real application: `ClusterJobs SCENARIO`. Each prints
/// `ok` when its result is what it should be; the faults are real ones, to real processes.
@main struct ClusterJobs: MillraceApp {
    static func run(_ session: MillraceSession, _ arguments: [String]) async throws {
        let context = session.context
        switch arguments.first {
        case "word-count": try await wordCount(context)
        case "three-stages": try await threeStages(context)
        case "large-shuffle": try await largeShuffle(context)
        case "kill-executor-in-map": try await killExecutor(context, inReduce: false)
        case "kill-executor-in-reduce": try await killExecutor(context, inReduce: true)
        case "kill-executor-between-jobs": try await killBetweenJobs(context)
        case "count-map-tasks-after-kill": try await countMapTasksAfterKill(context)
        case "read-encrypted-after-kill": try await readEncryptedAfterKill(context)
        case "kill-service-while-reading":
            try await killServiceWhileReading(context, pid_t(arguments[1])!)
        case "failing-task": try await failingTask(context)
        case "task-that-fails-twice": try await failsTwice(context)
        case "cancellation": try await cancellation(context)
        case "closures": try await closures(context)
        case "scale-up-and-down": try await scaleUpAndDown(context)
        case "decommission-keeps-outputs": try await decommissionKeepsOutputs(context)
        case "stream-scales": try await streamScales(session)
        case "executors-on-request": try await executorsOnRequest(context)
        case "accumulators": try await accumulators(context)
        case "accumulator-cost": try await accumulatorCost(context)
        case "cancelled-job": try await cancelledJob(context)
        case "stubborn-job": try await stubbornJob(context)
        case "driver-dies": try await DriverCrashes.run(session, Array(arguments.dropFirst()))
        case "speculation-race": try await SpeculationJobs.race(context)
        case "speculation-race-in-a-stream": try await SpeculationJobs.streamRace(session)
        case "throws": throw MillraceError(.queryFailed, "the program gave up")
        case "wait":
            print("ready")
            fflush(nil)
            try await Task.sleep(for: .seconds(600))
        case "endless":
            print("ready")
            fflush(nil)
            _ = try await context.range(0, 1 << 50, 1, 2).count()
        case "executors":
            for executor in try await context.executors() {
                print("\(executor.id.rawValue) \(executor.processID)")
            }
        case let scenario? where try await StorageJobs.run(scenario, context): break
        case let scenario? where try await BroadcastJobs.run(scenario, context): break
        case let scenario? where try await ExecutorFaults.run(scenario, context): break
        case let scenario? where try await MidFetchJobs.run(scenario, context): break
        case let scenario? where try await BarrierJobs.run(scenario, context): break
        case let scenario?
        where try await PushMergeJobs.run(scenario, Array(arguments.dropFirst()), context):
            break
        case let scenario?
        where try await MemoryJobs.run(scenario, Array(arguments.dropFirst()), context):
            break
        case let scenario?:
            guard let fault = StreamingJobs.Fault(rawValue: scenario) else {
                throw MillraceError(.invalidArgument, "no scenario \(arguments)")
            }
            try await StreamingJobs.run(session, fault)
        case nil: throw MillraceError(.invalidArgument, "name a scenario")
        }
        print("ok")
    }

    static let text = (0..<400).map { "w\($0 % 7) w\($0 % 11) w\($0 % 13)" }

    static func wordCount(_ context: MillraceContext) async throws {
        let counts = try await context.parallelize(text, 8)
            .flatMap { $0.split(separator: " ").map(String.init) }
            .map { ($0, 1) }.reduceByKey(+).collect()
        var expected: [String: Int] = [:]
        for line in text {
            for word in line.split(separator: " ") { expected[String(word), default: 0] += 1 }
        }
        check(Dictionary(uniqueKeysWithValues: counts), expected)
    }

    static func threeStages(_ context: MillraceContext) async throws {
        let rows = try await context.range(0, 10_000, 1, 8).map { ($0 % 100, $0) }
            .reduceByKey(numPartitions: 4, +).map { ($0.1 % 10, $0.0) }.groupByKey(numPartitions: 3)
            .map { ($0.0, $0.1.reduce(0, +)) }.sortBy { $0.0 }.collect()
        var sums: [Int: Int] = [:]
        for value in 0..<10_000 { sums[value % 100, default: 0] += value }
        var expected: [Int: Int] = [:]
        for (key, sum) in sums { expected[sum % 10, default: 0] += key }
        check(
            rows.map { "\($0)" },
            expected.sorted { $0.key < $1.key }.map { "\(($0.key, $0.value))" })
    }

    /// More than stays in memory: map outputs go through files and the data plane.
    static func largeShuffle(_ context: MillraceContext) async throws {
        let count = try await context.range(0, 2_000_000, 1, 4).map {
            ($0 &* 2_654_435_761 % 1_000_003, $0)
        }
        .partitionBy(HashPartitioner(4)).map { $0.1 }.reduce { $0 &+ $1 }
        check(count, 2_000_000 * 1_999_999 / 2)
    }

    /// One executor is killed by its own task, the first time a marker file is not there.
    static func killExecutor(_ context: MillraceContext, inReduce: Bool) async throws {
        let marker = "\(temporaryFolder())/killed"
        let rows = try await context.range(0, 1_000, 1, 8)
            .map { value in
                if !inReduce, value == 900 { dieOnce(marker) }
                return (value % 10, value)
            }
            .reduceByKey(numPartitions: 4, +)
            .map { row in
                if inReduce, row.0 == 5 { dieOnce(marker) }
                return row
            }
            .collect()
        var expected: [Int: Int] = [:]
        for value in 0..<1_000 { expected[value % 10, default: 0] += value }
        check(Dictionary(uniqueKeysWithValues: rows), expected)
        check(access(marker, F_OK), 0)
    }

    /// The second job's map outputs were on the executor that is killed before it starts.
    static func killBetweenJobs(_ context: MillraceContext) async throws {
        let sums = context.range(0, 1_000, 1, 4).map { ($0 % 10, $0) }.reduceByKey(
            numPartitions: 4, +)
        let first = try await sums.collect()
        if let victim = try await context.executors().first {
            kill(pid_t(victim.processID), SIGKILL)
        }
        let second = try await sums.collect()
        check(
            Dictionary(uniqueKeysWithValues: first), Dictionary(uniqueKeysWithValues: second))
    }

    static func failingTask(_ context: MillraceContext) async throws {
        do {
            _ = try await context.range(0, 4, 1, 4).map { value -> Int in
                if value == 2 { throw MillraceError(.corruptData, "row 2 is bad") }
                return value
            }.collect()
        } catch let error as MillraceError {
            check(error.code, .jobAborted)
            check(error.message.contains("failed 4 times"), true)
            check(error.message.contains("row 2 is bad"), true)
            return
        }
        fail("the job succeeded")
    }

    static func failsTwice(_ context: MillraceContext) async throws {
        let folder = temporaryFolder()
        let rows = try await context.range(0, 4, 1, 4).map { value -> Int in
            if value == 2 {
                for attempt in 0..<2 where mkdir("\(folder)/\(attempt)", 0o700) == 0 {
                    throw MillraceError(.unavailable, "attempt \(attempt)")
                }
            }
            return value
        }.collect()
        check(rows, [0, 1, 2, 3])
    }

    static func closures(_ context: MillraceContext) async throws {
        let factor = 3
        let names = ["a", "b", "c"]
        let table = ["a": 10, "b": 20, "c": 30]
        let inner: @Sendable (Int) -> Int = { $0 * factor }
        let rows = try await context.parallelize(Array(0..<6), 3).map { value in
            inner(value) + (table[names[value % 3]] ?? 0)
        }.collect()
        check(rows, [10, 23, 36, 19, 32, 45])
        // A kernel that needs a conformance of a generic type: its table is made at run time.
        let sum = try await context.range(0, 400, 1, 4).map { ($0 % 40, $0) }
            .mapPartitionsWithIndex { _, rows in rows.map { $0.1 * factor } as [Int] }
            .reduce { $0 + $1 }
        check(sum, 3 * 400 * 399 / 2)
    }

    /// Jobs that would never end, cancelled by tag, by group and all at once.
    static func cancellation(_ context: MillraceContext) async throws {
        @Sendable func endless() async -> MillraceError? {
            do { _ = try await context.range(0, 1 << 50, 1, 2).count() } catch {
                return error as? MillraceError
            }
            return nil
        }
        async let tagged = context.withJobTag("slow") { await endless() }
        async let grouped = context.withJobGroup("night") { await endless() }
        async let other = endless()
        while try await context.activeJobs().count < 3 { await Task.yield() }
        context.cancelJobsWithTag("slow", reason: "too slow")
        check(await tagged?.code, .cancelled)
        check(await tagged?.message.contains("too slow"), true)
        context.cancelJobGroupAndFutureJobs("night")
        check(await grouped?.message.contains("part of cancelled job group night"), true)
        let late = await context.withJobGroup("night") { await endless() }
        check(late?.message.contains("part of cancelled job group night"), true)
        context.cancelAllJobs()
        check(await other?.code, .cancelled)
        // The slots are free again.
        check(try await context.range(0, 100, 1, 4).count(), 100)
    }

    // MARK: Pieces

    static func check<Value: Equatable>(_ value: Value, _ expected: Value) {
        if value != expected { fail("\(value) instead of \(expected)") }
    }

    static func fail(_ message: String) -> Never {
        print("wrong: \(message)")
        exit(9)
    }

    static func temporaryFolder() -> String {
        var template = Array("/tmp/cluster-jobs-XXXXXX\0".utf8)
        return template.withUnsafeMutableBytes {
            String(cString: mkdtemp($0.baseAddress!.assumingMemoryBound(to: CChar.self))!)
        }
    }
}

/// SIGKILL to this very process, for the first caller that makes the marker.
func dieOnce(_ marker: String) {
    let file = open(marker, O_CREAT | O_EXCL | O_WRONLY, 0o600)
    guard file >= 0 else { return }
    close(file)
    kill(getpid(), SIGKILL)
    while true { pause() }
}
