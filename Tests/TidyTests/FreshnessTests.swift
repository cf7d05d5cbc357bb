import Foundation
import MillraceBase
import TestProcess
import Testing

/// What is generated is committed, and is what would be generated now.
@Suite struct FreshnessTests {
    @Test func theCatalogOfSettingsIsFresh() throws {
        let path = "Sources/Millrace/Millrace.docc/Configuration.md"
        let fresh = Conf.catalogMarkdown()
        if ProcessInfo.processInfo.environment["MILLRACE_REWRITE"] == "1" {
            try Data(fresh.utf8).write(to: SourceTree.root.appendingPathComponent(path))
        }
        #expect(
            SourceTree.text(path) == fresh, "write it anew: millrace conf --markdown > \(path)")
    }

    @Test(.enabled(if: Self.compiler != nil, "needs protoc-c 1.4.1 on the PATH"))
    func theMessagesAreFresh() throws {
        let script = SourceTree.root.appendingPathComponent("deploy/regenerate-proto.sh").path
        let (status, output) = try Self.run(script, ["--check"])
        #expect(status == 0, "\(output)")
    }

    /// protoc-c of the version that wrote the committed files, if it is there.
    static let compiler: String? = {
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            let path = "\(folder)/protoc-c"
            guard FileManager.default.isExecutableFile(atPath: path) else { continue }
            let version = try? run(path, ["--version"]).output
            return version?.contains("1.4.1") == true ? path : nil
        }
        return nil
    }()

    private static func run(
        _ path: String, _ arguments: [String]
    ) throws -> (status: Int32, output: String) {
        let process = TestProcess()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
