import MillraceBase
import MillraceStore

/// What the runtime gives a task so that it can read and write shuffles: local numbers bound to
/// this stage attempt's `ShuffleID`s, fetches from other executors, files. Operators and sinks see
/// nothing else of the cluster.
public protocol ShuffleEnvironment: AnyObject {
    /// The blocks of reduce partition `reduce` of the stage's shuffle input `shuffleInput`: one for
    /// each map task that has bytes for it, in any order.
    func blocks(shuffleInput: Int, reduce: Int) throws -> any ShuffleBlocks
    /// A writer for this task's map output over `reducers` reduce partitions.
    func mapOutputWriter(reducers: Int, memory: TaskMemory) throws -> any MapOutputWriter
    /// How output is compressed; nil is not at all.
    var compression: CompressionCodec? { get }
    /// How output is encrypted; nil is not at all.
    var cipher: BlockCipher? { get }
    /// Where tasks spill; nil where nothing is ever refused, so nothing spills.
    var spills: SpillFolder? { get }
}

/// Blocks on their way to a reduce task.
public protocol ShuffleBlocks: AnyObject {
    /// The next frames of one map task for this reduce partition, exactly as
    /// `MapOutputWriter.append` got them: all of them, or some when they are many; nil at the end.
    /// May wait for the network. Throws `FetchFailure`, and `MemoryExhausted`.
    func next() throws -> [UInt8]?
    /// What the task is to fail with when the block that `next` gave last turns out to be damaged.
    func damaged(_ error: any Error) -> any Error
}

extension ShuffleEnvironment {
    public var cipher: BlockCipher? { nil }
}

extension ShuffleBlocks {
    public func damaged(_ error: any Error) -> any Error { error }
}

/// Takes a map task's output. Nothing is visible to readers before `commit`.
public protocol MapOutputWriter: AnyObject {
    /// Adds bytes to `reduce`'s block. Pieces of one reducer keep their order; reducers come in any
    /// order.
    func append(_ piece: [UInt8], reduce: Int) throws
    /// Publishes the output; returns the bytes of each reduce partition.
    func commit() throws -> [UInt64]
    /// Gives up; called when the task fails before `commit`.
    func abort()
}

/// A map output could not be fetched. Passes through cursors and kernels unchanged, so that the
/// task ends as `fetchFailed` and the scheduler recomputes the output instead of counting a failure
/// of the task.
public struct FetchFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The stage's local number of the shuffle.
    public var shuffleInput: Int
    public var mapIndex: Int
    public var reduce: Int
    public var executor: ExecutorID
    public var message: String
    public init(
        shuffleInput: Int, mapIndex: Int, reduce: Int, executor: ExecutorID, message: String
    ) {
        self.shuffleInput = shuffleInput
        self.mapIndex = mapIndex
        self.reduce = reduce
        self.executor = executor
        self.message = message
    }
    public var description: String {
        "cannot fetch map output \(mapIndex) for reduce \(reduce) from \(executor): \(message)"
    }
}
