import Synchronization

/// What takes several calls: whole reads, atomic durable writes, trees.
///
/// A durable write is a temporary file in the target's folder, fsync, rename, fsync of the folder.
/// A crash at any point leaves the old content or the new, and perhaps a temporary file
/// (`.name.….tmp`) that every reader ignores and `deleteTemporaries` clears away.
extension FileSystem {
    public func exists(_ path: String) throws(StoreError) -> Bool { try status(path) != nil }

    /// In bytes; throws `.notFound`.
    public func size(_ path: String) throws(StoreError) -> Int {
        guard let status = try status(path) else {
            throw StoreError(.notFound, "open", path, "no such file")
        }
        return status.size
    }

    /// The whole content. A file above `limit` bytes throws, for it isn't what the caller thinks.
    public func read(_ path: String, limit: Int = 1 << 31) throws(StoreError) -> [UInt8] {
        let file = try open(path)
        let size = try file.size()
        guard size <= limit else {
            throw StoreError(
                .unsupported, "read", path, "\(size) bytes are more than the \(limit) expected")
        }
        return try file.read(at: 0, count: size)
    }

    /// Like `list`, but a folder that isn't there is empty.
    public func listIfPresent(_ folder: String) throws(StoreError) -> [FileStatus] {
        do {
            return try list(folder)
        } catch let error where error.kind == .notFound {
            return []
        }
    }

    /// Like `names`, but a folder that isn't there is empty.
    public func namesIfPresent(in folder: String) throws(StoreError) -> [String] {
        do {
            return try names(in: folder)
        } catch let error where error.kind == .notFound {
            return []
        }
    }

    /// Replaces `path` by these bytes, atomically; durable on return. If `replacing` is false, an
    /// existing file stays as it is and `.alreadyExists` is thrown: of two writers one wins.
    public func writeDurably(
        _ bytes: [UInt8], to path: String, replacing: Bool = true
    ) throws(StoreError) {
        try publish(to: path, replacing: replacing, isDurable: true) { file throws(StoreError) in
            try file.write(bytes)
        }
    }

    /// Writes a file under a temporary name and renames it to `path` when `body` has returned. With
    /// `isDurable` false it is atomic for readers but may be lost with the machine's power (shuffle
    /// files). When anything fails the temporary file is gone and `path` as before.
    public func publish(
        to path: String, replacing: Bool = true, isDurable: Bool,
        _ body: (any WritableFile) throws(StoreError) -> Void
    ) throws(StoreError) {
        let folder = StorePath.folder(of: path)
        let temporary = StorePath.join(folder, TemporaryName.next(for: StorePath.name(of: path)))
        let file = try create(temporary, exclusively: true)
        do {
            try body(file)
            if isDurable { try file.sync() }
            try file.close()
            try rename(temporary, to: path, replacing: replacing)
        } catch {
            try? delete(temporary)
            throw error
        }
        if isDurable { try syncFolder(folder) }
    }

    /// Deletes a folder with everything in it. One that isn't there is not an error.
    public func deleteTree(_ path: String) throws(StoreError) {
        for entry in try listIfPresent(path) {
            let child = StorePath.join(path, entry.name)
            if entry.isFolder { try deleteTree(child) } else { try delete(child) }
        }
        try delete(path)
    }

    /// Deletes what crashed writers left in a folder. Call it only where no other writer can be at
    /// work, that is under the checkpoint's lock.
    public func deleteTemporaries(in folder: String) throws(StoreError) {
        for name in try namesIfPresent(in: folder) where TemporaryName.matches(name) {
            try delete(StorePath.join(folder, name))
        }
    }
}

/// Names of files that are being written: hidden, and marked by process and number.
public enum TemporaryName {
    private static let prefix = "."
    private static let suffix = ".tmp"
    private static let counter = Atomic<UInt64>(0)

    public static func next(for name: String) -> String {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        let salt = UInt32.random(in: .min ... .max)
        return "\(prefix)\(name).\(String(salt, radix: 36)).\(number)\(suffix)"
    }

    static func matches(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(suffix) }
}
