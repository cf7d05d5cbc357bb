import MillraceBase
import MillraceStore
import Synchronization

/// The map outputs that this executor holds for others to fetch: small ones in memory, larger ones in files.
///
/// An output is named by its shuffle and the task that wrote it, so two attempts of one map task never mix.
public final class MapOutputStore: Sendable {
    /// Where one block is.
    public enum Block: Sendable {
        case memory([UInt8])
        case file(path: String, offset: Int, length: Int)
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

    private let state = Mutex(State())
    private let directory: String
    private let fileSystem: any FileSystem
    /// A map output up to this size stays in memory while the budget lasts.
    private let largestInMemory: Int
    private let memoryBudget: Int

    /// `directory` is this executor's own and exists. `largestInMemory` bytes for one map task's whole output,
    /// `memoryBudget` bytes for all.
    public init(
        directory: String, fileSystem: any FileSystem, largestInMemory: Int, memoryBudget: Int
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.largestInMemory = largestInMemory
        self.memoryBudget = memoryBudget
    }

    /// Publishes a map output: from now on its blocks can be read. Throws `StoreError` when the disk refuses.
    func publish(_ blocks: [[UInt8]], shuffle: ShuffleID, task: TaskID) throws {
        let total = blocks.reduce(0) { $0 + $1.count }
        let key = Key(shuffle: shuffle, task: task)
        let isKept = state.withLock { state in
            guard total <= largestInMemory, state.memoryBytes + total <= memoryBudget else { return false }
            state.memoryBytes += total
            state.outputs[key] = .memory(blocks)
            state.tasks[shuffle, default: []].append(task)
            return true
        }
        if isKept { return }
        let file = try ShuffleDataFile.write(
            blocks, shuffle: shuffle, mapTask: task, directory: directory, fileSystem: fileSystem)
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
            guard let segment = file.segment(reduce) else { return nil }
            return .file(path: file.path, offset: segment.offset, length: segment.length)
        }
    }

    /// Forgets a shuffle whose driver side is gone, and deletes its files.
    public func remove(_ shuffle: ShuffleID) {
        let files = state.withLock { state -> [ShuffleDataFile] in
            var files: [ShuffleDataFile] = []
            for task in state.tasks.removeValue(forKey: shuffle) ?? [] {
                switch state.outputs.removeValue(forKey: Key(shuffle: shuffle, task: task)) {
                case .memory(let blocks): state.memoryBytes -= blocks.reduce(0) { $0 + $1.count }
                case .file(let file): files.append(file)
                case nil: break
                }
            }
            return files
        }
        for file in files {
            do { try file.delete(fileSystem: fileSystem) } catch {
                Log.warn("executor", "cannot delete a shuffle file", ["path": file.path, "error": error])
            }
        }
    }
}
