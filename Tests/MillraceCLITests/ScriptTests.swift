import Foundation
import MillraceBase
import Testing

/// What the scripts say when they cannot do their work. (That they do it, their users see.)
@Suite struct ScriptTests {
    private static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("deploy")

    private func run(
        _ script: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Program {
        try Program.run(
            arguments, of: Self.scripts.appendingPathComponent(script), environment: environment)
    }

    @Test func helpIsTheScriptsOwnComment() throws {
        let program = try run("test.sh", ["--help"])
        #expect(program.status == 0)
        #expect(program.output.contains("deploy/test.sh [--filter REGEX]"))
    }

    @Test(arguments: [["--nonsense"], ["--filter"], ["more"]])
    func nonsenseIsOneLineAndExitCode2(arguments: [String]) throws {
        let program = try run("test.sh", arguments)
        #expect(program.status == ExitCode.misuse)
        #expect(program.isOneLineOfComplaint, "\(program.output)\(program.errors)")
    }

    @Test func aMissingToolchainIsOneSentence() throws {
        // A machine that has Swift there would start to build.
        guard !FileManager.default.isExecutableFile(atPath: "/usr/bin/swift") else { return }
        let program = try run("test.sh", [], environment: ["PATH": "/usr/bin:/bin"])
        #expect(program.status == 1)
        #expect(program.isOneLineOfComplaint, "\(program.errors)")
        #expect(program.errors.contains("no Swift toolchain on the PATH"))
    }

    @Test func aWrongKafkaHomeIsOneSentence() throws {
        let program = try run("test.sh", [], environment: ["KAFKA_HOME": "/nonexistent"])
        #expect(program.status == 1)
        #expect(program.isOneLineOfComplaint, "\(program.errors)")
        #expect(program.errors.contains("KAFKA_HOME=/nonexistent"))
    }
}
