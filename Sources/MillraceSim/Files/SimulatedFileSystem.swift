import MillraceBase
import MillraceStore
import Synchronization

/// The store's door to a `SimulatedDisk`: behind it real code reads and writes, and disks fill up,
/// refuse, and processes die between two calls.
///
/// Used by one thread; the lock is for the compiler.
final class SimulatedFileSystem: FileSystem {
    struct State {
        var disk = SimulatedDisk()
        var nowMs: Int64 = 0
        /// Who is at work: calls of a process that has died are refused.
        var process = 0
        /// A process that dies after so many more calls of its own.
        var fuse: (process: Int, calls: Int)?
        /// Processes that died within a call.
        var dead: Set<Int> = []
        var isFull = false
        /// Of a thousand writes and syncs, so many fail.
        var failures = 0
        var chance = SplitMix64(seed: 0)
        var nextLock = 1
    }

    let state = Mutex(State())

    // MARK: FileSystem

    func create(_ path: String, exclusively: Bool) throws(StoreError) -> any WritableFile {
        try writable(path, "create") { state throws(StoreError) in
            if let inode = state.disk.inode(path) {
                if exclusively { throw StoreError(.alreadyExists, "create", path, "it exists") }
                state.disk.empty(inode)
                return inode
            }
            return state.disk.make(path, nowMs: state.nowMs)
        }
    }

    func append(_ path: String) throws(StoreError) -> any WritableFile {
        try writable(path, "append to") { state throws(StoreError) in
            state.disk.inode(path) ?? state.disk.make(path, nowMs: state.nowMs)
        }
    }

    private func writable(
        _ path: String, _ operation: String,
        _ find: (inout State) throws(StoreError) -> Int?
    ) throws(StoreError) -> SimulatedWriting {
        try call(operation, path, writes: true) { state throws(StoreError) in
            guard let inode = try find(&state) else {
                throw StoreError(.notFound, operation, path, "no such folder")
            }
            return SimulatedWriting(fileSystem: self, path: path, inode: inode)
        }
    }

    func open(_ path: String) throws(StoreError) -> any ReadableFile {
        try call("open", path) { state throws(StoreError) in
            guard let inode = state.disk.inode(path) else {
                throw StoreError(.notFound, "open", path, "no such file")
            }
            return SimulatedReading(path: path, content: state.disk.inodes[inode].content)
        }
    }

    func names(in folder: String) throws(StoreError) -> [String] {
        try call("list", folder) { state throws(StoreError) in
            guard let number = state.disk.folder(folder) else {
                throw StoreError(.notFound, "list", folder, "no such folder")
            }
            return state.disk.names(in: number)
        }
    }

    func list(_ folder: String) throws(StoreError) -> [FileStatus] {
        try call("list", folder) { state throws(StoreError) in
            guard let number = state.disk.folder(folder) else {
                throw StoreError(.notFound, "list", folder, "no such folder")
            }
            return state.disk.names(in: number).map { name in
                self.status(name, state.disk.inodes[state.disk.inode(in: number, name)!])
            }
        }
    }

    func status(_ path: String) throws(StoreError) -> FileStatus? {
        try call("look at", path) { state throws(StoreError) in
            state.disk.inode(path).map {
                self.status(StorePath.name(of: path), state.disk.inodes[$0])
            }
        }
    }

    private func status(_ name: String, _ inode: SimulatedDisk.Inode) -> FileStatus {
        FileStatus(
            name: name, isFolder: inode.folder != nil, size: inode.content.count,
            modifiedMs: inode.modifiedMs)
    }

    func rename(_ source: String, to target: String, replacing: Bool) throws(StoreError) {
        try call("rename to", target, writes: true) { state throws(StoreError) in
            guard state.disk.inode(source) != nil else {
                throw StoreError(.notFound, "rename to", target, "\(source) is not there")
            }
            if !replacing, state.disk.inode(target) != nil {
                throw StoreError(.alreadyExists, "create", target, "it exists")
            }
            state.disk.rename(source, to: target)
        }
    }

    func delete(_ path: String) throws(StoreError) {
        try call("delete", path) { state throws(StoreError) in state.disk.delete(path) }
    }

    func makeFolders(_ path: String) throws(StoreError) {
        try call("make the folder", path, writes: true) { state throws(StoreError) in
            state.disk.makeFolder(path, nowMs: state.nowMs)
        }
    }

    func syncFolder(_ path: String) throws(StoreError) {
        try call("sync", path, writes: true) { state throws(StoreError) in
            guard let folder = state.disk.folder(path) else {
                throw StoreError(.notFound, "sync", path, "no such folder")
            }
            state.disk.sync(folder: folder)
        }
    }

    func lock(_ path: String) throws(StoreError) -> any FileLock {
        try call("lock", path) { state throws(StoreError) in
            guard state.disk.locks[path] == nil else {
                throw StoreError(.locked, "lock", path, "another process holds it")
            }
            state.nextLock += 1
            state.disk.locks[path] = state.nextLock
            return SimulatedLock(fileSystem: self, path: path, number: state.nextLock)
        }
    }

    // MARK: Calls

    /// One call of the process at work: refused if that has died, or dies with this call; refused
    /// at random if it writes and the disk is full or bad.
    func call<Result: ~Copyable>(
        _ operation: String, _ path: String, writes: Bool = false,
        _ body: (inout State) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try state.withLock { state throws(StoreError) in
            if let fuse = state.fuse, fuse.process == state.process {
                state.fuse = fuse.calls > 1 ? (fuse.process, fuse.calls - 1) : nil
                if fuse.calls <= 1 { state.dead.insert(fuse.process) }
            }
            if state.dead.contains(state.process) {
                throw StoreError(.system(errno: 4), operation, shown(path), "the process has died")
            }
            if writes, state.isFull {
                throw StoreError(.noSpace, operation, shown(path), "No space left on device")
            }
            if writes, state.failures > 0, state.chance.chance(state.failures) {
                throw StoreError(.system(errno: 5), operation, shown(path), "Input/output error")
            }
            return try body(&state)
        }
    }

    /// Temporary names have chance in them that no seed rules, and a day is told word by word.
    private func shown(_ path: String) -> String {
        let name = StorePath.name(of: path)
        guard name.hasPrefix("."), name.hasSuffix(".tmp") else { return path }
        return StorePath.join(StorePath.folder(of: path), ".tmp")
    }
}

private final class SimulatedWriting: WritableFile {
    let path: String
    private let fileSystem: SimulatedFileSystem
    private let inode: Int

    init(fileSystem: SimulatedFileSystem, path: String, inode: Int) {
        self.fileSystem = fileSystem
        self.path = path
        self.inode = inode
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        do {
            try fileSystem.call("write", path, writes: true) { state throws(StoreError) in
                state.disk.append(bytes, to: self.inode, nowMs: state.nowMs)
            }
        } catch {
            // As much as there was room for.
            fileSystem.state.withLock { state in
                state.disk.append(
                    bytes.prefix(bytes.count / 2), to: inode, nowMs: state.nowMs)
            }
            throw error
        }
    }

    func sync() throws(StoreError) {
        try fileSystem.call("sync", path, writes: true) { state throws(StoreError) in
            state.disk.sync(self.inode)
        }
    }

    func close() throws(StoreError) {}
}

private final class SimulatedReading: ReadableFile {
    let path: String
    private let content: [UInt8]

    init(path: String, content: [UInt8]) {
        self.path = path
        self.content = content
    }

    func size() throws(StoreError) -> Int { content.count }

    func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
        Array(content.dropFirst(offset).prefix(count))
    }
}

private final class SimulatedLock: FileLock {
    private let fileSystem: SimulatedFileSystem
    private let path: String
    private let number: Int

    init(fileSystem: SimulatedFileSystem, path: String, number: Int) {
        self.fileSystem = fileSystem
        self.path = path
        self.number = number
    }

    deinit { release() }

    func release() {
        fileSystem.state.withLock { state in
            if state.disk.locks[path] == number { state.disk.locks[path] = nil }
        }
    }
}
