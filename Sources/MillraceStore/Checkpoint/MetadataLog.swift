import MillraceBase

/// What one kind of log keeps per batch, and how it is written.
public protocol MetadataLogEntry: Sendable {
    /// The whole content of the entry's file.
    func encode() -> [UInt8]
    /// Throws `.corrupt` naming `path`, the line, and what is expected there.
    init(decoding bytes: [UInt8], path: String) throws(StoreError)
}

/// One small file per batch in one folder, named by the batch's number: the shape of Spark's
/// `HDFSMetadataLog`, `offsets/` and `commits/`.
///
/// Written once, atomically, durable when `add` returns. Files that are not named by a number
/// (temporary, hidden, `.crc`) are ignored. Like Spark's, the formats have no checksum: damage
/// shows where it breaks the text, a flipped digit does not.
public struct MetadataLog<Entry: MetadataLogEntry>: Sendable {
    public let fileSystem: any FileSystem
    public let folder: String

    /// Makes the folder if it isn't there.
    public init(_ fileSystem: any FileSystem, folder: String) throws(StoreError) {
        self.fileSystem = fileSystem
        self.folder = folder
        try fileSystem.makeFolders(folder)
    }

    /// Writes a batch's entry. The same entry again is harmless; a different one throws
    /// `.concurrentUpdate`, for another driver runs on this checkpoint (the fence, Spark's rule).
    public func add(_ batch: BatchID, _ entry: Entry) throws(StoreError) {
        let path = path(of: batch)
        let bytes = entry.encode()
        do {
            try fileSystem.writeDurably(bytes, to: path, replacing: false)
        } catch let error where error.kind == .alreadyExists {
            guard try fileSystem.read(path) != bytes else {
                return try fileSystem.syncFolder(folder)
            }
            throw StoreError(
                .concurrentUpdate, "add batch \(batch.rawValue) to", path,
                "it holds something else already: another driver runs on this checkpoint")
        }
    }

    /// Nil if the batch has no entry.
    public func get(_ batch: BatchID) throws(StoreError) -> Entry? {
        let path = path(of: batch)
        do {
            return try Entry(decoding: try fileSystem.read(path), path: path)
        } catch let error where error.kind == .notFound {
            return nil
        }
    }

    /// The newest batch and its entry. A damaged newest entry throws; it is never skipped.
    public func getLatest() throws(StoreError) -> (batch: BatchID, entry: Entry)? {
        guard let batch = try latestBatch(), let entry = try get(batch) else { return nil }
        return (batch, entry)
    }

    public func latestBatch() throws(StoreError) -> BatchID? { try batches().last }

    /// All batches with an entry, ascending.
    public func batches() throws(StoreError) -> [BatchID] {
        try fileSystem.namesIfPresent(in: folder).compactMap(batchNumber).map { BatchID($0) }
            .sorted()
    }

    /// Deletes the entries of all batches before `batch`.
    public func purge(before batch: BatchID) throws(StoreError) {
        for old in try batches() where old < batch { try fileSystem.delete(path(of: old)) }
    }

    /// Deletes the entries of all batches after `batch` (a reset to an earlier batch).
    public func purge(after batch: BatchID) throws(StoreError) {
        for new in try batches() where new > batch { try fileSystem.delete(path(of: new)) }
    }

    public func path(of batch: BatchID) -> String {
        StorePath.join(folder, String(batch.rawValue))
    }
}
