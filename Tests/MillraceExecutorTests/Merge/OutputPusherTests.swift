import MillraceBase
import MillraceCore
import MillraceStore
import MillraceWire
import Synchronization
import Testing

@testable import MillraceExecutor

@Suite("Pushing map outputs") struct OutputPusherTests {
    private let folder = TemporaryTestFolder()
    private let shuffle = ShuffleID(2)
    private let reports = Reports()

    private final class Reports: Sendable {
        let list = Mutex<[PushedOutput]>([])
    }

    private func store() throws -> MapOutputStore {
        MapOutputStore(
            files: try ShuffleFiles(PosixFileSystem(), folder: folder.path), largestInMemory: -1,
            memoryBudget: 0, memory: .unlimited())
    }

    /// A map output with blocks of these sizes, in a file.
    private func write(_ sizes: [Int], _ task: Int, to store: MapOutputStore) throws {
        let output = CollectedOutput(reducers: sizes.count)
        for (reduce, size) in sizes.enumerated() where size > 0 {
            output.append([UInt8](repeating: UInt8(reduce), count: size), reduce: reduce)
        }
        try store.publish(output, shuffle: shuffle, task: TaskID(task))
    }

    /// Pushes the outputs of these tasks, one after the other.
    private func push(
        _ tasks: [Int], _ store: MapOutputStore, _ merger: FakeMerger?,
        mergers: [Int] = [0, 1], maxBlock: Int = 100, maxBatch: Int = 250
    ) {
        var settings = PushSettings()
        (settings.maxBlockSize, settings.maxBatchSize) = (maxBlock, maxBatch)
        let pusher = OutputPusher(store: store, settings: settings) { [reports] report in
            guard case .outputPushed(let output) = report else { return }
            reports.list.withLock { $0.append(output) }
        }
        if let merger { pusher.connect(merger) }
        for (map, task) in tasks.enumerated() {
            pusher.perform(
                .init(
                    shuffle: shuffle, mapIndex: map, mapTask: TaskID(task),
                    plan: MergePlan(merge: 3, mergers: mergers.map { ExecutorID($0) })))
        }
    }

    /// All pushed blocks, by task and reduce partition, each whole.
    private func pushed(_ merger: FakeMerger) throws -> [Int: [Int]] {
        var found: [Int: [Int]] = [:]
        for push in merger.state.withLock({ $0.pushes }) {
            var start = 0
            let blocks = try PushedBlocks(decoding: push.bytes, start: &start)
            #expect(blocks.shuffle == shuffle && blocks.merge == 3)
            for block in blocks.blocks {
                let bytes = push.bytes[start..<(start + block.length)]
                start += block.length
                #expect(bytes.allSatisfy { $0 == UInt8(block.reduce) })
                #expect(CRC32C.checksum(bytes) == block.checksum)
                // The lower half of the partitions is the first merger's.
                #expect(push.merger.rawValue == block.reduce / 4)
                found[blocks.mapTask.rawValue, default: []].append(block.reduce)
            }
        }
        return found.mapValues { $0.sorted() }
    }

    @Test("brings each small block once, to the merger of its partition") func pushesAll() throws {
        let (store, merger) = (try store(), FakeMerger())
        try write([10, 0, 100, 101, 90, 90, 90, 1], 40, to: store)
        try write([1, 1, 1, 1, 0, 0, 0, 0], 41, to: store)
        push([40, 41], store, merger)
        #expect(try pushed(merger) == [40: [0, 2, 4, 5, 6, 7], 41: [0, 1, 2, 3]])
        // [0, 2], [4, 5], [6, 7] of the one, and all of the other.
        #expect(merger.state.withLock { $0.pushes.count } == 4)
        #expect(reports.list.withLock { $0.map(\.mapTask) } == [TaskID(40), TaskID(41)])
    }

    @Test("doesn't bring a block that the disk has changed") func damagedBlock() throws {
        let (store, merger) = (try store(), FakeMerger())
        try write([10, 10, 10, 10, 10, 10, 10, 10], 40, to: store)
        let files = PosixFileSystem()
        let path = StorePath.join(folder.path, "shuffle_2_40.data")
        var bytes = try files.read(path)
        bytes[25] ^= 1
        try files.writeDurably(bytes, to: path)
        push([40], store, merger)
        #expect(try pushed(merger) == [40: [0, 1, 3, 4, 5, 6, 7]])
    }

    @Test("stops for a merge that is over") func closedMerge() throws {
        let (store, merger) = (try store(), FakeMerger())
        merger.state.withLock { $0.answers = [.success(1)] }
        for task in 40..<43 { try write([10, 10, 10, 10, 10, 10, 10, 10], task, to: store) }
        push([40, 41, 42], store, merger)
        #expect(merger.state.withLock { $0.pushes.count } == 1)
        #expect(reports.list.withLock { $0.count } == 3)
    }

    @Test("stops for a service that fails, and goes on with the others") func brokenMerger() throws
    {
        let (store, merger) = (try store(), FakeMerger())
        merger.state.withLock {
            $0.answers = [.failure(BlockFetchError(index: 0, message: "the disk is full"))]
        }
        for task in 40..<44 { try write([10, 10, 10, 10, 10, 10, 10, 10], task, to: store) }
        push([40, 41, 42, 43], store, merger)
        let mergers = merger.state.withLock { $0.pushes.map(\.merger) }
        #expect(mergers.count == 5)
        #expect(mergers.count { $0 == mergers[0] } == 1)
        #expect(reports.list.withLock { $0.count } == 4)
    }

    @Test("says that it's over when there is nothing to do or nobody to push to")
    func nothingToPush() throws {
        let store = try store()
        try write([0, 0], 40, to: store)
        push([40, 41], store, FakeMerger())
        push([40], store, nil)
        #expect(reports.list.withLock { $0.count } == 3)
    }
}
