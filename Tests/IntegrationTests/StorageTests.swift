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

    @Test(
        "a broadcast is read, forgotten, read again and destroyed",
        arguments: ["local[2,4]", "local-cluster[2,1,512]"])
    func broadcast(master: String) throws {
        let outcome = try ClusterTests.run("broadcast", master: master)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("the driver sends each byte of a broadcast about once to 8 executors")
    func broadcastToMany() throws {
        let outcome = try ClusterTests.run(
            "broadcast-to-many", master: "local-cluster[8,1,512]")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("the driver sends each byte of a large plan about once to 8 executors")
    func largePlanToMany() throws {
        let outcome = try ClusterTests.run(
            "large-plan-to-many", master: "local-cluster[8,1,512]")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("a large plan is gone when no job needs it, and comes again with one that does")
    func largePlanForgotten() throws {
        let outcome = try ClusterTests.run(
            "large-plan-forgotten",
            master: "local-cluster[3,1,512]\nmillrace.scheduler.idlePlans.maxSize=0")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("a broadcast arrives although an executor is killed while its pieces spread")
    func broadcastKilled() throws {
        let outcome = try ClusterTests.run(
            "broadcast-killed",
            master: "local-cluster[4,1,512]\nmillrace.broadcast.blockSize=100k")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("a loop of a thousand jobs leaves nothing behind")
    func loop() throws {
        let outcome = try ClusterTests.run("loop-of-jobs", master: "local-cluster[2,1,512]")
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
