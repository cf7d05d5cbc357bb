import Foundation
import TestProcess
import Testing

/// Sends closures of every shape from one process of `ClosureProbe` to another.
@Suite struct ClosureProcessTests {
    /// Next to the test bundle in the build folder.
    private var probe: URL {
        let bundle =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        for place in [bundle, CommandLine.arguments[0]] {
            let url = URL(fileURLWithPath: place).deletingLastPathComponent()
                .appendingPathComponent("ClosureProbe")
            if FileManager.default.isExecutableFile(atPath: url.path) { return url }
        }
        return URL(fileURLWithPath: "ClosureProbe")
    }

    private func run(_ mode: String, input: Data = Data()) throws -> (output: Data, status: Int32) {
        let process = TestProcess()
        process.executableURL = probe
        process.arguments = [mode]
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("closures-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (source, sink) = (
            folder.appendingPathComponent("in"), folder.appendingPathComponent("out")
        )
        try input.write(to: source)
        try Data().write(to: sink)
        process.standardInput = try FileHandle(forReadingFrom: source)
        process.standardOutput = try FileHandle(forWritingTo: sink)
        try process.run()
        process.waitUntilExit()
        return (try Data(contentsOf: sink), process.terminationStatus)
    }

    @Test(.timeLimit(.minutes(2))) func closuresOfEveryShapeWorkInAnotherProcess() throws {
        let sent = try run("send")
        #expect(sent.status == 0)
        let received = try run("receive", input: sent.output)
        let lines = String(decoding: received.output, as: UTF8.self).split(separator: "\n")
        let failures = lines.dropLast().filter { !$0.hasPrefix("ok\t") }
        #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
        #expect(lines.count > 130 && received.status == 0, "\(lines.last ?? "no output")")
    }

    @Test(.timeLimit(.minutes(2))) func whatCannotTravelIsRefusedByName() throws {
        let result = try run("refuse")
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        let failures = lines.filter { !$0.hasPrefix("ok\t") }
        #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
        #expect(lines.count >= 18 && result.status == 0)
    }
}
