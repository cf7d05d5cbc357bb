import Foundation
import Testing

/// A job of three stages on two real executors, one of which has a bad day.
@Suite(.serialized) struct ExecutorFaultTests {
    static let isRoot: Bool = geteuid() == 0

    /// Silence that a test can wait for.
    static let settings = """
        millrace.master=local-cluster[2,1,1024]
        millrace.executor.heartbeatInterval=200ms
        millrace.network.timeout=3s
        millrace.network.timeoutInterval=500ms

        """

    @Test("a job of three stages is exact although an executor is killed in the second")
    func killed() throws {
        let outcome = try ClusterTests.run("killed-in-second-stage")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("an executor that stops is lost by its silence and killed, and the job is exact")
    func stopped() throws {
        let outcome = try Program.built("ClusterJobs").run(
            ["stopped-in-second-stage"], environment: ["MILLRACE_CONF": Self.settings])
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        #expect(outcome.errors.contains("no heartbeat for 3"), "\(outcome.errors)")
    }

    @Test(
        "an executor that wakes up when all is over commits nothing and ends",
        .enabled(
            if: isRoot && access("/usr/bin/setpriv", X_OK) == 0,
            "only root can keep itself from killing a process, with setpriv"))
    func stoppedForLong() throws {
        let outcome = try Program(path: "/usr/bin/setpriv").run(
            ["--bounding-set", "-kill", Program.built("ClusterJobs").path, "stopped-while-saving"],
            environment: ["MILLRACE_CONF": Self.settings])
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        #expect(outcome.errors.contains("no heartbeat for 3"), "\(outcome.errors)")
    }

    static let mayMount =
        (try? Program(path: "/usr/bin/unshare").run(["-m", "mount", "-t", "tmpfs", "x", "/mnt"]))?
        .code == 0

    /// Runs it where what it mounts is nobody else's.
    private func runWithDisks(
        _ scenario: String, _ more: String = ""
    ) throws -> Program.Outcome {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-disks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let settings = """
            millrace.master=local-cluster[2,1,1024]
            millrace.shuffle.memoryOutput.max=64k
            millrace.local.dir=\(folder.path)
            \(more)

            """
        let outcome = try Program(path: "/usr/bin/unshare").run(
            ["-m", "--propagation", "private", Program.built("ClusterJobs").path, scenario],
            environment: ["MILLRACE_CONF": settings])
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left == [])
        return outcome
    }

    @Test(
        "tasks that find their executor's disk full run elsewhere, and the job is exact",
        .enabled(if: mayMount, "only root may mount small disks"))
    func fullDisk() throws {
        let outcome = try runWithDisks("full-disk")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        let lines = outcome.errors.split(separator: "\n").filter { $0.contains("no room in") }
        #expect(!lines.isEmpty, "\(outcome.errors)")
        let words = #/no room in \S+/executor-\d for the output of .*: \d{6,7} bytes wanted/#
        for line in lines {
            #expect(line.firstMatch(of: words) != nil, "\(line)")
            #expect(line.contains("set millrace.local.dir to a folder on a larger disk"))
        }
        #expect(!outcome.errors.contains("failed 4 times"))
    }

    @Test(
        "with all disks full the job fails, says why and leaves nothing half-written",
        .enabled(if: mayMount, "only root may mount small disks"))
    func fullDisks() throws {
        let outcome = try runWithDisks("full-disks")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        #expect(outcome.output.contains("failed 4 times"))
        #expect(outcome.output.contains("no room in"))
    }

    @Test(
        "a task whose disk is full when a large block arrives runs elsewhere, and the job is exact",
        .enabled(if: mayMount, "only root may mount small disks"))
    func fullDiskInMidFetch() throws {
        let outcome = try runWithDisks("full-disk", MidFetchTests.largeBlocks)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        let words = #/no room in \S+/executor-\d for a copy of shuffle_0_\d_\d, .*: \d{6,7} bytes/#
        #expect(outcome.errors.firstMatch(of: words) != nil, "\(outcome.errors)")
        #expect(!outcome.errors.contains("failed 4 times"))
    }

    @Test("an executor that doesn't answer when its task is killed is given up")
    func stoppedAndCancelled() throws {
        let settings = """
            millrace.master=local-cluster[2,1,512]
            millrace.task.reaper.enabled=true
            millrace.task.reaper.pollingInterval=100ms
            millrace.task.reaper.killTimeout=300ms

            """
        let outcome = try Program.built("ClusterJobs").run(
            ["stopped-and-cancelled"], environment: ["MILLRACE_CONF": settings])
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        #expect(outcome.errors.contains("it did not say in time that a killed task has ended"))
    }

    @Test("a program whose executors fail too often ends with 11 and one line")
    func tooManyFailures() throws {
        let settings = """
            millrace.master=local-cluster[2,1,512]
            millrace.task.maxFailures=100
            millrace.executor.maxNumFailures=2

            """
        let outcome = try Program.built("ClusterJobs").run(
            ["executors-always-die"], environment: ["MILLRACE_CONF": settings])
        #expect(outcome.code == 11, "\(outcome.output) \(outcome.errors)")
        let line = "ClusterJobs: 3 executors failed; 2 failures are the limit"
        #expect(outcome.errors.contains(line), "\(outcome.errors)")
    }
}
