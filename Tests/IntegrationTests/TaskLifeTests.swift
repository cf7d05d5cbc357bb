import Testing

/// What tasks add, and how they end, on real executor processes.
@Suite(.serialized) struct TaskLifeTests {
    @Test("accumulators are exact although an executor is killed in each stage and between jobs")
    func accumulators() throws {
        let outcome = try ClusterTests.run("accumulators")
        #expect(outcome.code == 0, "\(outcome.output) \(outcome.errors)")
        #expect(outcome.lastLine == "ok")
    }

    @Test("a cancelled job's tasks end and leave their cores", arguments: ClusterTests.masters)
    func cancelled(master: String) throws {
        let outcome = try ClusterTests.run("cancelled-job", master: master)
        #expect(outcome.code == 0, "\(outcome.output) \(outcome.errors)")
        #expect(outcome.lastLine == "ok")
    }

    @Test(
        "of a slow task and its copy that are both done one commits its file",
        arguments: ["speculation-race", "speculation-race-in-a-stream"])
    func speculationRace(scenario: String) throws {
        let settings = """
            millrace.master=local-cluster[2,1,512]
            millrace.speculation=true
            millrace.speculation.quantile=0.5
            millrace.speculation.multiplier=1.1
            millrace.speculation.minTaskRuntime=50ms

            """
        let outcome = try Program.built("ClusterJobs").run(
            [scenario], environment: ["MILLRACE_CONF": settings])
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("an executor whose killed task doesn't end ends itself with code 57")
    func stubborn() throws {
        let settings = """
            millrace.master=local-cluster[2,1,1024]
            millrace.task.reaper.enabled=true
            millrace.task.reaper.pollingInterval=50ms
            millrace.task.reaper.killTimeout=200ms

            """
        let outcome = try Program.built("ClusterJobs").run(
            ["stubborn-job"], environment: ["MILLRACE_CONF": settings])
        #expect(outcome.code == 0, "\(outcome.output) \(outcome.errors)")
        #expect(outcome.lastLine == "ok")
        #expect(outcome.errors.contains("exited with code 57 (a killed task did not end)"))
        #expect(outcome.errors.contains("a killed task does not end"))
    }
}
