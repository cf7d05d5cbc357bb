import Testing

/// Persisted datasets, broadcasts and memory on real executor processes.
@Suite(.serialized) struct StorageTests {
    @Test(
        "a persisted dataset is computed once, on threads and on executor processes",
        arguments: ["local[2,4]", "local-cluster[2,1,512]"], ["cache", "cache-on-disk"])
    func cache(master: String, scenario: String) throws {
        let outcome = try ClusterTests.run(scenario, master: master)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test(
        "a job over a persisted dataset is exact when its executor is killed",
        arguments: ["cache-lost-with-executor", "cache-replicated", "checkpoint"])
    func killed(scenario: String) throws {
        let outcome = try ClusterTests.run(scenario)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("a block that another executor keeps is fetched, not computed")
    func readElsewhere() throws {
        let outcome = try ClusterTests.run("cache-read-elsewhere")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("more than the executors' memory is dropped or goes to disk, and results stay exact")
    func aboveMemory() throws {
        let outcome = try ClusterTests.run(
            "cache-above-memory", master: "local-cluster[2,1,256]")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        #expect(!outcome.errors.contains("lost executor"))
    }
}
