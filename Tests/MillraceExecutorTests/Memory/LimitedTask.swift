import MillraceBase
import MillraceCore

@testable import MillraceExecutor
@testable import MillraceStore

/// A task that may reserve so many bytes, and a folder for its spills.
final class LimitedTask {
    let manager: MemoryManager
    let context: TaskContext
    let spills: SpillFolder
    private let folder = TemporaryTestFolder()

    init(bytes: Int, fileSystem: any FileSystem = PosixFileSystem()) {
        manager = MemoryManager(
            limit: MemoryLimit(bytes: bytes, source: .setting), total: bytes, storageRegion: 0)
        spills = SpillFolder(fileSystem, folder.path, .lz4)
        context = TaskContext(
            partition: 0, taskID: TaskID(7), shuffle: SpillingEnvironment(spills),
            memory: TaskMemory(manager: manager, task: TaskID(7)))
    }

    /// What is in the folder of spills.
    var spilled: [String] { folder.names }

    func run<Result>(_ body: () throws -> Result) rethrows -> Result { try context.run(body) }
}

/// Nothing but a place to spill.
private final class SpillingEnvironment: ShuffleEnvironment {
    let spills: SpillFolder?
    let compression: CompressionCodec? = .lz4
    init(_ spills: SpillFolder) { self.spills = spills }
    func blocks(shuffleInput: Int, reduce: Int) throws -> any ShuffleBlocks { MemoryBlocks([]) }
    func mapOutputWriter(reducers: Int, memory: TaskMemory) throws -> any MapOutputWriter {
        throw PlanError("no output here")
    }
}
