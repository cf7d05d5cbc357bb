import Glibc
import Millrace
import MillraceBase

/// Jobs over more data than their executors have memory for, beside what the results must be.
enum MemoryJobs {
    /// Runs the scenario of that name; false when it is none of these.
    static func run(
        _ scenario: String, _ arguments: [String], _ context: MillraceContext
    ) async throws -> Bool {
        switch scenario {
        case "aggregate-beyond-memory":
            try await aggregate(context, keys: Int(arguments[0])!)
            try await printPeaks(context)
        case "sort-beyond-memory":
            try await sort(context, records: Int(arguments[0])!)
            try await printPeaks(context)
        case "hog": try await hog(context)
        case "plain-text-on-disk": try await plainText(context)
        case "flipped-bytes": try await flippedBytes(context)
        default: return false
        }
        return true
    }

    /// Sums, distinct rows, groups and a join of so many keys that no table holds them.
    private static func aggregate(_ context: MillraceContext, keys: Int) async throws {
        let rows = context.range(0, 2 * keys, 1, 4).map { ($0 % keys, $0) }
        let sums = try await rows.reduceByKey(numPartitions: 2, +)
            .map { (1, $0.0, $0.1 == 2 * $0.0 + keys ? 0 : 1) }
            .reduce { ($0.0 + $1.0, $0.1 + $1.1, $0.2 + $1.2) }
        ClusterJobs.check(sums.0, keys)
        ClusterJobs.check(sums.1, keys * (keys - 1) / 2)
        ClusterJobs.check(sums.2, 0)
        let texts = try await rows.map { "the key of number \($0.0)" }.distinct(numPartitions: 2)
            .count()
        ClusterJobs.check(texts, keys)
        let groups = try await rows.groupByKey(numPartitions: 2)
            .map { ($0.1.count, $0.1.reduce(0, +)) }.reduce { ($0.0 + $1.0, $0.1 + $1.1) }
        ClusterJobs.check(groups.0, 2 * keys)
        ClusterJobs.check(groups.1, keys * (2 * keys - 1))
        let joined = try await rows.join(rows.mapValues { -$0 }, numPartitions: 2)
            .map { (1, $0.1.0 + $0.1.1) }.reduce { ($0.0 + $1.0, $0.1 + $1.1) }
        ClusterJobs.check(joined.0, 4 * keys)
        ClusterJobs.check(joined.1, 0)
    }

    /// Records of 100 bytes in random order.
    private static func sort(_ context: MillraceContext, records: Int) async throws {
        let input = context.range(0, records, 1, 4).map { number -> (Int, [UInt8]) in
            let key = number &* 0x1E37_79B9_7F4A_7C15
            return (key, [UInt8](repeating: UInt8(truncatingIfNeeded: key), count: 92))
        }
        let parts = try await input.sortByKey(numPartitions: 2)
            .mapPartitions { rows -> [(Int, Int, Int, Bool)] in
                var (count, sum, last, isRight) = (0, 0, Int.min, true)
                for (key, value) in rows {
                    isRight =
                        isRight && key >= last && value.count == 92
                        && value[91] == UInt8(truncatingIfNeeded: key)
                    (count, sum, last) = (count + 1, sum &+ key, key)
                }
                return [(count, sum, last, isRight)]
            }.collect()
        ClusterJobs.check(parts.map(\.3), [true, true])
        ClusterJobs.check(parts[0].2 <= parts[1].2, true)
        ClusterJobs.check(parts.reduce(0) { $0 + $1.0 }, records)
        let sum = (0..<records).reduce(0) { $0 &+ $1 &* 0x1E37_79B9_7F4A_7C15 }
        ClusterJobs.check(parts.reduce(0) { $0 &+ $1.1 }, sum)
    }

    /// One line for each executor: the most memory it had resident, in MiB.
    private static func printPeaks(_ context: MillraceContext) async throws {
        for executor in try await context.executors() {
            let status = read("/proc/\(executor.processID)/status")
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
            let peak = line.split(separator: " ").compactMap { Int($0) }.first ?? 0
            print("peak of executor \(executor.id.rawValue): \(peak >> 10) MiB")
        }
    }

    /// Each byte of the files of a shuffle is flipped in turn, and its outputs are read again by a
    /// job: the damage is found and what was damaged is computed again.
    private static func flippedBytes(_ context: MillraceContext) async throws {
        let rows = context.range(0, 12, 1, 2).map { ($0 % 3, "value \($0)") }
            .partitionBy(HashPartitioner(2))
        let expected = (0..<12).map { "\($0 % 3) value \($0)" }.sorted()
        let folder = context.conf.application.localDirectory ?? "/tmp"
        func read() async throws {
            let found = try await rows.map { "\($0.0) \($0.1)" }.collect()
            ClusterJobs.check(found.sorted(), expected)
        }
        try await read()
        var flips = 0
        for kind in [".data", ".index"] {
            var index = 0
            // Outputs that were computed again have other names, and as many bytes.
            while let path = newest(in: folder, kind), flip(path, index) {
                try await read()
                (index, flips) = (index + 1, flips + 1)
            }
        }
        print("\(flips) bytes flipped")
    }

    /// A task whose own code takes memory that nobody granted, until somebody ends its process.
    private static func hog(_ context: MillraceContext) async throws {
        _ = try await context.range(0, 1, 1, 1).map { _ in
            var taken: [[UInt8]] = []
            // As slowly as the executor tells of it.
            let will = String(cString: getenv("MILLRACE_EXECUTOR_DIRECTORY")) + "/last-will"
            while taken.count < 1000 {
                taken.append([UInt8](repeating: 1, count: 32 << 20))
                let last = changeTime(will)
                while changeTime(will) == last { sched_yield() }
            }
            return taken.count
        }.collect()
    }

    private static func changeTime(_ path: String) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { return -1 }
        return status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
    }

    /// Rows with a word that is in no program, through map outputs and spills; says in how many of
    /// the executors' files the word is, and how many there are, while they are there.
    private static func plainText(_ context: MillraceContext) async throws {
        let folder = context.conf.application.localDirectory ?? "/tmp"
        let word = ["quetz", "alcoatlus"].joined()
        let rows = context.range(0, 200_000, 1, 2).map { (($0 &* 7919) % 200_000, "\(word) \($0)") }
        let sorted = try await rows.sortByKey(numPartitions: 2)
        let found = try await sorted.mapPartitions { rows -> [(Int, Int)] in
            var (count, files, plain) = (0, 0, 0)
            for _ in rows {
                count += 1
                // In the middle of a merge: runs and outputs are there.
                if count == 1000 { (files, plain) = search(folder, word) }
            }
            return [(count, 0), (files, plain)]
        }.collect()
        ClusterJobs.check(found[0].0 + found[2].0, 200_000)
        print("the word is in \(found[1].1) of \(found[1].0) files")
    }

    /// Files of map outputs and spills, and those of them in which a word is as it is.
    static func search(_ folder: String, _ word: String) -> (files: Int, plain: Int) {
        var (files, plain) = (0, 0)
        for name in ExecutorFaults.names(in: folder)
        where name.contains(".data") || name.contains("spill") {
            let bytes = contents("\(folder)/\(name)")
            if bytes.isEmpty { continue }
            files += 1
            if bytes.withUnsafeBytes({ contains(Array(word.utf8), $0) }) { plain += 1 }
        }
        return (files, plain)
    }

    private static func contains(_ text: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = UnsafeRawBufferPointer(rebasing: bytes[...])
        while let start = rest.baseAddress, let found = memchr(start, Int32(text[0]), rest.count) {
            rest = UnsafeRawBufferPointer(
                rebasing: rest.dropFirst(UnsafeRawPointer(found) - start))
            if rest.count >= text.count, memcmp(found, text, text.count) == 0 { return true }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        }
        return false
    }

    private static func contents(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return [] }
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        return [UInt8](unsafeUninitializedCapacity: max(size, 0)) { buffer, count in
            count = max(0, pread(file, buffer.baseAddress, buffer.count, 0))
        }
    }

    /// The file of a map output that was written last.
    private static func newest(in folder: String, _ kind: String) -> String? {
        ExecutorFaults.names(in: folder).filter { $0.hasSuffix(kind) }
            .map { "\(folder)/\($0)" }.max { (task($0), $0) < (task($1), $1) }
    }

    private static func task(_ path: String) -> Int {
        Int(path.split(separator: "_").last!.split(separator: ".")[0]) ?? 0
    }

    /// False when the file has no such byte.
    private static func flip(_ path: String, _ index: Int) -> Bool {
        let file = open(path, O_RDWR)
        guard file >= 0 else { return false }
        defer { close(file) }
        var byte: UInt8 = 0
        guard pread(file, &byte, 1, off_t(index)) == 1 else { return false }
        byte ^= 0x10
        return pwrite(file, &byte, 1, off_t(index)) == 1
    }

    /// The beginning of a text file; empty when it is not there.
    static func read(_ path: String) -> String {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = Glibc.read(file, &buffer, buffer.count)
        return String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
    }
}
