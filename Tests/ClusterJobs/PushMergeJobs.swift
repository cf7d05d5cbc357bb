import Glibc
import Millrace
import MillraceBase

/// A shuffle of many small blocks that are merged, and what may happen to them before they are read
/// again: `merged-reduce [FAULT [PID]]`.
enum PushMergeJobs {
    static let maps = 30
    static let reducers = 20

    /// Runs the scenario of that name; false when it is none of these.
    static func run(
        _ scenario: String, _ arguments: [String], _ context: MillraceContext
    ) async throws -> Bool {
        guard scenario == "merged-reduce" else { return false }
        let folder = ClusterJobs.temporaryFolder()
        let rows = context.range(0, 120_000, 1, maps).mapPartitionsWithIndex { _, rows in
            ClusterJobs.note(folder)
            return rows.map { ($0 % 6_000, $0) }
        }.partitionBy(HashPartitioner(reducers))
        func read() async throws {
            let sums = try await rows.mapPartitions { rows -> [(Int, Int, Int)] in
                [rows.reduce((0, 0, 0)) { ($0.0 + 1, $0.1 &+ $1.1, $0.2 ^ ($1.0 &* $1.1)) }]
            }.collect()
            var expected = (0, 0, 0)
            for row in 0..<120_000 {
                expected = (expected.0 + 1, expected.1 + row, expected.2 ^ ((row % 6_000) &* row))
            }
            ClusterJobs.check(sums.reduce(0) { $0 + $1.0 }, expected.0)
            ClusterJobs.check(sums.reduce(0) { $0 &+ $1.1 }, expected.1)
            ClusterJobs.check(sums.reduce(0) { $0 ^ $1.2 }, expected.2)
        }
        try await read()
        switch arguments.first {
        case nil: break
        case "kill-executors": try await ClusterJobs.killAll(context)
        case "kill-service": kill(pid_t(arguments[1])!, SIGKILL)
        case "damage": try damage(context.conf.application.localDirectory ?? "/tmp")
        case let fault?: throw MillraceError(.invalidArgument, "no fault \(fault)")
        }
        try await read()
        print("map tasks: \(ClusterJobs.names(in: folder).count)")
        return true
    }

    /// One byte in the middle of one merged file.
    private static func damage(_ folder: String) throws {
        guard let path = merged(in: folder).first else {
            throw MillraceError(.notFound, "nothing is merged in \(folder)")
        }
        let file = open(path, O_RDWR)
        defer { close(file) }
        let middle = lseek(file, 0, SEEK_END) / 2
        var byte: UInt8 = 0
        guard pread(file, &byte, 1, middle) == 1 else { ClusterJobs.fail("\(path) is empty") }
        byte ^= 0x40
        guard pwrite(file, &byte, 1, middle) == 1 else { ClusterJobs.fail("cannot write \(path)") }
    }

    private static func merged(in folder: String) -> [String] {
        ClusterJobs.names(in: folder).sorted().flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            if name.hasPrefix("merged_") { return name.hasSuffix(".data") ? [path] : [] }
            return merged(in: path)
        }
    }
}
