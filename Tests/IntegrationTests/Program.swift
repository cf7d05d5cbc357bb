import Foundation
import Testing

/// A program of this build, run as a real process with a deadline.
struct Program {
    struct Outcome {
        var code: Int32
        var output: String
        var errors: String
        /// The last line of the output, without its end.
        var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
    }

    let path: String

    /// A product of this package, beside the tests' own bundle.
    static func built(_ name: String) -> Program {
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
        let folder =
            bundle?.bundleURL.deletingLastPathComponent()
            ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        return Program(path: folder.appendingPathComponent(name).path)
    }

    /// Runs to the end; kills and fails after `limit` seconds.
    func run(
        _ arguments: [String], environment: [String: String] = [:], limit: Double = 120
    ) throws -> Outcome {
        let running = try start(arguments, environment: environment)
        return try running.wait(limit: limit)
    }

    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Running {
        try Running(path, arguments, environment)
    }

    final class Running {
        let process = Process()
        private let output: URL
        private let errors: URL

        init(_ path: String, _ arguments: [String], _ environment: [String: String]) throws {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("millrace-test-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            output = folder.appendingPathComponent("out")
            errors = folder.appendingPathComponent("err")
            FileManager.default.createFile(atPath: output.path, contents: nil)
            FileManager.default.createFile(atPath: errors.path, contents: nil)
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment
                .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(environment) { $1 }
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            process.standardInput = FileHandle.nullDevice
            try process.run()
        }

        deinit {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            try? FileManager.default.removeItem(at: output.deletingLastPathComponent())
        }

        func wait(limit: Double) throws -> Outcome {
            let killer = DispatchWorkItem { [process] in kill(process.processIdentifier, SIGKILL) }
            DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: killer)
            process.waitUntilExit()
            killer.cancel()
            let code =
                process.terminationReason == .uncaughtSignal
                ? 128 + process.terminationStatus : process.terminationStatus
            return Outcome(
                code: code, output: try String(contentsOf: output, encoding: .utf8),
                errors: try String(contentsOf: errors, encoding: .utf8))
        }
    }
}
