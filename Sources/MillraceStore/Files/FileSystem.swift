/// What Millrace asks of a disk: the door behind which the simulator puts its own.
///
/// Paths are POSIX paths (`StorePath.resolve` takes a `file://` URI apart). Calls block; they are
/// made from persist and task threads, never from an event loop. Nothing is durable before
/// `sync()` on the file *and*, for a new or renamed file, `syncFolder` on its folder; what is more
/// than one call (whole reads, atomic durable writes) is in `FileSystem+Durable.swift`.
public protocol FileSystem: Sendable {
    /// Opens a new, empty file for writing. An existing one is an error if `exclusively`, else it
    /// is emptied.
    func create(_ path: String, exclusively: Bool) throws(StoreError) -> any WritableFile
    /// Opens a file for writing behind its end; makes it if it isn't there.
    func append(_ path: String) throws(StoreError) -> any WritableFile
    func open(_ path: String) throws(StoreError) -> any ReadableFile

    /// The names in a folder, sorted; without "." and "..". Much cheaper than `list`.
    func names(in folder: String) throws(StoreError) -> [String]
    /// What is in a folder, sorted by name; without "." and "..".
    func list(_ folder: String) throws(StoreError) -> [FileStatus]
    /// Nil if there is nothing of that name.
    func status(_ path: String) throws(StoreError) -> FileStatus?

    /// Atomic. If `replacing` is false, an existing target is `.alreadyExists` and stays as it is.
    func rename(_ source: String, to target: String, replacing: Bool) throws(StoreError)
    /// Deletes a file or an empty folder. One that isn't there is not an error.
    func delete(_ path: String) throws(StoreError)
    /// Makes a folder and the ones above it, each made durable in its parent.
    func makeFolders(_ path: String) throws(StoreError)
    /// Makes the names in a folder durable.
    func syncFolder(_ path: String) throws(StoreError)

    /// Takes the lock of that name for this process, or throws `.locked` at once. The lock lasts
    /// until it is released or the process ends, however it ends.
    func lock(_ path: String) throws(StoreError) -> any FileLock
}

/// A file being written, by one thread at a time. Closed when released, if not before.
public protocol WritableFile: AnyObject {
    var path: String { get }
    /// Writes all of it, or throws (`.noSpace` when the disk is full).
    func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError)
    /// Returns when the content is on the disk.
    func sync() throws(StoreError)
    func close() throws(StoreError)
}

/// A file being read, by one thread at a time. Closed when released.
public protocol ReadableFile: AnyObject {
    var path: String { get }
    /// In bytes, as of now.
    func size() throws(StoreError) -> Int
    /// Up to `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8]
    /// Fills `buffer` from `offset` and says with how many bytes; fewer only at the end of the
    /// file. For readers that use their memory again.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) -> Int
}

/// A lock on a name, held until released.
public protocol FileLock: AnyObject, Sendable {
    func release()
}

/// One file or folder.
public struct FileStatus: Hashable, Sendable {
    /// The last part of the path.
    public var name: String
    public var isFolder: Bool
    /// In bytes.
    public var size: Int
    /// Milliseconds since 1970.
    public var modifiedMs: Int64

    public init(name: String, isFolder: Bool, size: Int, modifiedMs: Int64) {
        self.name = name
        self.isFolder = isFolder
        self.size = size
        self.modifiedMs = modifiedMs
    }
}

extension ReadableFile {
    public func read(
        at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws(StoreError) -> Int {
        let bytes = try read(at: offset, count: buffer.count)
        buffer.copyBytes(from: bytes)
        return bytes.count
    }

    /// Up to `count` bytes from `offset`, in place of what is in `bytes`, whose memory is used
    /// again if nobody else holds it; fewer only at the end of the file.
    public func read(
        at offset: Int, count: Int, reusing bytes: inout [UInt8]
    ) throws(StoreError) {
        bytes.removeAll(keepingCapacity: true)
        var outcome = Result<Int, StoreError>.success(0)
        bytes.append(addingCapacity: count) { room in
            room.withUnsafeMutableBufferPointer { target, filled in
                let free = UnsafeMutableRawBufferPointer(
                    start: target.baseAddress, count: min(count, target.count))
                do throws(StoreError) { filled = try read(at: offset, into: free) } catch {
                    outcome = .failure(error)
                }
            }
        }
        _ = try outcome.get()
    }
}

extension WritableFile {
    public func write(_ bytes: [UInt8]) throws(StoreError) {
        let outcome = bytes.withUnsafeBytes { buffer in
            Result { () throws(StoreError) in try write(buffer) }
        }
        try outcome.get()
    }
}
