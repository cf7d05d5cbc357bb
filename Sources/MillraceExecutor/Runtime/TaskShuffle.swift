import MillraceBase
import MillraceCore
import MillraceStore

/// One task's way to shuffles: the local numbers of its plan bound to this stage attempt's
/// shuffles.
final class TaskShuffle: ShuffleEnvironment {
    private let runtime: ExecutorRuntime
    private let setup: StageSetup
    private let task: TaskID

    private let memory: TaskMemory

    init(runtime: ExecutorRuntime, setup: StageSetup, task: TaskID, memory: TaskMemory) {
        self.memory = memory
        self.runtime = runtime
        self.setup = setup
        self.task = task
    }

    func blocks(shuffleInput: Int, reduce: Int) throws -> any ShuffleBlocks {
        guard setup.inputShuffles.indices.contains(shuffleInput) else {
            throw PlanError(
                "the stage reads \(setup.inputShuffles.count) shuffles, not \(shuffleInput + 1)")
        }
        let shuffle = setup.inputShuffles[shuffleInput]
        guard let outputs = runtime.mapOutputs(of: shuffle),
            outputs.statuses.allSatisfy({ $0 != nil })
        else { throw MapOutputsMissing(shuffle: shuffle, reduce: reduce) }
        let fetch = { [runtime, memory] outputs in
            FetchedBlocks(
                outputs: outputs, inline: runtime.inlineBlocks(of: shuffle, reduce: reduce),
                shuffleInput: shuffleInput, reduce: reduce, runtime: runtime, memory: memory)
        }
        return MergedBlocks(
            outputs: outputs, reduce: reduce, runtime: runtime, memory: memory, rest: fetch)
            ?? fetch(outputs)
    }

    var compression: CompressionCodec? { runtime.mapOutputStore.compression }
    var cipher: BlockCipher? { runtime.mapOutputStore.cipher }
    var spills: SpillFolder? { runtime.mapOutputStore.spills }

    func mapOutputWriter(reducers: Int, memory: TaskMemory) throws -> any MapOutputWriter {
        guard let shuffle = setup.outputShuffle, reducers == setup.reducerCount else {
            throw PlanError(
                "the stage writes \(setup.reducerCount) reduce partitions, not \(reducers)")
        }
        return try StoredMapOutput(
            store: runtime.mapOutputStore, shuffle: shuffle, task: task, reducers: reducers,
            memory: memory)
    }
}

/// This executor does not know where all outputs of a shuffle are: they were lost since the task
/// was launched.
struct MapOutputsMissing: Error, CustomStringConvertible {
    var shuffle: ShuffleID
    var reduce: Int
    var description: String { "the map outputs of \(shuffle) are not complete" }
}
