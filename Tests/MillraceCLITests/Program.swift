import Foundation
import TestProcess

/// Runs the `millrace` program that was built beside these tests, as a user would.
struct Program {
    var status: Int32
    var output: String
    var errors: String

    /// The exit code is 128 + n for a program that signal n ended, as a shell says it.
    static func run(
        _ arguments: [String], of program: URL = directory.appendingPathComponent("millrace"),
        environment: [String: String] = [:]
    ) throws -> Program {
        let process = TestProcess()
        process.executableURL = program
        process.arguments = arguments
        var variables = ProcessInfo.processInfo.environment
        for name in ["MILLRACE_CONF", "MILLRACE_CONF_DIR", "MILLRACE_LOG_LEVEL"] {
            variables[name] = nil
        }
        process.environment = variables.merging(environment) { $1 }
        // Files and not pipes: nothing to drain while the program runs.
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (out, err) = (
            folder.appendingPathComponent("out"), folder.appendingPathComponent("err")
        )
        for file in [out, err] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let signal = process.terminationReason == .uncaughtSignal
        return Program(
            status: signal ? 128 + process.terminationStatus : process.terminationStatus,
            output: String(decoding: try Data(contentsOf: out), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: err), as: UTF8.self))
    }

    /// Where this test program was built, and every other program with it.
    static let directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    /// One line on stderr and nothing on stdout: what misuse looks like.
    var isOneLineOfComplaint: Bool {
        output.isEmpty && errors.hasSuffix("\n") && errors.dropLast().allSatisfy { $0 != "\n" }
    }
}
