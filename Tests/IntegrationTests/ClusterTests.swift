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
}
