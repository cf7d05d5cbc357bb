import Glibc
import Testing

/// Jobs on real executor processes, with real faults. One at a time: each takes all cores of a
/// small machine.
@Suite(.serialized) struct ClusterTests {
    static let masters = ["local[2]", "local-cluster[2,1,1024]"]

    static func run(
        _ scenario: String, master: String = "local-cluster[2,1,1024]"
    ) throws -> Program.Outcome {
        try Program.built("ClusterJobs").run(
            [scenario], environment: ["MILLRACE_CONF": "millrace.master=\(master)\n"])
    }

    @Test(
        "a job gives the same result on threads and on executor processes", arguments: masters,
        [
            "word-count", "three-stages", "large-shuffle", "closures", "task-that-fails-twice",
            "cancellation",
        ])
    func job(master: String, scenario: String) throws {
        let master = master == "local[2]" ? "local[2,4]" : master
        let outcome = try Self.run(scenario, master: master)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.lastLine == "ok")
    }

    @Test(
        "a result is exact although an executor is killed",
        arguments: [
            "kill-executor-in-map", "kill-executor-in-reduce", "kill-executor-between-jobs",
        ])
    func killedExecutor(scenario: String) throws {
        let outcome = try Self.run(scenario)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.lastLine == "ok")
    }

    @Test("the driver says what filled the memory of an executor that was killed")
    func lastWill() throws {
        let outcome = try Self.run("kill-executor-in-map", master: "local-cluster[2,1,512]")
        #expect(outcome.lastLine == "ok")
        let line = outcome.errors.split(separator: "\n").first { $0.contains("signal 9") }
        let words = #/s before: resident [0-9.]+ MiB of 512\.0 MiB .*; execution .* and storage /#
        #expect(line?.firstMatch(of: words) != nil, "\(outcome.errors)")
    }

    @Test(
        "every batch of a stateful query is exact, on threads and on executor processes",
        arguments: masters, ["stream", "stream-failing-map-task", "stream-failing-reduce-task"])
    func stream(master: String, scenario: String) throws {
        let outcome = try Self.run(scenario, master: master == "local[2]" ? "local[2,4]" : master)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.lastLine == "ok")
    }

    @Test(
        "every batch is exact although an executor is killed amid a group of them",
        arguments: ["stream-kill-executor-in-map", "stream-kill-executor-in-reduce"])
    func streamOfKilledExecutor(scenario: String) throws {
        let outcome = try Self.run(scenario)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.lastLine == "ok")
    }

    @Test("a task that fails four times aborts its job with the task's error")
    func failingTask() throws {
        let outcome = try Self.run("failing-task")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("a program that throws ends with 1 and one line")
    func throwing() throws {
        let outcome = try Self.run("throws", master: "local[1]")
        #expect(outcome.code == 1)
        #expect(outcome.errors == "ClusterJobs: the program gave up\n")
    }

    @Test(
        "a program that is asked to end in the middle of a job ends in order",
        arguments: [SIGTERM, SIGINT])
    func askedToEnd(signal: Int32) throws {
        let program = try Program.built("ClusterJobs").start(
            ["endless"], environment: ["MILLRACE_CONF": "millrace.master=local-cluster[2,1,512]\n"])
        #expect(program.prints("ready"), "\(program.errorText)")
        program.signal(signal)
        let outcome = try program.wait(limit: 60)
        #expect(outcome.code == 128 + signal)
        #expect(outcome.errors == "")
    }

    @Test("an impossible argument ends with 2")
    func misuse() throws {
        #expect(try Self.run("nonsense", master: "local[1]").code == 2)
    }

    @Test("an impossible setting ends with 2 before anything starts")
    func badSetting() throws {
        let outcome = try Self.run("word-count", master: "local[0]")
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("millrace.master=local[0]"))
    }

    /// With the driver's port and the executors' block port on one that is taken.
    private func runOnTakenPort(_ more: String) throws -> (Program.Outcome, port: UInt16) {
        let taken = try TakenPort()
        let port = taken.port
        defer { taken.free() }
        let settings = """
            millrace.master=local-cluster[2,1,512]
            millrace.driver.port=\(port)
            millrace.blockManager.port=\(port)
            \(more)
            """
        return (
            try Program.built("ClusterJobs").run(
                ["word-count"], environment: ["MILLRACE_CONF": settings]), port
        )
    }

    @Test("a fixed port that is taken is no matter: one of the next is")
    func takenPort() throws {
        let (outcome, port) = try runOnTakenPort("")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        #expect(outcome.errors.contains("a port is taken; trying the next"))
        #expect(outcome.errors.contains("setting=millrace.driver.port port=\(port)"))
        #expect(outcome.errors.contains("setting=millrace.blockManager.port port=\(port)"))
    }

    @Test("without retries it is one line")
    func takenPortWithoutRetries() throws {
        let (outcome, port) = try runOnTakenPort("millrace.port.maxRetries=0")
        #expect(outcome.code == 1)
        let line = """
            ClusterJobs: millrace.driver.port=\(port): port \(port) of this machine is taken; \
            set it to a free one or to 0, or millrace.port.maxRetries to more than 0

            """
        #expect(outcome.errors == line)
    }
}

/// A port of the loopback address on which somebody listens.
struct TakenPort {
    let port: UInt16
    private let listener: Int32

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (listener, length) = (listener, size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, pointer, &size) == 0
            }
        }
        try #require(code)
        port = UInt16(bigEndian: address.sin_port)
    }

    func free() { close(listener) }
}
