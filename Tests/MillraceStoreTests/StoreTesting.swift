import Glibc
import MillraceBase
import Synchronization
import Testing

@testable import MillraceStore

/// A folder of its own for one test, deleted with it. In memory where the machine has a folder for
/// that, so that thousands of syncs cost nothing; `onDisk` where the disk itself is the matter.
final class TemporaryFolder: Sendable {
    let path: String
    let fileSystem = PosixFileSystem()

    init(onDisk: Bool = false) {
        let isInMemory = !onDisk && access("/dev/shm", W_OK) == 0
        let parent = isInMemory ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/millrace-store-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            String(cString: mkdtemp(buffer.baseAddress!))
        }
    }

    deinit { try? fileSystem.deleteTree(path) }

    func callAsFunction(_ name: String) -> String { StorePath.join(path, name) }

    /// Names in the folder, hidden ones too.
    func names(_ folder: String = "") throws -> [String] {
        try fileSystem.list(folder.isEmpty ? path : self(folder)).map(\.name)
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }
    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try fileSystem.create(self(name), exclusively: false)
        try file.write(bytes)
        try file.close()
    }

    func read(_ name: String) throws -> [UInt8] { try fileSystem.read(self(name)) }
    func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }
}

/// Random numbers that a failure can be repeated with.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The machine's disk until operation number `failsAt`; from there on nothing works any more, as
/// if the process had been killed. Writes before that may be torn: of a crashing write half is
/// written.
final class CrashingFileSystem: FileSystem {
    private let real = PosixFileSystem()
    private let failsAt: Int
    private let operations = Atomic<Int>(0)
    /// Folders whose names were made durable, oldest first.
    let synced = Mutex<[String]>([])

    init(failsAt: Int) { self.failsAt = failsAt }

    var hasCrashed: Bool { operations.load(ordering: .relaxed) > failsAt }

    fileprivate func step(_ operation: String, _ path: String) throws(StoreError) {
        guard operations.wrappingAdd(1, ordering: .relaxed).oldValue < failsAt else {
            throw StoreError(.system(errno: EIO), operation, path, "crashed")
        }
    }

    func create(_ path: String, exclusively: Bool) throws(StoreError) -> any WritableFile {
        try step("create", path)
        return File(self, try real.create(path, exclusively: exclusively))
    }
    func append(_ path: String) throws(StoreError) -> any WritableFile {
        try step("open", path)
        return File(self, try real.append(path))
    }
    func open(_ path: String) throws(StoreError) -> any ReadableFile { try real.open(path) }
    func names(in folder: String) throws(StoreError) -> [String] { try real.names(in: folder) }
    func list(_ folder: String) throws(StoreError) -> [FileStatus] { try real.list(folder) }
    func status(_ path: String) throws(StoreError) -> FileStatus? { try real.status(path) }
    func rename(_ source: String, to target: String, replacing: Bool) throws(StoreError) {
        try step("rename", target)
        try real.rename(source, to: target, replacing: replacing)
    }
    func delete(_ path: String) throws(StoreError) {
        try step("delete", path)
        try real.delete(path)
    }
    func makeFolders(_ path: String) throws(StoreError) {
        try step("make", path)
        try real.makeFolders(path)
    }
    func syncFolder(_ path: String) throws(StoreError) {
        try step("sync", path)
        try real.syncFolder(path)
        synced.withLock { $0.append(path) }
    }
    func lock(_ path: String) throws(StoreError) -> any FileLock { try real.lock(path) }

    private final class File: WritableFile {
        let owner: CrashingFileSystem
        let real: any WritableFile
        var path: String { real.path }
        init(_ owner: CrashingFileSystem, _ real: any WritableFile) {
            self.owner = owner
            self.real = real
        }
        func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
            do {
                try owner.step("write", path)
            } catch {
                try real.write(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]))
                throw error
            }
            try real.write(bytes)
        }
        func sync() throws(StoreError) {
            try owner.step("sync", path)
            try real.sync()
        }
        func close() throws(StoreError) { try real.close() }
    }
}

/// The store's error that `body` throws.
func storeError(_ body: () throws -> Void) -> StoreError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StoreError
    }
}
