import Foundation
import Testing

/// `kill -9` of a driver between two steps of a batch of a granted group, and its next start.
@Suite(.serialized) struct DriverCrashTests {
    static let steps = [
        "granted", "before-offsets", "after-offsets", "after-job", "after-sink-commit",
        "before-commit", "after-commit",
    ]

    @Test(
        "a query is exact although its driver is killed at that step", arguments: steps,
        ["counts", "lines"])
    func killed(step: String, query: String) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func run(_ step: String) throws -> Program.Outcome {
            try Program.built("ClusterJobs").run(
                ["driver-dies", step, query, folder.path],
                environment: [
                    "MILLRACE_CONF": "millrace.master=local-cluster[2,1,512]\n",
                    "TMPDIR": folder.path,
                ])
        }
        let first = try run(step)
        #expect(first.code == 128 + 9, "\(first.output) \(first.errors)")
        let second = try run("none")
        #expect(second.lastLine == "ok", "\(second.output) \(second.errors)")
        if step == "granted" {
            let marker = folder.appendingPathComponent("died").path
            #expect(FileManager.default.fileExists(atPath: marker))
        }
        // The dead driver's folder is gone with the next one's.
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left.filter { $0.contains("millrace-app-") } == [])
    }
}
