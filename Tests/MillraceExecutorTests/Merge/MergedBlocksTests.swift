import MillraceBase
import MillraceCore
import MillraceStore
import Synchronization
import Testing

@testable import MillraceExecutor

@Suite("A reduce task with merged blocks") struct MergedBlocksTests {
    private let shuffle = ShuffleID(4)
    private let folder = TemporaryTestFolder()

    /// Map outputs whose merged partition 0 a fake service has.
    private struct World {
        var outputs: MapOutputs
        var blocks: [[UInt8]]
        var index: [UInt8] = []
        var data: [UInt8] = []

        init(_ shuffle: ShuffleID, _ blocks: [[UInt8]], bytes: Int? = nil) {
            self.blocks = blocks
            outputs = MapOutputs(
                shuffle: shuffle, epoch: 1,
                statuses: blocks.enumerated().map { map, block in
                    MapStatus(
                        executor: ExecutorID(1), mapTask: TaskID(100 + map), mapIndex: map,
                        sizes: BlockSizes([block.count]))
                },
                merged: MergedOutputs(
                    plan: MergePlan(merge: 2, mergers: [ExecutorID(5)]),
                    sizes: BlockSizes([bytes ?? 1_000])))
        }

        mutating func merge(_ map: Int, task: Int? = nil, _ bytes: [UInt8]? = nil) {
            let bytes = bytes ?? blocks[map]
            index += Self.line(
                MergedBlock(
                    mapIndex: map, mapTask: TaskID(task ?? 100 + map), offset: data.count,
                    length: bytes.count, checksum: CRC32C.checksum(bytes)))
            data += bytes
        }

        /// As a service writes it.
        private static func line(_ block: MergedBlock) -> [UInt8] {
            var line = ByteWriter()
            line.writeFixed(UInt32(block.mapIndex))
            line.writeFixed(UInt64(block.mapTask.rawValue))
            line.writeFixed(UInt64(block.offset))
            line.writeFixed(UInt32(block.length))
            line.writeFixed(block.checksum)
            line.writeFixed(CRC32C.checksum(line.bytes))
            return line.bytes
        }
    }

    private func runtime(_ merger: FakeMerger, minChunk: Int) throws -> ExecutorRuntime {
        var settings = PushSettings()
        settings.minChunkSize = minChunk
        let runtime = ExecutorRuntime(
            executor: ExecutorID(0), slots: 1, memory: .unlimited(),
            mapOutputStore: MapOutputStore(
                files: try ShuffleFiles(PosixFileSystem(), folder: folder.path),
                largestInMemory: 0, memoryBudget: 0, memory: .unlimited()),
            blockFolder: folder.path, fetcher: NoBlockFetcher(), maxBytesInFlight: 64,
            push: settings
        ) { _ in }
        runtime.pusher.connect(merger)
        return runtime
    }

    /// Every byte that the task gets, in pieces, and the maps that it read from their outputs.
    private func read(
        _ world: World, _ merger: FakeMerger, minChunk: Int = 8, _ runtime: ExecutorRuntime? = nil
    ) throws -> (pieces: [[UInt8]], unmerged: [Int]) {
        merger.state.withLock { state in
            state.served["merged_4_2_0.index"] = world.index
            state.served["merged_4_2_0.data"] = world.data
        }
        let runtime = try runtime ?? self.runtime(merger, minChunk: minChunk)
        var unmerged: [Int] = []
        let memory = TaskMemory(manager: runtime.memory, task: TaskID(0))
        let rest = { (outputs: MapOutputs) -> any ShuffleBlocks in
            unmerged = outputs.statuses.compactMap { $0?.mapIndex }
            return MemoryBlocks(unmerged.map { world.blocks[$0] })
        }
        guard
            let blocks = MergedBlocks(
                outputs: world.outputs, reduce: 0, runtime: runtime, memory: memory, rest: rest)
        else { return ([], world.blocks.indices.map { $0 }) }
        var pieces: [[UInt8]] = []
        while let piece = try blocks.next() { pieces.append(piece) }
        return (pieces, unmerged)
    }

    private func blocks(_ count: Int) -> [[UInt8]] {
        (0..<count).map { map in (0..<4).map { UInt8(map * 4 + $0) } }
    }

    @Test("reads them in pieces of the least size or more") func pieces() throws {
        var world = World(shuffle, blocks(6))
        for map in [3, 0, 5, 1, 2, 4] { world.merge(map) }
        let merger = FakeMerger()
        let (pieces, unmerged) = try read(world, merger)
        #expect(pieces.map(\.count) == [8, 8, 8])
        #expect(Set(pieces.joined()) == Set(0..<24))
        #expect(unmerged == [])
        #expect(merger.state.withLock { $0.reads.count } == 4)
    }

    @Test("takes none of another attempt, none twice, and none beside a hole's end")
    func strangers() throws {
        var world = World(shuffle, blocks(5))
        world.merge(0)
        world.merge(1, task: 7, [9, 9, 9, 9])
        world.merge(2)
        world.merge(2)
        world.data += [1, 2, 3]
        world.merge(3)
        world.merge(77, [5])
        let (pieces, unmerged) = try read(world, FakeMerger(), minChunk: 100)
        #expect(unmerged == [1, 4])
        #expect(pieces.joined().sorted() == (0..<20).map { UInt8($0) })
    }

    @Test("reads from its map output what is damaged, and only that") func damage() throws {
        var world = World(shuffle, blocks(4))
        for map in 0..<4 { world.merge(map) }
        for byte in world.data.indices {
            var damaged = world
            damaged.data[byte] ^= 0x20
            let (pieces, unmerged) = try read(damaged, FakeMerger(), minChunk: 100)
            #expect(unmerged == [byte / 4])
            #expect(pieces.joined().sorted() == (0..<16).map { UInt8($0) })
        }
        for size in world.data.indices {
            var cut = world
            cut.data = Array(world.data[..<size])
            let (pieces, unmerged) = try read(cut, FakeMerger(), minChunk: 100)
            #expect(unmerged == Array((size / 4)..<4))
            #expect(pieces.joined().sorted() == (0..<16).map { UInt8($0) })
        }
    }

    @Test("reads the rest from the map outputs when the service is gone, and asks it no more")
    func goneService() throws {
        var world = World(shuffle, blocks(10))
        for map in 0..<10 { world.merge(map) }
        for failing in 0..<4 {
            let merger = FakeMerger()
            merger.state.withLock { $0.failsFrom = failing }
            let runtime = try runtime(merger, minChunk: 16)
            let (pieces, unmerged) = try read(world, merger, runtime)
            #expect(unmerged.count == [10, 10, 6, 2][failing])
            #expect(pieces.joined().sorted() == (0..<40).map { UInt8($0) })
            let asked = merger.state.withLock { $0.reads.count }
            #expect(try read(world, merger, runtime).unmerged == Array(0..<10))
            #expect(merger.state.withLock { $0.reads.count } == asked)
        }
    }

    @Test("asks nobody when nothing of its partition is merged") func nothingMerged() throws {
        let merger = FakeMerger()
        let world = World(shuffle, blocks(3), bytes: 0)
        #expect(try read(world, merger).unmerged == [0, 1, 2])
        #expect(merger.state.withLock { $0.reads } == [])
    }

    @Test("gives back all memory that it reserved") func memory() throws {
        var world = World(shuffle, blocks(40))
        for map in 0..<40 where map % 3 > 0 { world.merge(map) }
        world.data[20] ^= 1
        let merger = FakeMerger()
        let runtime = try runtime(merger, minChunk: 16)
        #expect(try read(world, merger, runtime).pieces.joined().count == 160)
        #expect(runtime.memory.executionUsed == 0)
    }
}
