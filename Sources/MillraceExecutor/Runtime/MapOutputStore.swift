import MillraceBase
import MillraceStore
import Synchronization

/// The map outputs that this executor holds for others to fetch: small ones in memory, larger ones
/// in files.
///
/// An output is named by its shuffle and the task that wrote it, so two attempts of one map task
/// never mix.
public final class MapOutputStore: Sendable {
    /// Where one block is.
    public enum Block: Sendable {
        case memory([UInt8])
        case file(ShuffleDataFile, partition: Int)
    }

    private struct Key: Hashable {
        var shuffle: ShuffleID
        var task: TaskID
    }
    private enum Output {
        case memory([[UInt8]])
        case file(ShuffleDataFile)
    }
    private struct State {
        var outputs: [Key: Output] = [:]
        var tasks: [ShuffleID: [TaskID]] = [:]
        var memoryBytes = 0
    }

    /// How new output is compressed.
    public let compression: CompressionCodec?
    /// Where tasks of this executor spill, the sorts' and the outputs' alike.
    let spills: SpillFolder
    private let state = Mutex(State())
    private let files: ShuffleFiles
    /// A map output up to this size stays in memory while the budget lasts.
    private let largestInMemory: Int
    private let memoryBudget: Int

    /// Up to `largestInMemory` bytes of one map task's whole output stay in memory, up to
    /// `memoryBudget` bytes of all.
    public init(
        files: ShuffleFiles, largestInMemory: Int, memoryBudget: Int,
        compression: CompressionCodec? = .lz4, spillCompression: CompressionCodec? = .lz4
    ) {
        self.files = files
        self.compression = compression
        spills = SpillFolder(files.fileSystem, files.folder, spillCompression)
        self.largestInMemory = largestInMemory
        self.memoryBudget = memoryBudget
    }

    /// As the settings say, with its files in `directory`, which is made. Throws `StoreError`.
    public convenience init(conf: Conf, directory: String) throws {
        self.init(
            files: try ShuffleFiles(PosixFileSystem(), folder: directory),
            // A service serves files only.
            largestInMemory: conf.shuffleService.isEnabled ? -1 : conf.shuffle.maxMemoryBlock.bytes,
            memoryBudget: conf.executor.memory.bytes / Self.memoryShare,
            compression: conf.shuffle.compress ? conf.compression.codec : nil,
            spillCompression: conf.shuffle.spillCompress ? conf.compression.codec : nil)
    }

    /// An executor's memory is first of all for its tasks; small map outputs live for one
    /// micro-batch.
    private static let memoryShare = 8

    /// Publishes a map output: from now on its blocks can be read. Throws `LocalDiskFull`, or
    /// `StoreError` when the disk refuses for another reason; nothing is left behind then.
    func publish(_ output: CollectedOutput, shuffle: ShuffleID, task: TaskID) throws {
        let total = output.bytes
        let key = Key(shuffle: shuffle, task: task)
        let isKept = state.withLock { state in
            guard !output.hasSpilled, total <= largestInMemory,
                state.memoryBytes + total <= memoryBudget
            else {
                return false
            }
            state.memoryBytes += total
            state.outputs[key] = .memory(output.joined())
            state.tasks[shuffle, default: []].append(task)
            return true
        }
        if isKept { return }
        let file = try LocalDiskFull.whileWriting(
            "the output of \(task) of \(shuffle)", bytes: total, to: files.folder
        ) {
            let writer = try files.write(shuffle, task, partitions: output.reducers)
            for partition in 0..<output.reducers {
                try output.forEachPiece(of: partition) { piece throws(StoreError) in
                    try writer.append(partition, piece)
                }
            }
            return try writer.commit()
        }
        state.withLock { state in
            state.outputs[key] = .file(file)
            state.tasks[shuffle, default: []].append(task)
        }
    }

    /// Publishes an output that another executor wrote, from its blocks as they are served.
    /// `collect` gives each one to its argument, in the order of the partitions. Nothing when it is
    /// here already. Throws what `collect` throws, and `StoreError`; nothing is kept then.
    func adopt(
        shuffle: ShuffleID, task: TaskID, partitions: Int, bytes: Int,
        collect: (_ keep: (Int, [UInt8]) throws -> Void) throws -> Void
    ) throws {
        let key = Key(shuffle: shuffle, task: task)
        if state.withLock({ $0.outputs[key] != nil }) { return }
        if bytes <= largestInMemory {
            var blocks = [[UInt8]](repeating: [], count: partitions)
            try collect { blocks[$0] = $1 }
            let total = blocks.reduce(0) { $0 + $1.count }
            state.withLock { state in
                guard state.outputs[key] == nil else { return }
                state.memoryBytes += total
                state.outputs[key] = .memory(blocks)
                state.tasks[shuffle, default: []].append(task)
            }
            return
        }
        let writer = try files.write(shuffle, task, partitions: partitions)
        try collect { try writer.append($0, $1) }
        let file = try writer.commit()
        state.withLock { state in
            state.outputs[key] = .file(file)
            state.tasks[shuffle, default: []].append(task)
        }
    }

    /// The block of `reduce` in `task`'s output, or nil when this executor has no such output.
    public func block(shuffle: ShuffleID, task: TaskID, reduce: Int) throws -> Block? {
        let output = state.withLock { $0.outputs[Key(shuffle: shuffle, task: task)] }
        switch output {
        case nil: return nil
        case .memory(let blocks):
            guard blocks.indices.contains(reduce) else { return nil }
            return .memory(blocks[reduce])
        case .file(let file):
            return file.segments.indices.contains(reduce) ? .file(file, partition: reduce) : nil
        }
    }

    /// Forgets a shuffle whose driver side is gone, and deletes its files.
    public func remove(_ shuffle: ShuffleID) {
        let hasFiles = state.withLock { state in
            var hasFiles = false
            for task in state.tasks.removeValue(forKey: shuffle) ?? [] {
                switch state.outputs.removeValue(forKey: Key(shuffle: shuffle, task: task)) {
                case .memory(let blocks): state.memoryBytes -= blocks.reduce(0) { $0 + $1.count }
                case .file: hasFiles = true
                case nil: break
                }
            }
            return hasFiles
        }
        guard hasFiles else { return }
        do { try files.delete(shuffle) } catch {
            Log.warn(
                "executor", "cannot delete shuffle files", ["shuffle": shuffle, "reason": error])
        }
    }
}
