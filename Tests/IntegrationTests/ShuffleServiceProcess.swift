import Foundation
import TestProcess
import Testing

/// `millrace shuffle-service` with folders of its own.
final class ShuffleServiceProcess {
    let folder: URL
    private(set) var program: RunningProgram
    private(set) var port = 0
    private var blockPort = 0

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-service-\(UUID().uuidString)")
        // Two free ports that stay its own over restarts.
        (port, blockPort) = (try freePort(), try freePort())
        program = try Self.start(folder, port, blockPort)
        try #require(program.prints("listening=127.0.0.1:\(port)"), "\(program.errorText)")
    }

    deinit {
        program.signal(SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }

    private static func start(
        _ folder: URL, _ port: Int, _ blockPort: Int
    ) throws -> RunningProgram {
        try Program.built("millrace").start([
            "shuffle-service", "--port", "\(port)", "--block-port", "\(blockPort)",
            "--state-dir", folder.appendingPathComponent("state").path,
        ])
    }

    /// Waits for its end and takes its place.
    func restartWhenDead() throws {
        let outcome = try program.wait(limit: 60)
        #expect(outcome.code == 128 + 9)
        program = try Self.start(folder, port, blockPort)
        try #require(program.prints("listening=127.0.0.1:\(port)"), "\(program.errorText)")
    }

    func settings(_ more: String = "") -> [String: String] {
        [
            "MILLRACE_CONF": """
            millrace.master=local-cluster[2,1,1024]
            millrace.shuffle.service.enabled=true
            millrace.shuffle.service.port=\(port)
            \(more)
            """
        ]
    }

    func status() throws -> String {
        try Program.built("millrace").run(["shuffle-service", "--status", "127.0.0.1:\(port)"])
            .lastLine
    }
}
