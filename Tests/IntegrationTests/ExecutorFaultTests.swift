import Glibc
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
}
