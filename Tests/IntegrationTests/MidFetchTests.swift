import Foundation
import Testing

/// An executor goes while another one is in the middle of one of its blocks.
@Suite(.serialized) struct MidFetchTests {
    /// All blocks come over the network, large ones through a file.
    static let largeBlocks = """
        millrace.shuffle.readHostLocalDisk=false
        millrace.shuffle.compress=false
        millrace.network.maxRemoteBlockSizeFetchToMem=64k
        """

    private func run(_ scenario: String, _ settings: String) throws -> Program.Outcome {
        let outcome = try Program.built("ClusterJobs").run(
            [scenario], environment: ["MILLRACE_CONF": "\(settings)\n\(Self.largeBlocks)\n"])
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
        // Of a block of 20 MB and more.
        let arrived = outcome.output.firstMatch(of: #/lost after (\d+) bytes/#).flatMap {
            Int($0.1)
        }
        #expect((1..<10_000_000).contains(arrived ?? 0), "\(outcome.output)")
        return outcome
    }

    @Test("a job is exact although an executor is killed in the middle of a block")
    func killed() throws {
        let outcome = try run(
            "killed-in-mid-fetch",
            "millrace.master=local-cluster[2,1,1024]\nmillrace.shuffle.memoryOutput.max=0")
        #expect(outcome.errors.contains("signal 9"), "\(outcome.errors)")
    }

    @Test("and although it stops there and says nothing any more")
    func stopped() throws {
        let outcome = try run("stopped-in-mid-fetch", ExecutorFaultTests.settings)
        #expect(outcome.errors.contains("no heartbeat for 3"), "\(outcome.errors)")
    }
}
