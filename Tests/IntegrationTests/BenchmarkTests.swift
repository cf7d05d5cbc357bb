import Foundation
import Testing

/// Every benchmark at a tiny size, so that the program that measures never rots.
@Suite(.serialized) struct BenchmarkTests {
    static let runs = [
        ["sched", "--tasks", "20", "--jobs", "4", "--reps", "1", "--warm", "2"],
        ["microbatch", "--batches", "3", "--warm", "1", "--rows", "20"],
        ["microbatch", "--batches", "3", "--warm", "1", "--rows", "20", "--no-groups"],
        ["wordcount", "--mb", "1", "--reps", "1"],
        ["shuffle", "--records", "8000", "--reps", "1"],
        ["groupby", "--rows", "20000", "--keys", "100", "--reps", "1"],
        ["sim-scale", "--executors", "2,200", "--tasks", "5000"],
    ]

    @Test("each benchmark runs to its end and prints one line of JSON", arguments: runs)
    func benchmark(arguments: [String]) throws {
        let outcome = try Program.built("millrace-bench").run(arguments + ["--json"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let line = try JSONSerialization.jsonObject(with: Data(outcome.lastLine.utf8))
        let keys = try #require(line as? [String: Any])
        #expect(keys["bench"] as? String == arguments[0])
        #expect(keys["peer"] as? String == "millrace")
        #expect(keys["machine"] != nil)
        if arguments[0] == "microbatch" {
            #expect((keys["group_size"] == nil) == arguments.contains("--no-groups"))
            #expect(keys["scheduling_overhead_share"] != nil)
        }
        if let floor = keys["floor"] as? [String: Any] { #expect(floor["ratio"] != nil) }
    }

    @Test("an option that a benchmark does not have is named")
    func unknownOption() throws {
        let outcome = try Program.built("millrace-bench").run(["groupby", "--row", "1"])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("groupby has no option --row"))
    }
}
