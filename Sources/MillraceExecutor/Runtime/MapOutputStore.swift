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
        /// Outputs that are being written, and which of their shuffles were removed meanwhile.
        var writing: [ShuffleID: Int] = [:]
        var removedWhileWritten: Set<ShuffleID> = []

        /// False when nobody wants it any more.
        mutating func keep(_ output: Output, _ key: Key) -> Bool {
            guard !removedWhileWritten.contains(key.shuffle) else { return false }
            outputs[key] = output
            tasks[key.shuffle, default: []].append(key.task)
            return true
        }
    }

    /// How new output is compressed.
    public let compression: CompressionCodec?
    /// Where tasks of this executor spill, the sorts' and the outputs' alike.
    var spills: SpillFolder {
        SpillFolder(files.fileSystem, files.folder, spillCompression, cipher)
    }
    private let spillCompression: CompressionCodec?
    private let applicationCipher = SetOnce<BlockCipher>()
    private let state = Mutex(State())
    private let files: ShuffleFiles
    /// A map output up to this size stays in memory while the budget lasts.
    private let largestInMemory: Int
    private let memoryBudget: Int
    private let memory: MemoryManager
    private let account: StorageAccount

    /// Up to `largestInMemory` bytes of one map task's whole output stay in memory, up to
    /// `memoryBudget` bytes of all, as far as `memory` grants them.
    public init(
        files: ShuffleFiles, largestInMemory: Int, memoryBudget: Int, memory: MemoryManager,
        compression: CompressionCodec? = .lz4, spillCompression: CompressionCodec? = .lz4
    ) {
        self.memory = memory
        account = memory.account("map outputs")
        self.files = files
        self.compression = compression
        self.spillCompression = spillCompression
        self.largestInMemory = largestInMemory
        self.memoryBudget = memoryBudget
    }

    /// As the settings say, with its files in `directory`, which is made. Throws `StoreError`.
    public convenience init(conf: Conf, directory: String, memory: MemoryManager) throws {
        self.init(
            files: try ShuffleFiles(PosixFileSystem(), folder: directory),
            // A service serves files only.
            largestInMemory: conf.shuffleService.isEnabled ? -1 : conf.shuffle.maxMemoryBlock.bytes,
            memoryBudget: conf.executor.memory.bytes / Self.memoryShare, memory: memory,
            compression: conf.shuffle.compress ? conf.compression.codec : nil,
            spillCompression: conf.shuffle.spillCompress ? conf.compression.codec : nil)
    }

    /// Encrypts what is written from now on, by the application's key, and reads only what was. To
    /// be called before the first task; a key that came already stays.
    public func encrypt(with key: [UInt8]) {
        if cipher == nil { applicationCipher.set(BlockCipher(key: key)) }
    }
    /// `encrypt`, by a key of its own: nobody else reads the files.
    public func encryptAlone(bits: Int) { encrypt(with: BlockCipher.makeKey(bits: bits)) }
    var cipher: BlockCipher? { applicationCipher.value }

    /// Where its files are.
    var folder: String { files.folder }

    /// An executor's memory is first of all for its tasks; small map outputs live for one
    /// micro-batch.
    private static let memoryShare = 8

    /// Publishes a map output: from now on its blocks can be read. Throws `LocalDiskFull`, or
    /// `StoreError` when the disk refuses for another reason; nothing is left behind then.
    func publish(_ output: CollectedOutput, shuffle: ShuffleID, task: TaskID) throws {
        let total = output.bytes
        let key = Key(shuffle: shuffle, task: task)
        if !output.hasSpilled, total <= largestInMemory, takeMemory(total) {
            let blocks = output.joined()
            if !state.withLock({ $0.keep(.memory(blocks), key) }) {
                memory.releaseStorage(total, of: account)
            }
            return
        }
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
        if !state.withLock({ $0.keep(.file(file), key) }) { deleteFiles(of: shuffle) }
    }

    /// An output of this shuffle is begun: if the shuffle is removed before `endWriting`, the
    /// output goes with it. For a task that was still running when nobody wanted it any more.
    func beginWriting(_ shuffle: ShuffleID) {
        state.withLock { $0.writing[shuffle, default: 0] += 1 }
    }

    /// It is published, or given up.
    func endWriting(_ shuffle: ShuffleID) {
        state.withLock { state in
            guard let count = state.writing[shuffle], count > 1 else {
                state.writing[shuffle] = nil
                state.removedWhileWritten.remove(shuffle)
                return
            }
            state.writing[shuffle] = count - 1
        }
    }

    /// False, and nothing taken, when map outputs have their share already or there is no more.
    private func takeMemory(_ bytes: Int) -> Bool {
        guard account.used + bytes <= memoryBudget else { return false }
        return memory.acquireStorage(bytes, for: account)
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
        beginWriting(shuffle)
        defer { endWriting(shuffle) }
        if bytes <= largestInMemory, takeMemory(bytes) {
            var isKept = false
            var held = bytes
            defer { if !isKept { memory.releaseStorage(held, of: account) } }
            var blocks = [[UInt8]](repeating: [], count: partitions)
            try collect { blocks[$0] = $1 }
            // The sizes that were announced are rounded up.
            held = blocks.reduce(0) { $0 + $1.count }
            memory.releaseStorage(max(0, bytes - held), of: account)
            state.withLock { state in
                if state.outputs[key] == nil { isKept = state.keep(.memory(blocks), key) }
            }
            return
        }
        let writer = try files.write(shuffle, task, partitions: partitions)
        try collect { try writer.append($0, $1) }
        let file = try writer.commit()
        if !state.withLock({ $0.keep(.file(file), key) }) { deleteFiles(of: shuffle) }
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

    /// The files of a whole output; nil when it's in memory, or not here.
    func file(shuffle: ShuffleID, task: TaskID) -> ShuffleDataFile? {
        let output = state.withLock { $0.outputs[Key(shuffle: shuffle, task: task)] }
        guard case .file(let file)? = output else { return nil }
        return file
    }

    /// Forgets a shuffle whose driver side is gone, and deletes its files.
    public func remove(_ shuffle: ShuffleID) {
        let (hasFiles, freed) = state.withLock { state in
            var (hasFiles, freed) = (false, 0)
            if state.writing[shuffle] != nil { state.removedWhileWritten.insert(shuffle) }
            for task in state.tasks.removeValue(forKey: shuffle) ?? [] {
                switch state.outputs.removeValue(forKey: Key(shuffle: shuffle, task: task)) {
                case .memory(let blocks): freed += blocks.reduce(0) { $0 + $1.count }
                case .file: hasFiles = true
                case nil: break
                }
            }
            return (hasFiles, freed)
        }
        if freed > 0 { memory.releaseStorage(freed, of: account) }
        if hasFiles { deleteFiles(of: shuffle) }
    }

    private func deleteFiles(of shuffle: ShuffleID) {
        do { try files.delete(shuffle) } catch {
            Log.warn(
                "executor", "cannot delete shuffle files", ["shuffle": shuffle, "reason": error])
        }
    }
}
