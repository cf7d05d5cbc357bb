import MillraceStore
import Synchronization

/// The real file system with room for so many bytes more; what was written stays counted.
final class SmallDisk: FileSystem {
    private let real = PosixFileSystem()
    private let room: Mutex<Int>

    init(room: Int) { self.room = Mutex(room) }

    private final class File: WritableFile {
        let disk: SmallDisk
        let file: any WritableFile
        init(_ disk: SmallDisk, _ file: any WritableFile) {
            self.disk = disk
            self.file = file
        }
        var path: String { file.path }
        func sync() throws(StoreError) { try file.sync() }
        func close() throws(StoreError) { try file.close() }

        /// As a disk does: what fits is written, and then it is full.
        func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
            let fits = disk.room.withLock { room in
                defer { room = max(0, room - bytes.count) }
                return min(room, bytes.count)
            }
            try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<fits]))
            guard fits == bytes.count else {
                throw StoreError(.noSpace, "write", path, "No space left on device")
            }
        }
    }

    func create(_ path: String, exclusively: Bool) throws(StoreError) -> any WritableFile {
        File(self, try real.create(path, exclusively: exclusively))
    }
    func append(_ path: String) throws(StoreError) -> any WritableFile {
        File(self, try real.append(path))
    }
    func open(_ path: String) throws(StoreError) -> any ReadableFile { try real.open(path) }
    func names(in folder: String) throws(StoreError) -> [String] { try real.names(in: folder) }
    func list(_ folder: String) throws(StoreError) -> [FileStatus] { try real.list(folder) }
    func status(_ path: String) throws(StoreError) -> FileStatus? { try real.status(path) }
    func rename(_ source: String, to target: String, replacing: Bool) throws(StoreError) {
        try real.rename(source, to: target, replacing: replacing)
    }
    func delete(_ path: String) throws(StoreError) { try real.delete(path) }
    func makeFolders(_ path: String) throws(StoreError) { try real.makeFolders(path) }
    func syncFolder(_ path: String) throws(StoreError) { try real.syncFolder(path) }
    func lock(_ path: String) throws(StoreError) -> any FileLock { try real.lock(path) }
}
