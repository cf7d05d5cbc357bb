import Glibc
import Millrace
import MillraceBase

/// Broadcasts on real executors.
enum BroadcastJobs {
    static func run(_ scenario: String, _ context: MillraceContext) async throws -> Bool {
        switch scenario {
        case "broadcast": try await broadcast(context)
        case "broadcast-to-many": try await toMany(context)
        case "broadcast-killed": try await killed(context)
        case "large-plan-to-many": try await largePlan(context)
        case "large-plan-forgotten": try await largePlanForgotten(context)
        case "loop-of-jobs": try await loop(context)
        default: return false
        }
        return true
    }

    private static func noise(_ bytes: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return (0..<bytes / 8).flatMap { _ in
            withUnsafeBytes(of: random.next()) { Array($0) }
        }
    }

    static func broadcast(_ context: MillraceContext) async throws {
        let table = try context.broadcast(["a": 1, "b": 2])
        let names = context.parallelize(["a", "b", "a", "c"], 4)
        let values = names.map { try table.value[$0] ?? 0 }
        ClusterJobs.check(try await values.collect(), [1, 2, 1, 0])
        table.unpersist()
        ClusterJobs.check(try await values.collect(), [1, 2, 1, 0])
        let same = try context.broadcast(["a": 1, "b": 2])
        ClusterJobs.check(same.id, table.id)
        table.destroy()
        ClusterJobs.check(try await names.map { try same.value[$0] ?? 0 }.collect(), [1, 2, 1, 0])
        same.destroy()
        do {
            _ = try await names.map { try same.value[$0] ?? 0 }.collect()
            ClusterJobs.fail("a destroyed broadcast was used")
        } catch let error as MillraceError {
            ClusterJobs.check("\(error)".contains("was destroyed"), true)
        }
    }

    /// Each executor reads 24 MB; the driver sends about that once.
    static func toMany(_ context: MillraceContext) async throws {
        let executors = try await context.executors().count
        let value = noise(24_000_000)
        let sum = value.reduce(0) { $0 + Int($1) }
        let broadcast = try context.broadcast(value)
        let folder = ClusterJobs.temporaryFolder()
        let rows = try await context.range(0, executors, 1, executors).map { _ in
            let sum = try broadcast.value.reduce(0) { $0 + Int($1) }
            // Each executor takes one task: all wait for all.
            meet(folder, executors)
            return (Int(getpid()), sum)
        }.collect()
        ClusterJobs.check(Set(rows.map(\.0)).count, executors)
        ClusterJobs.check(rows.allSatisfy { $0.1 == sum }, true)
        let ratio = Double(context.broadcastBytesSent) / Double(value.count)
        print("the driver sent \(ratio) bytes for each byte")
        ClusterJobs.check(ratio <= 1.3, true)
    }

    /// A job whose closure has 20 MB with it, on each executor; says how many bytes the driver's
    /// process has written for each of them.
    private static func runLargePlan(
        _ context: MillraceContext, _ table: [UInt8]
    ) async throws -> Double {
        let executors = try await context.executors().count
        let folder = ClusterJobs.temporaryFolder()
        let before = written()
        let rows = try await context.range(0, executors, 1, executors).map { _ in
            meet(folder, executors)
            return (Int(getpid()), sample(of: table))
        }.collect()
        let sent = written() - before
        ClusterJobs.check(Set(rows.map(\.0)).count, executors)
        let expected = sample(of: table)
        ClusterJobs.check(rows.allSatisfy { $0.1 == expected }, true)
        return Double(sent) / Double(table.count)
    }

    /// Of bytes in all of its pieces.
    private static func sample(of table: [UInt8]) -> Int {
        stride(from: 0, to: table.count, by: 4_099).reduce(0) { $0 &* 31 &+ Int(table[$1]) }
    }

    /// The driver sends the plan about once, by its broadcasts and in all, however many executors
    /// run it.
    static func largePlan(_ context: MillraceContext) async throws {
        let table = noise(20_000_000)
        let sent = try await runLargePlan(context, table)
        let broadcast = Double(context.broadcastBytesSent) / Double(table.count)
        print("the driver sent \(sent) bytes for each byte, \(broadcast) of them broadcast")
        ClusterJobs.check(broadcast >= 1 && sent >= broadcast && sent <= 1.3, true)
    }

    /// With no room for plans that nobody needs, a large one is gone when its job is over: from
    /// the executors' memory, as their ledgers say, and from the driver, which sends it again.
    static func largePlanForgotten(_ context: MillraceContext) async throws {
        let executors = try await context.executors().count
        let table = noise(20_000_000)
        _ = try await runLargePlan(context, table)
        let once = context.broadcastBytesSent
        ClusterJobs.check(once >= table.count, true)
        let folder = ClusterJobs.temporaryFolder()
        let ledgers = try await context.range(0, executors, 1, executors).map { _ in
            meet(folder, executors)
            return ledgerWithoutBroadcasts()
        }.collect()
        for ledger in ledgers { ClusterJobs.check(ledger.contains("broadcast"), false) }
        _ = try await runLargePlan(context, table)
        ClusterJobs.check(context.broadcastBytesSent >= once + table.count, true)
    }

    /// What this executor's last will says of its memory, as soon as it names no broadcast; after a
    /// minute whatever it says.
    private static func ledgerWithoutBroadcasts() -> String {
        let end = ContinuousClock.now + .seconds(60)
        var text = ""
        repeat {
            sched_yield()
            text = MemoryJobs.read("\(executorFolder())/last-will")
        } while (text.isEmpty || text.contains("broadcast")) && ContinuousClock.now < end
        return text
    }

    /// Bytes that this process has written to files and connections.
    private static func written() -> Int {
        let line = MemoryJobs.read("/proc/self/io").split(separator: "\n")
            .first { $0.hasPrefix("wchar: ") }
        return line.flatMap { Int($0.dropFirst("wchar: ".count)) } ?? 0
    }

    /// An executor is killed when it has asked for the value.
    static func killed(_ context: MillraceContext) async throws {
        let value = noise(24_000_000)
        let sum = value.reduce(0) { $0 + Int($1) }
        let broadcast = try context.broadcast(value)
        let marker = "\(ClusterJobs.temporaryFolder())/killed"
        let sums = try await context.range(0, 16, 1, 16).map { number in
            let sum = try broadcast.value.reduce(0) { $0 + Int($1) }
            if number == 3 { dieOnce(marker) }
            return sum
        }.collect()
        ClusterJobs.check(sums.allSatisfy { $0 == sum }, true)
        ClusterJobs.check(access(marker, F_OK), 0)
    }

    /// What a job leaves behind goes when nobody can name it: memory and disk stay flat.
    static func loop(_ context: MillraceContext) async throws {
        let pids = try await context.executors().map(\.processID) + [Int(getpid())]
        var early: [Int] = []
        for job in 0..<1_000 {
            if job == 200 { early = pids.map(resident) }
            let factor = try context.broadcast([job] + Array(repeating: 1, count: 2_000))
            let rows = context.range(0, 100, 1, 2).map { ($0 % 3, $0 * (try factor.value[1])) }
                .reduceByKey(+).cache()
            ClusterJobs.check(try await rows.count(), 3)
            ClusterJobs.check(try await rows.map(\.1).reduce(+), 4950)
        }
        let late = pids.map(resident)
        print("resident KiB after 200 and after 1000 jobs: \(early) \(late)")
        for (before, after) in zip(early, late) {
            ClusterJobs.check(after < before + 16_384, true)
        }
        // The last ones may be on their way.
        ClusterJobs.check(try await context.storageInfo().count <= 2, true)
    }

    private static func resident(_ pid: Int) -> Int {
        guard let file = fopen("/proc/\(pid)/statm", "r") else { return 0 }
        defer { fclose(file) }
        var (size, pages) = (0, 0)
        return withUnsafeMutablePointer(to: &size) { size in
            withUnsafeMutablePointer(to: &pages) { pages in
                withVaList([size, pages]) { vfscanf(file, "%ld %ld", $0) } == 2
                    ? pages.pointee * 4 : 0
            }
        }
    }
}

/// Returns when as many have come here.
private func meet(_ folder: String, _ count: Int) {
    close(open("\(folder)/\(getpid())", O_CREAT | O_WRONLY, 0o600))
    while true {
        var found = 0
        guard let stream = opendir(folder) else { return }
        while let entry = readdir(stream) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { found += 1 }
        }
        closedir(stream)
        if found >= count { return }
        sched_yield()
    }
}
