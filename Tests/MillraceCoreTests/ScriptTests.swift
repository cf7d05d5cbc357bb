import Foundation
import Testing

/// `Scripts/*.txt`: what the driver's core does in a named situation, readable from top to bottom.
/// `MILLRACE_REWRITE=1 swift test --filter ScriptTests` writes what it does now; the diff is the
/// review.
@Suite struct ScriptTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Scripts")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()
    }()

    @Test(arguments: names) func `the script does what it says`(_ name: String) throws {
        let file = ScriptTests.folder.appending(path: name + ".txt")
        var script = Script(try String(contentsOf: file, encoding: .utf8))
        var runner = ScriptRunner()
        let isRewrite = ProcessInfo.processInfo.environment["MILLRACE_REWRITE"] == "1"
        for position in script.steps.indices {
            let step = script.steps[position]
            let output = runner.run(step.command)
            if isRewrite {
                script.steps[position].output = output
            } else {
                #expect(output == step.output, "\(name).txt:\(step.line): \(step.command)")
            }
        }
        #expect(script.steps.last?.command == "quiescent", "a script ends with `quiescent`")
        #expect(script.steps.last?.output == ["true"], "something is left over")
        if isRewrite { try script.text.write(to: file, atomically: true, encoding: .utf8) }
    }

    @Test func `there are scripts`() { #expect(ScriptTests.names.count >= 15) }
}
