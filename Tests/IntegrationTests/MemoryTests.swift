import Foundation
import Testing

/// Executors with little memory and damaged files, on real processes.
@Suite(.serialized) struct MemoryTests {
    private func run(
        _ arguments: [String], master: String, _ settings: String = ""
    ) throws -> Program.Outcome {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-memory-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let conf = "millrace.master=\(master)\nmillrace.local.dir=\(folder.path)\n\(settings)"
        let outcome = try Program.built("ClusterJobs").run(
            arguments, environment: ["MILLRACE_CONF": conf])
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        #expect(left.filter { $0.contains("spill") || $0.contains("shuffle_") } == [])
        return outcome
    }

    /// What executors had resident at most, each below its limit.
    private func checkPeaks(_ outcome: Program.Outcome, limit: Int) {
        let lines = outcome.output.split(separator: "\n").filter { $0.hasPrefix("peak of") }
        #expect(!lines.isEmpty)
        for line in lines {
            print("\(line) of \(limit)")
            let peak = line.split(separator: " ").compactMap { Int($0) }.last
            #expect(peak.map { $0 < limit } == true, "\(line)")
        }
    }

    @Test("sums, distinct rows, groups and joins of more keys than memory holds are exact")
    func aggregations() throws {
        let outcome = try run(
            ["aggregate-beyond-memory", "600000"], master: "local-cluster[2,1,80]",
            "millrace.log.level=debug\n")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors.suffix(4000))")
        #expect(outcome.errors.contains("spilling combined keys"))
        checkPeaks(outcome, limit: 80)
    }

    @Test("a sort of more than memory holds is exact, and its executor stays below its limit")
    func sort() throws {
        let outcome = try run(
            ["sort-beyond-memory", "500000"], master: "local-cluster[1,1,64]",
            "millrace.log.level=debug\n")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors.suffix(4000))")
        #expect(outcome.errors.contains("spilling sort of"))
        checkPeaks(outcome, limit: 64)
    }

    @Test(
        "each byte of a shuffle's files flipped in turn is found by the job that reads it",
        arguments: [true, false])
    func flippedBytes(isNear: Bool) throws {
        let outcome = try run(
            ["flipped-bytes"], master: "local-cluster[2,1,512]",
            """
            millrace.shuffle.memoryOutput.max=0
            millrace.shuffle.readHostLocalDisk=\(isNear)

            """)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors.suffix(4000))")
        #expect(outcome.errors.contains("was damaged on the disk of executor"))
        #expect(!outcome.errors.contains("lost executor"))
    }

    @Test(
        "with encryption no row is on disk as it is, without it rows are", arguments: [true, false])
    func encryption(isOn: Bool) throws {
        let outcome = try run(
            ["plain-text-on-disk"], master: "local-cluster[2,1,64]",
            """
            millrace.io.encryption.enabled=\(isOn)
            millrace.io.encryption.keySizeBits=256
            millrace.shuffle.memoryOutput.max=0
            millrace.shuffle.compress=false
            millrace.shuffle.spill.compress=false

            """)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors.suffix(4000))")
        #expect(outcome.output.contains("the word is in 0 of") == isOn, "\(outcome.output)")
        #expect(!outcome.output.contains("of 0 files"), "\(outcome.output)")
    }

    // MARK: Control groups

    private static let groups = "/sys/fs/cgroup/memory"

    /// Whether this machine has control groups of version 1 and lets its tests make one.
    private static let canLimit: Bool = {
        let probe = groups + "/millrace-probe-\(getpid())"
        defer { rmdir(probe) }
        return mkdir(probe, 0o755) == 0
    }()

    /// Runs driver and executor in a group that allows so many MiB, as in a container.
    private func run(
        _ arguments: String, allowed: Int, _ settings: String = ""
    ) throws -> (outcome: Program.Outcome, group: Int) {
        let group = Self.groups + "/millrace-limit-\(getpid())"
        try #require(mkdir(group, 0o755) == 0)
        defer { rmdir(group) }
        try Data("\(allowed << 20)".utf8)
            .write(to: URL(fileURLWithPath: group + "/memory.limit_in_bytes"))
        let program = Program.built("ClusterJobs").path
        let outcome = try Program(path: "/bin/sh").run(
            ["-c", "echo $$ > \(group)/tasks && exec \(program) \(arguments)"],
            environment: ["MILLRACE_CONF": "millrace.master=local-cluster[1,1,1024]\n\(settings)"])
        let peak = try String(contentsOfFile: group + "/memory.max_usage_in_bytes", encoding: .utf8)
        return (outcome, (Int(peak.split(separator: "\n")[0]) ?? 0) >> 20)
    }

    @Test(
        "an executor whose container allows less than it was promised spills and lives",
        .enabled(if: canLimit, "no control groups of version 1 that this test may make"))
    func container() throws {
        let (outcome, peak) = try run(
            "sort-beyond-memory 1000000", allowed: 160, "millrace.log.level=debug\n")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors.suffix(4000))")
        #expect(
            outcome.errors.contains("the control group allows less memory than was promised"))
        #expect(outcome.errors.contains("spilling sort of"))
        #expect(!outcome.errors.contains("lost executor"))
        print("peak of the group: \(peak) of 160 MiB")
    }

    @Test(
        "an executor that its container kills is lost with a line that says what filled the memory",
        .enabled(if: canLimit, "no control groups of version 1 that this test may make"))
    func killedByContainer() throws {
        let (outcome, _) = try run("hog", allowed: 160, "millrace.task.maxFailures=1\n")
        #expect(outcome.lastLine != "ok")
        let line = outcome.errors.split(separator: "\n").first { $0.contains("signal 9") } ?? ""
        #expect(line.contains("or by the kernel for want of memory"), "\(outcome.errors)")
        #expect(line.contains("of 160.0 MiB (its control group)"), "\(line)")
    }
}
