import MillraceBase
import Synchronization

/// A shuffle's map outputs in memory: blocks by map task, then by reduce partition.
final class MemoryShuffle: Sendable {
    let outputs = Mutex<[[[UInt8]]]>([])
}

/// The `ShuffleEnvironment` of `SerialJobRunner`.
final class MemoryShuffleEnvironment: ShuffleEnvironment {
    private let inputs: [MemoryShuffle?]
    private let output: MemoryShuffle?

    init(inputs: [MemoryShuffle?], output: MemoryShuffle?) {
        self.inputs = inputs
        self.output = output
    }

    func blocks(shuffleInput: Int, reduce: Int) throws -> any ShuffleBlocks {
        guard inputs.indices.contains(shuffleInput), let shuffle = inputs[shuffleInput] else {
            throw FetchFailure(
                shuffleInput: shuffleInput, mapIndex: 0, reduce: reduce, executor: ExecutorID(0),
                message: "the shuffle has no output here")
        }
        let blocks = shuffle.outputs.withLock { $0.map { $0[reduce] } }.filter { !$0.isEmpty }
        return MemoryBlocks(blocks)
    }

    let compression: CompressionCodec? = .lz4
    let spills: SpillFolder? = nil

    func mapOutputWriter(reducers: Int, memory: TaskMemory) throws -> any MapOutputWriter {
        guard let output else { throw PlanError("this stage writes no shuffle") }
        return MemoryMapOutputWriter(output, reducers: reducers)
    }
}

/// Blocks that are there already.
public final class MemoryBlocks: ShuffleBlocks {
    private var blocks: ArraySlice<[UInt8]>
    public init(_ blocks: [[UInt8]]) { self.blocks = blocks[...] }
    public func next() throws -> [UInt8]? { blocks.popFirst() }
}

private final class MemoryMapOutputWriter: MapOutputWriter {
    private let shuffle: MemoryShuffle
    private var blocks: [[UInt8]]

    init(_ shuffle: MemoryShuffle, reducers: Int) {
        self.shuffle = shuffle
        blocks = Array(repeating: [], count: reducers)
    }
    func append(_ piece: [UInt8], reduce: Int) throws { blocks[reduce].append(contentsOf: piece) }
    func commit() throws -> [UInt64] {
        shuffle.outputs.withLock { $0.append(blocks) }
        return blocks.map { UInt64($0.count) }
    }
    func abort() { blocks = [] }
}
