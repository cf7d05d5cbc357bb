import Glibc
import MillraceBase
import MillraceNet
import MillraceStore
import MillraceWire
import Testing

@testable import MillraceShuffleService

@Suite("Blocks that are pushed to the shuffle service") struct ShuffleMergesTests {
    /// A service that knows application `a` with one executor; its folder.
    private func start(_ executors: Int = 1) async throws -> (ServiceFixture, [String]) {
        let fixture = try ServiceFixture()
        var folders: [String] = []
        for executor in 0..<executors {
            let folder = try fixture.write(
                application: "a", executor: executor, shuffle: 0, task: executor, [[1]])
            _ = try await fixture.register("a", executor: executor, folder: folder).get()
            folders.append(folder)
        }
        return (fixture, folders)
    }

    @Test("are merged by reduce partition, each under the name of its task")
    func merges() async throws {
        let (fixture, _) = try await start()
        defer { fixture.stop() }
        let large = [UInt8](repeating: 9, count: 1_000_000)
        #expect(try await fixture.push([(0, [1, 2]), (3, large)], of: 0).get() == .merged)
        #expect(try await fixture.push([(3, [4]), (0, [5])], of: 7).get() == .merged)
        #expect(try await fixture.finalize() == [0: 3, 3: 1_000_001])
        #expect(try await fixture.merged(0) == [100: [1, 2], 107: [5]])
        #expect(try await fixture.merged(3) == [100: large, 107: [4]])
        let status = try fixture.status
        #expect(status.blocksMerged == 4)
        #expect(status.blockBytesWritten == 1_000_004)
        #expect(status.mergedChunksServed == 2)
        #expect(
            try await fixture.fetch("merged_1_1_1.index", credential: "a:secret")
                == .failure(.notFound("merged_1_1_1.index")))
    }

    @Test("are merged once for each map, whichever attempt comes first")
    func dropsDuplicates() async throws {
        let (fixture, _) = try await start()
        defer { fixture.stop() }
        #expect(try await fixture.push([(0, [1])], of: 4, task: 20).get() == .merged)
        #expect(try await fixture.push([(0, [1])], of: 4, task: 20).get() == .merged)
        #expect(try await fixture.push([(0, [2]), (1, [3])], of: 4, task: 21).get() == .merged)
        #expect(try await fixture.finalize() == [0: 1, 1: 1])
        #expect(try await fixture.merged(0) == [20: [1]])
        #expect(try await fixture.merged(1) == [21: [3]])
        #expect(try fixture.status.duplicateBlockPushes == 2)
    }

    @Test("are too late when the merge is finalised, or the shuffle removed")
    func refusesLateBlocks() async throws {
        let (fixture, folders) = try await start()
        defer { fixture.stop() }
        #expect(try await fixture.push([(0, [1])], of: 0).get() == .merged)
        _ = try await fixture.finalize()
        #expect(try await fixture.push([(0, [2]), (1, [2])], of: 1).get() == .closed)
        #expect(try await fixture.merged(0) == [100: [1]])
        let removal = ShuffleServiceRequest(
            applicationID: "a", secret: "secret", shuffles: [ShuffleID(1)])
        _ = try await fixture.call("RemoveShuffles", removal).get()
        #expect(try await fixture.push([(0, [3])], of: 2).get() == .closed)
        try await fixture.until { $0.service.status.filesDeleted == 2 }
        #expect(
            try PosixFileSystem().names(in: folders[0]) == [
                "shuffle_0_0.data", "shuffle_0_0.index",
            ])
        #expect(try fixture.status.lateBlockPushes == 3)
        #expect(try await fixture.finalize() == [:])
    }

    @Test("of a merge that was replaced are refused, and its blocks are not the new one's")
    func refusesStaleMerges() async throws {
        let (fixture, _) = try await start()
        defer { fixture.stop() }
        #expect(try await fixture.push([(0, [1])], of: 0, merge: 1).get() == .merged)
        #expect(try await fixture.push([(0, [2])], of: 1, merge: 2).get() == .merged)
        #expect(try await fixture.push([(0, [3])], of: 2, merge: 1).get() == .closed)
        #expect(try await fixture.finalize(merge: 1) == [:])
        #expect(try await fixture.finalize(merge: 2) == [0: 1])
        #expect(try await fixture.merged(0, merge: 2) == [101: [2]])
        #expect(try fixture.status.staleBlockPushes == 1)
    }

    @Test("of strangers are refused, and one application's are not another's")
    func refusesForeigners() async throws {
        let (fixture, _) = try await start()
        defer { fixture.stop() }
        let other = try fixture.write(application: "b", executor: 0, shuffle: 0, task: 0, [[1]])
        _ = try await fixture.register("b", executor: 0, folder: other).get()
        for credential in ["a:other", "c:secret", ""] {
            guard case .failure(.refused) = try await fixture.push([], credential: credential)
            else {
                Issue.record("'\(credential)' was let in")
                continue
            }
        }
        #expect(try await fixture.push([(0, [1])], of: 0).get() == .merged)
        #expect(
            try await fixture.push([(0, [2])], of: 1, credential: "b:secret").get() == .merged)
        #expect(try await fixture.merged(0) == [100: [1]])
        #expect(try await fixture.merged(0, credential: "b:secret") == [101: [2]])
        let request = ShuffleServiceRequest(
            applicationID: "a", secret: "of b", shuffles: [ShuffleID(1)], merge: 1)
        let refusal = try await fixture.call("FinalizeShuffleMerge", request)
        #expect(throws: RPCStatus.self) { try refusal.get() }
    }

    @Test("that say what cannot be are refused, and nothing of them is kept")
    func refusesNonsense() async throws {
        let (fixture, _) = try await start()
        defer { fixture.stop() }
        let good = PushedBlocks(
            shuffle: ShuffleID(1), merge: 1, mapIndex: 0, mapTask: TaskID(1),
            blocks: [.init(reduce: 0, length: 2, checksum: 0)]
        ).encodedHead()
        let far = PushedBlocks(
            shuffle: ShuffleID(1), merge: 1, mapIndex: 1 << 24, mapTask: TaskID(1)
        ).encodedHead()
        for payload in [[], [1], good, good + [1], good + [1, 2, 3], far] {
            guard case .failure(.failed) = try await fixture.push(payload) else {
                Issue.record("\(payload) was taken")
                continue
            }
        }
        for name in ["merged_1_1_../x.data", "merged_1_1_-1.data", "merged_1_1.data", "merged_"] {
            let result = try await fixture.fetch(name, credential: "a:secret")
            #expect(result == .failure(.notFound(name)))
        }
        #expect(try await fixture.finalize() == [:])
    }

    @Test("are there after the service was started again, and more may come")
    func survivesRestart() async throws {
        let (fixture, folders) = try await start(2)
        defer { fixture.stop() }
        #expect(try await fixture.push([(0, [1]), (1, [2]), (2, [3])], of: 0).get() == .merged)
        try fixture.restart()
        #expect(try await fixture.merged(1) == [100: [2]])
        #expect(try await fixture.push([(0, [1])], of: 0).get() == .merged)
        #expect(try await fixture.push([(0, [4])], of: 1).get() == .merged)
        #expect(try await fixture.finalize() == [0: 2, 1: 1, 2: 1])
        #expect(try await fixture.merged(0) == [100: [1], 101: [4]])
        #expect(try fixture.status.duplicateBlockPushes == 1)
        // Over the folders of both executors.
        for folder in folders {
            let names = try PosixFileSystem().names(in: folder)
            #expect(names.contains { $0.hasPrefix("merged_1_1_") })
        }
    }

    @Test("are gone with their application")
    func endsWithApplication() async throws {
        let (fixture, folders) = try await start()
        defer { fixture.stop() }
        #expect(try await fixture.push([(0, [1])], of: 0).get() == .merged)
        let request = ShuffleServiceRequest(applicationID: "a", secret: "secret")
        _ = try await fixture.call("FinishApplication", request).get()
        try await fixture.until { $0.service.status.filesDeleted == 4 }
        #expect(try PosixFileSystem().status(folders[0]) == nil)
    }

    @Test("may be for more partitions than files are kept open")
    func manyPartitions() async throws {
        let (fixture, _) = try await start()
        defer { fixture.stop() }
        for map in 0..<2 {
            let blocks = (0..<600).map { (reduce: $0, bytes: [UInt8(map), UInt8($0 & 255)]) }
            #expect(try await fixture.push(blocks, of: map).get() == .merged)
        }
        let sizes = try await fixture.finalize()
        #expect(sizes.count == 600)
        #expect(sizes.values.allSatisfy { $0 == 4 })
        #expect(try await fixture.merged(599) == [100: [0, 87], 101: [1, 87]])
    }
}
