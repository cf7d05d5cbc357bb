import Glibc
import Millrace
import MillraceBase

/// Persisted datasets on real executors, some of which are killed.
enum StorageJobs {
    /// Runs the scenario of that name; false when it is none of these.
    static func run(_ scenario: String, _ context: MillraceContext) async throws -> Bool {
        switch scenario {
        case "cache": try await cache(context, .memoryOnly)
        case "cache-on-disk": try await cache(context, .diskOnly)
        case "cache-lost-with-executor": try await lost(context)
        case "cache-replicated": try await replicated(context)
        case "cache-above-memory": try await aboveMemory(context)
        case "cache-read-elsewhere": try await readElsewhere(context)
        case "checkpoint": try await checkpoint(context)
        default: return false
        }
        return true
    }

    /// Rows that leave a mark in `folder` each time a partition is computed.
    private static func rows(
        _ context: MillraceContext, _ folder: String, partitions: Int = 4, count: Int = 4_000
    ) -> RDD<String> {
        context.range(0, count, 1, partitions).mapPartitionsWithIndex { partition, rows in
            mark(folder, partition)
            return rows.map { "row \($0)" }
        }
    }

    private static func expected(_ count: Int = 4_000) -> [String] {
        (0..<count).map { "row \($0)" }
    }

    static func cache(_ context: MillraceContext, _ level: StorageLevel) async throws {
        let folder = ClusterJobs.temporaryFolder()
        let rows = rows(context, folder).persist(level)
        for _ in 0..<3 { ClusterJobs.check(try await rows.collect(), expected()) }
        ClusterJobs.check(marks(folder), 4)
        await rows.unpersist(blocking: true)
        ClusterJobs.check(try await rows.count(), 4_000)
        ClusterJobs.check(marks(folder), 8)
    }

    /// What was kept by an executor that is killed is computed again, the rest is not.
    static func lost(_ context: MillraceContext) async throws {
        let folder = ClusterJobs.temporaryFolder()
        let sums = rows(context, folder).map { ($0.count, 1) }.reduceByKey(numPartitions: 4, +)
            .cache()
        let first = try await sums.collect()
        try await killOne(context)
        ClusterJobs.check(
            Dictionary(uniqueKeysWithValues: try await sums.collect()),
            Dictionary(uniqueKeysWithValues: first))
        ClusterJobs.check(
            Dictionary(uniqueKeysWithValues: try await sums.collect()),
            Dictionary(uniqueKeysWithValues: first))
    }

    /// Two copies: killing one executor costs no computation.
    static func replicated(_ context: MillraceContext) async throws {
        let folder = ClusterJobs.temporaryFolder()
        let rows = rows(context, folder).persist(.memoryAndDisk2)
        ClusterJobs.check(try await rows.collect(), expected())
        while try await context.storageInfo().first?.blocks != 8 { await Task.yield() }
        try await killOne(context)
        ClusterJobs.check(try await rows.collect(), expected())
        ClusterJobs.check(marks(folder), 4)
    }

    /// More than the executors' memory: the least recently used go, to disk or for good.
    static func aboveMemory(_ context: MillraceContext) async throws {
        for level in [StorageLevel.memoryOnly, .memoryAndDisk, .memoryOnlySer] {
            let sets = (0..<6).map { set in
                context.range(0, 1_500_000, 1, 4).map { [$0 &* 0x9E37_79B9, set] }.persist(level)
            }
            for _ in 0..<2 {
                for (set, rows) in sets.enumerated() {
                    let sum = try await rows.map { $0[1] }.reduce(+)
                    ClusterJobs.check(sum, 1_500_000 * set)
                }
            }
            for rows in sets { await rows.unpersist(blocking: true) }
        }
    }

    /// One executor has the block, the other one computes: it fetches instead.
    static func readElsewhere(_ context: MillraceContext) async throws {
        let folder = ClusterJobs.temporaryFolder()
        let rows = rows(context, folder, partitions: 1).cache()
        ClusterJobs.check(try await rows.count(), 4_000)
        // Both executors get a task that reads the one partition.
        let often = context.union(Array(repeating: rows, count: 8))
        ClusterJobs.check(try await often.count(), 8 * 4_000)
        ClusterJobs.check(marks(folder), 1)
    }

    static func checkpoint(_ context: MillraceContext) async throws {
        let folder = ClusterJobs.temporaryFolder()
        let files = ClusterJobs.temporaryFolder()
        try context.setCheckpointDir(files)
        let rows = rows(context, folder)
        try rows.checkpoint()
        ClusterJobs.check(try await rows.collect(), expected())
        let computed = marks(folder)
        try await killOne(context)
        ClusterJobs.check(try await rows.collect(), expected())
        ClusterJobs.check(marks(folder), computed)
    }

    private static func killOne(_ context: MillraceContext) async throws {
        guard let victim = try await context.executors().first else { return }
        kill(pid_t(victim.processID), SIGKILL)
        // The driver notices before the next job asks where blocks are.
        while try await context.executors().contains(where: { $0.processID == victim.processID }) {
            await Task.yield()
        }
    }

    private static func marks(_ folder: String) -> Int {
        guard let stream = opendir(folder) else { return 0 }
        defer { closedir(stream) }
        var count = 0
        while let entry = readdir(stream) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }
}

/// A file of a name that nobody else takes.
private func mark(_ folder: String, _ partition: Int) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let path = "\(folder)/\(partition)-\(getpid())-\(now.tv_sec)-\(now.tv_nsec)"
    close(open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600))
}
