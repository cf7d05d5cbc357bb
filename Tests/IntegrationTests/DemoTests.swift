import Foundation
import Testing

/// The main job, end to end, in processes of its own: exactly once through killed executors,
/// drivers and brokers.
@Suite(.serialized) struct DemoTests {
    static let hasKafka = ProcessInfo.processInfo.environment["KAFKA_HOME"] != nil
    static let deploy = Program.sources.appendingPathComponent("deploy").path

    static func run(
        _ arguments: [String], lines: String = "16000", kafkaHome: Bool
    ) throws -> Program.Outcome {
        var environment = ["MILLRACE_DEPLOY": deploy]
        if !kafkaHome { environment["KAFKA_HOME"] = "" }
        return try Program.built("MillraceDemo").run(
            ["--lines", lines, "--rate", "2000"] + arguments, environment: environment, limit: 300)
    }

    @Test("on the mock cluster the counts are exact although an executor and the driver are killed")
    func mock() throws {
        let outcome = try Self.run([], kafkaHome: false)
        #expect(outcome.lastLine == "exact", "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("killed on the way: one executor, the driver"))
        #expect(outcome.code == 0)
    }

    @Test(
        "on a real Kafka the counts are exact although executor, broker and driver are killed",
        .enabled(if: hasKafka, "KAFKA_HOME names no Kafka distribution"))
    func real() throws {
        let outcome = try Self.run(["--kill-broker"], lines: "70000", kafkaHome: true)
        #expect(outcome.lastLine == "exact", "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("killed on the way: one executor, the broker, the driver"))
        #expect(outcome.code == 0)
    }

    @Test(
        "on a Kafka that runs already the counts are exact",
        .enabled(if: hasKafka, "KAFKA_HOME names no Kafka distribution"))
    func running() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-kafka-\(UUID().uuidString)").path
        let script = Program(path: Self.deploy + "/kafka.sh")
        let started = try script.run(["up", folder, "\(try freePort())"])
        defer { _ = try? script.run(["down", folder]) }
        let bootstrap = started.lastLine.dropFirst("bootstrap=".count)
        try #require(!bootstrap.isEmpty, "\(started.errors)")
        let outcome = try Self.run(["--brokers", String(bootstrap)], kafkaHome: false)
        #expect(outcome.lastLine == "exact", "\(outcome.output)\(outcome.errors)")
    }

    @Test(
        "an option that is none ends with 2 and one line",
        arguments: [["--nonsense"], ["--lines", "x"]])
    func misuse(arguments: [String]) throws {
        let outcome = try Program.built("MillraceDemo").run(arguments)
        #expect(outcome.code == 2)
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }
}
