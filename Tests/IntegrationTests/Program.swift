import Foundation
import TestProcess
import Testing

/// A program of this build (or any other), run as a real process with a deadline.
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

    /// The root of the source tree.
    static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Runs to the end; kills it after `limit` seconds.
    func run(
        _ arguments: [String], environment: [String: String] = [:], limit: Double = 120
    ) throws -> Outcome {
        try start(arguments, environment: environment).wait(limit: limit)
    }

    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> RunningProgram
    {
        try RunningProgram(path, arguments, environment)
    }
}

/// A process of a test; killed when forgotten.
final class RunningProgram {
    let process = TestProcess()
    private let output = CollectedText()
    private let errors = CollectedText()

    init(_ path: String, _ arguments: [String], _ environment: [String: String]) throws {
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(environment) { $1 }
        process.standardOutput = output.pipe
        process.standardError = errors.pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    func signal(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Whether that line is printed within `limit` seconds; false too when the program ends without
    /// it.
    func prints(_ line: String, limit: Double = 60) -> Bool {
        output.waitFor(line: line, limit: limit)
    }

    var errorText: String { errors.text }

    func wait(limit: Double) throws -> Program.Outcome {
        let process = process
        let killer = DispatchWorkItem { kill(process.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: killer)
        process.waitUntilExit()
        killer.cancel()
        // Children may hold the pipes a moment longer; the end is what closes them.
        output.waitForEnd(limit: 10)
        errors.waitForEnd(limit: 10)
        let isSignalled = process.terminationReason == .uncaughtSignal
        return Program.Outcome(
            code: isSignalled ? 128 + process.terminationStatus : process.terminationStatus,
            output: output.text, errors: errors.text)
    }
}

/// What a process prints, as it comes.
private final class CollectedText: @unchecked Sendable {
    let pipe = Pipe()
    // Guards the rest.
    private let condition = NSCondition()
    private var bytes = Data()
    private var hasEnded = false

    init() {
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let new = handle.availableData
            guard let self else { return }
            condition.lock()
            if new.isEmpty {
                hasEnded = true
                handle.readabilityHandler = nil
            } else {
                bytes.append(new)
            }
            condition.broadcast()
            condition.unlock()
        }
    }

    var text: String {
        condition.lock()
        defer { condition.unlock() }
        return String(decoding: bytes, as: UTF8.self)
    }

    func waitFor(line: String, limit: Double) -> Bool {
        let deadline = Date(timeIntervalSinceNow: limit)
        condition.lock()
        defer { condition.unlock() }
        while true {
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            if lines.contains(where: { $0 == line }) { return true }
            if hasEnded || !condition.wait(until: deadline) { return false }
        }
    }

    func waitForEnd(limit: Double) {
        let deadline = Date(timeIntervalSinceNow: limit)
        condition.lock()
        defer { condition.unlock() }
        while !hasEnded, condition.wait(until: deadline) {}
    }
}
