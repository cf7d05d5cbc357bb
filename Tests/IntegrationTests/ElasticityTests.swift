import Testing

/// Executors that come and go while a program runs.
@Suite(.serialized) struct ElasticityTests {
    static func run(
        _ scenario: String, master: String = "local-cluster[3,1,1024]",
        _ settings: [String: String] = [:]
    ) throws -> Program.Outcome {
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }
        return try Program.built("ClusterJobs").run(
            [scenario],
            environment: ["MILLRACE_CONF": "millrace.master=\(master)\n" + lines.joined()])
    }

    /// Time-outs that a test can wait for.
    static let elastic = [
        "spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "1",
        "spark.dynamicAllocation.schedulerBacklogTimeout": "100ms",
        "spark.dynamicAllocation.executorIdleTimeout": "500ms",
        "spark.dynamicAllocation.shuffleTracking.timeout": "500ms",
    ]

    @Test("a job with a backlog gets three executors, and one is left when they are idle")
    func scaleUpAndDown() throws {
        let outcome = try Self.run("scale-up-and-down", Self.elastic)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        #expect(outcome.code == 0)
    }

    @Test("a streaming query under load gets executors and gives them back, exact all the way")
    func streamScales() throws {
        let settings = Self.elastic.merging([
            "millrace.streaming.dynamicAllocation.enabled": "true",
            "millrace.streaming.dynamicAllocation.scalingInterval": "2s",
            "millrace.streaming.dynamicAllocation.rateWindow": "2s",
            "millrace.streaming.dynamicAllocation.catchUpTarget": "2s",
            "millrace.streaming.noDataProgressEventInterval": "200ms",
        ]) { $1 }
        let outcome = try Self.run("stream-scales", settings)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("the map outputs of an executor that is told to leave are not computed again")
    func decommissionKeepsOutputs() throws {
        let outcome = try Self.run(
            "decommission-keeps-outputs", master: "local-cluster[2,2,1024]")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("a program may ask for executors and let them go itself")
    func executorsOnRequest() throws {
        let outcome = try Self.run("executors-on-request", master: "local-cluster[2,1,1024]")
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }
}
