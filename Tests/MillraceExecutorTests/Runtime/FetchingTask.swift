import MillraceBase
import MillraceCore
import MillraceNet
import MillraceStore
import Synchronization

@testable import MillraceExecutor

/// A reduce task of executor 0 that reads shuffle 3 of executor 1, whose blocks are here.
final class FetchingTask {
    static let shuffle = ShuffleID(3)
    let peer: ScriptedPeer
    let memory: MemoryManager
    let runtime: ExecutorRuntime
    let context: TaskContext
    private let folder = TemporaryTestFolder()

    /// `blocks` by map index, each for reduce partition 0.
    init(
        _ blocks: [[UInt8]], maxBlockInMemory: Int, memory bytes: Int = 16 << 20,
        fileSystem: any FileSystem = PosixFileSystem()
    ) throws {
        peer = ScriptedPeer(blocks)
        memory = MemoryManager(
            limit: MemoryLimit(bytes: bytes, source: .setting), total: bytes, storageRegion: 0)
        let store = MapOutputStore(
            files: try ShuffleFiles(fileSystem, folder: folder.path), largestInMemory: 0,
            memoryBudget: 0, memory: memory)
        runtime = ExecutorRuntime(
            executor: ExecutorID(0), slots: 1, memory: memory, mapOutputStore: store,
            blockFolder: folder.path + "/blocks", fetcher: peer, maxBytesInFlight: 48 << 20,
            maxBlockInMemory: maxBlockInMemory
        ) { _ in }
        context = TaskContext(
            partition: 0, taskID: TaskID(7),
            shuffle: MemoryShuffleEnvironment(inputs: [], output: nil),
            memory: TaskMemory(manager: memory, task: TaskID(7)))
    }

    func blocks() -> FetchedBlocks {
        let statuses = peer.blocks.indices.map { index in
            MapStatus(
                executor: ExecutorID(1), mapTask: TaskID(index), mapIndex: index,
                sizes: BlockSizes([peer.blocks[index].count]))
        }
        return FetchedBlocks(
            outputs: MapOutputs(shuffle: Self.shuffle, epoch: 1, statuses: statuses), inline: [:],
            shuffleInput: 0, reduce: 0, runtime: runtime, memory: context.memory)
    }

    /// Spills and copies in the executor's folder.
    var files: [String] { folder.names.filter { $0 != "blocks" } }
    func path(_ name: String) -> String { folder.path + "/" + name }
    func run<Result>(_ body: () throws -> Result) rethrows -> Result { try context.run(body) }
}

/// Executor 1: has its blocks in memory and answers at once, or as a test says.
final class ScriptedPeer: BlockFetcher {
    let blocks: [[UInt8]]
    struct Asked: Hashable {
        var block: Int
        var part: Range<Int>?
    }
    private let asked = Mutex<[Asked]>([])
    /// Called before a part is answered; it is answered with what this throws.
    nonisolated(unsafe) var beforePart: (Range<Int>) throws -> Void = { _ in }
    /// What the owner says of a block: its checksum as it was written and as it is.
    nonisolated(unsafe) var sums: (written: UInt32, now: UInt32)?

    init(_ blocks: [[UInt8]]) { self.blocks = blocks }

    var requests: [Asked] { asked.withLock { $0 } }

    private final class Answer: MillraceExecutor.BlockFetch {
        let answer: @Sendable () throws -> [[UInt8]]
        init(_ answer: @escaping @Sendable () throws -> [[UInt8]]) { self.answer = answer }
        func wait() throws -> [[UInt8]] { try answer() }
        func cancel() {}
    }

    func start(names: [String], from executor: ExecutorID) -> any MillraceExecutor.BlockFetch {
        if names[0].hasPrefix(BlockDiagnosis.prefix) {
            return Answer { [self] in [try sumsSaid()] }
        }
        let wanted = names.map { BlockID($0)!.mapTask.rawValue }
        asked.withLock { $0 += wanted.map { Asked(block: $0) } }
        return Answer { [blocks] in wanted.map { blocks[$0] } }
    }

    func start(part: Range<Int>, of name: String, from executor: ExecutorID) -> any MillraceExecutor
        .BlockFetch
    {
        let wanted = BlockID(name)!.mapTask.rawValue
        asked.withLock { $0.append(Asked(block: wanted, part: part)) }
        return Answer { [self] in
            try beforePart(part)
            return [Array(blocks[wanted][part.clamped(to: 0..<blocks[wanted].count)])]
        }
    }

    func start(
        name: String, from executor: ExecutorID, into sink: any BlockSink
    ) -> any MillraceExecutor.BlockFetch { preconditionFailure("map outputs go into no sink") }

    private func sumsSaid() throws -> [UInt8] {
        guard let sums else { throw BlockFetchError(index: 0, message: "executor 1 is gone") }
        var reply = ByteWriter()
        reply.writeFixed(sums.written)
        reply.writeFixed(sums.now)
        return reply.bytes
    }
}
