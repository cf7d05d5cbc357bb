import Foundation
import TestProcess
import Testing

/// Blocks that a shuffle service merges, over real processes.
@Suite(.serialized) struct PushMergeTests {
    typealias Service = ShuffleServiceProcess

    private func settings(
        _ service: Service, isPushed: Bool = true, _ more: String = ""
    ) throws
        -> [String: String]
    {
        let folder = service.folder.appendingPathComponent("local")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return service.settings(
            """
            millrace.local.dir=\(folder.resolvingSymlinksInPath().path)
            millrace.shuffle.push.enabled=\(isPushed)
            millrace.shuffle.push.mergersMinStaticThreshold=1
            millrace.shuffle.push.minShuffleSizeToWait=0
            millrace.shuffle.push.finalize.timeout=60s
            millrace.shuffle.push.results.timeout=60s
            \(more)
            """)
    }

    private func count(_ name: String, _ status: String) throws -> Int {
        let json = try JSONSerialization.jsonObject(with: Data(status.utf8))
        return try #require((json as? [String: Any])?[name] as? Int, "\(status)")
    }

    @Test("merged blocks give the same result from a fraction of the fetches")
    func fewerFetches() throws {
        var served: [Int] = []
        for isPushed in [false, true] {
            let service = try Service()
            let outcome = try Program.built("ClusterJobs").run(
                ["merged-reduce", "kill-executors"],
                environment: try settings(service, isPushed: isPushed))
            #expect(outcome.output == "map tasks: 30\nok\n", "\(outcome.errors)")
            let status = try service.status()
            served.append(try count("blocksServed", status))
            #expect(try count("blocksMerged", status) == (isPushed ? 600 : 0))
            // One piece of each partition in each of two jobs.
            #expect(try count("mergedChunksServed", status) == (isPushed ? 40 : 0))
            #expect(try count("lateBlockPushes", status) == 0)
        }
        // 30 maps by 20 reducers, once from the service; and 20 indexes and pieces, twice.
        #expect(served == [600, 80])
    }

    @Test("a service that dies between merge and reduce costs nothing but the merge")
    func serviceDies() throws {
        let service = try Service()
        let outcome = try Program.built("ClusterJobs").run(
            ["merged-reduce", "kill-service", "\(service.program.process.processIdentifier)"],
            environment: try settings(service))
        #expect(outcome.output == "map tasks: 30\nok\n", "\(outcome.errors)")
        #expect(outcome.errors.contains("merged blocks cannot be read"), "\(outcome.errors)")
    }

    @Test("a damaged merged block is read from its map output")
    func damagedChunk() throws {
        let service = try Service()
        let outcome = try Program.built("ClusterJobs").run(
            ["merged-reduce", "damage"], environment: try settings(service))
        #expect(outcome.output == "map tasks: 30\nok\n", "\(outcome.errors)")
        let warnings = outcome.errors.split(separator: "\n").filter {
            $0.contains("a merged block is damaged")
        }
        #expect(warnings.count == 1, "\(outcome.errors)")
        #expect(!outcome.errors.contains("could not read"), "\(outcome.errors)")
    }

    @Test("encrypted blocks are merged without their key")
    func encrypted() throws {
        let service = try Service()
        let outcome = try Program.built("ClusterJobs").run(
            ["merged-reduce"],
            environment: try settings(service, "millrace.io.encryption.enabled=true"))
        #expect(outcome.output == "map tasks: 30\nok\n", "\(outcome.errors)")
        #expect(try count("mergedChunksServed", try service.status()) == 40)
    }
}
