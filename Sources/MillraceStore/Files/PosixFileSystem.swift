import Glibc
import Synchronization

/// The machine's own disk.
///
/// Every call that a signal may interrupt is repeated; every error carries the operating system's
/// words. Descriptors are closed on exec.
public struct PosixFileSystem: FileSystem {
    public init() {}

    public func create(_ path: String, exclusively: Bool) throws(StoreError) -> any WritableFile {
        let flags = O_WRONLY | O_CREAT | (exclusively ? O_EXCL : O_TRUNC)
        return PosixFile(path, try openDescriptor("create", path, flags))
    }

    public func append(_ path: String) throws(StoreError) -> any WritableFile {
        PosixFile(path, try openDescriptor("open", path, O_WRONLY | O_CREAT | O_APPEND))
    }

    public func open(_ path: String) throws(StoreError) -> any ReadableFile {
        PosixFile(path, try openDescriptor("open", path, O_RDONLY))
    }

    public func names(in folder: String) throws(StoreError) -> [String] {
        guard let stream = opendir(folder) else { throw posixError("list", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        if errno != 0 { throw posixError("list", folder) }
        names.sort()
        return names
    }

    public func list(_ folder: String) throws(StoreError) -> [FileStatus] {
        let names = try names(in: folder)
        var entries: [FileStatus] = []
        entries.reserveCapacity(names.count)
        for name in names {  // one deleted since readdir is simply not there any more
            if let entry = try status(StorePath.join(folder, name)) { entries.append(entry) }
        }
        return entries
    }

    public func status(_ path: String) throws(StoreError) -> FileStatus? {
        var info = stat()
        guard stat(path, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw posixError("inspect", path)
        }
        return FileStatus(
            name: StorePath.name(of: path), isFolder: info.st_mode & S_IFMT == S_IFDIR,
            size: Int(info.st_size),
            modifiedMs: Int64(info.st_mtim.tv_sec) * 1000 + Int64(info.st_mtim.tv_nsec) / 1_000_000)
    }

    public func rename(
        _ source: String, to target: String, replacing: Bool
    ) throws(StoreError) {
        if replacing {
            guard Glibc.rename(source, target) == 0 else {
                throw posixError("rename \(StorePath.name(of: source)) to", target)
            }
            return
        }
        // link(2) fails if the name is taken, on every file system that has it; rename's flag for
        // it is rarer. Where there are no links, the name is taken by an empty file first.
        if link(source, target) == 0 {
            guard unlink(source) == 0 || errno == ENOENT else { throw posixError("delete", source) }
            return
        }
        guard [EPERM, EOPNOTSUPP, ENOSYS].contains(errno) else {
            throw posixError("create", target)
        }
        try create(target, exclusively: true).close()
        try rename(source, to: target, replacing: true)
    }

    public func delete(_ path: String) throws(StoreError) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        if errno == EISDIR || errno == EPERM, rmdir(path) == 0 || errno == ENOENT { return }
        throw posixError("delete", path)
    }

    public func makeFolders(_ path: String) throws(StoreError) {
        if let status = try status(path) {
            guard status.isFolder else {
                throw StoreError(.alreadyExists, "make the folder", path, "a file has that name")
            }
            return
        }
        let parent = StorePath.folder(of: path)
        if parent != path { try makeFolders(parent) }
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw posixError("make the folder", path)
        }
        try syncFolder(parent)
    }

    public func syncFolder(_ path: String) throws(StoreError) {
        let folder = PosixFile(path, try openDescriptor("open", path, O_RDONLY | O_DIRECTORY))
        try folder.sync()
    }

    public func lock(_ path: String) throws(StoreError) -> any FileLock {
        let descriptor = try openDescriptor("lock", path, O_RDWR | O_CREAT)
        guard retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
            let failure =
                errno == EWOULDBLOCK
                ? StoreError(.locked, "lock", path, "another process holds it")
                : posixError("lock", path)
            Glibc.close(descriptor)
            throw failure
        }
        return PosixLock(descriptor)
    }

    private func openDescriptor(
        _ operation: String, _ path: String, _ flags: Int32
    ) throws(StoreError) -> Int32 {
        let descriptor = retrying { Glibc.open(path, flags | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else { throw posixError(operation, path) }
        return descriptor
    }
}

/// Repeats a call that a signal interrupted.
func retrying<Result: BinaryInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

/// The error that `errno` means now.
func posixError(_ operation: String, _ path: String) -> StoreError {
    let code = errno
    let kind: StoreError.Kind =
        switch code {
        case ENOENT: .notFound
        case EEXIST: .alreadyExists
        case ENOSPC, EDQUOT: .noSpace
        default: .system(errno: code)
        }
    return StoreError(kind, operation, path, String(cString: strerror(code)))
}

/// A held `flock`; the kernel releases it with the descriptor, so a killed process leaves none.
private final class PosixLock: FileLock {
    private let descriptor: Mutex<Int32>
    init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }
    deinit { release() }

    func release() {
        descriptor.withLock {
            guard $0 >= 0 else { return }
            // Said aloud: a child that is being started holds the descriptor too until it has
            // closed what it inherited, and the lock would last as long.
            flock($0, LOCK_UN)
            Glibc.close($0)
            $0 = -1
        }
    }
}
