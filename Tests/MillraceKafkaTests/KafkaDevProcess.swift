import Foundation
import TestProcess

/// The real `millrace kafka-dev`, started for one test.
struct KafkaDevProcess {
    private static let executable = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".build/debug/millrace")
    static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: executable.path) }

    /// What it printed: `host:port,…`.
    let bootstrap: String?
    private let process = TestProcess()

    /// Starts it and waits for its first line (or its end).
    init(_ arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = Self.executable
        process.arguments = ["kafka-dev"] + arguments
        process.standardOutput = output
        try process.run()
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A {
            line.append(byte)
        }
        let text = String(decoding: line, as: UTF8.self)
        bootstrap = text.hasPrefix("bootstrap=") ? String(text.dropFirst(10)) : nil
    }

    /// SIGTERM; its exit code.
    func terminate() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
