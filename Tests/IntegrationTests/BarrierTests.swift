import Testing

/// Tasks that wait for each other, on real executor processes.
@Suite(.serialized) struct BarrierTests {
    @Test(
        "the tasks of a barrier stage tell each other what they have",
        arguments: ClusterTests.masters)
    func allGather(master: String) throws {
        let outcome = try ClusterTests.run("barrier-all-gather", master: master)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test(
        "when an executor is killed between two barriers the whole stage runs again",
        arguments: ["result", "map"])
    func killed(kind: String) throws {
        let outcome = try ClusterTests.run("barrier-executor-killed-in-a-\(kind)-stage")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        #expect(outcome.errors.contains("is a barrier stage and ends here"), "\(outcome.errors)")
    }

    @Test("a barrier job for which there are never slots enough fails, and others don't")
    func tooFewSlots() throws {
        let settings = """
            millrace.master=local-cluster[2,1,1024]
            spark.scheduler.barrier.maxConcurrentTasksCheck.interval=50ms
            spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures=2

            """
        let outcome = try Program.built("ClusterJobs").run(
            ["barrier-too-few-slots"], environment: ["MILLRACE_CONF": settings])
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("a task that ends without the others fails the job", arguments: ClusterTests.masters)
    func endsEarly(master: String) throws {
        let outcome = try ClusterTests.run("barrier-task-ends-early", master: master)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }
}
