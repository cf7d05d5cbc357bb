import MillraceBase

/// A streaming query's checkpoint, laid out as Spark's: `metadata`, `offsets/`, `commits/`,
/// `sources/<i>/`, `state/<operatorId>/`.
///
/// Opening takes the lock (one driver per checkpoint on this machine), clears what a crashed writer
/// left, and reads or makes the query's id. On other machines the logs' rule "no batch is written
/// twice" is the fence.
public final class CheckpointDirectory: Sendable {
    public let fileSystem: any FileSystem
    /// The POSIX path.
    public let path: String
    /// The query's durable name, a UUID in lower case. The same over all restarts.
    public let queryID: String
    public let offsets: OffsetLog
    public let commits: CommitLog
    private let lock: any FileLock

    /// Batches whose offsets, commits and state are kept. Spark's `minBatchesToRetain`.
    public static let defaultRetention = 100

    /// Opens or makes the checkpoint at `location` (a path or a `file://` URI). Throws `.locked`
    /// if a driver is at work on it, `.corrupt` if `metadata` isn't what it should be,
    /// `.unsupported` for another scheme.
    public init(_ fileSystem: any FileSystem, _ location: String) throws(StoreError) {
        self.fileSystem = fileSystem
        path = try StorePath.resolve(location)
        try fileSystem.makeFolders(path)
        do {
            lock = try fileSystem.lock(StorePath.join(path, ".lock"))
        } catch let error where error.kind == .locked {
            throw StoreError(
                .locked, "open the checkpoint", path,
                "another driver on this machine runs a query on it")
        }
        offsets = try OffsetLog(fileSystem, folder: StorePath.join(path, "offsets"))
        commits = try CommitLog(fileSystem, folder: StorePath.join(path, "commits"))
        for folder in [path, offsets.folder, commits.folder] {
            try fileSystem.deleteTemporaries(in: folder)
            // What a former driver wrote and could not sync is there to be read, and what follows
            // is built on it: it must not go with the power any more.
            try fileSystem.syncFolder(folder)
        }
        let file = StorePath.join(path, "metadata")
        if let id = try CheckpointDirectory.readQueryID(fileSystem, file) {
            queryID = id
        } else {
            guard try offsets.latestBatch() == nil else {
                throw StoreError(
                    .notFound, "open the checkpoint", path,
                    "it has batches but no file \"metadata\" with the query's id")
            }
            queryID = UUIDText.random()
            let metadata: JSONValue = ["id": .string(queryID)]
            try fileSystem.writeDurably(Array(metadata.compact.utf8), to: file, replacing: false)
        }
    }

    /// `sources/<i>`, for what a source keeps (seen files, initial offsets).
    public func sourceFolder(_ index: Int) -> String {
        StorePath.join(StorePath.join(path, "sources"), String(index))
    }

    /// `state`, the root of all operators' state.
    public var stateFolder: String { StorePath.join(path, "state") }

    /// Deletes offsets and commits of all but the newest `retaining` batches up to `committed`.
    /// State is purged by `StateFolder.purge(neededFrom:)`.
    public func purge(
        committed: BatchID, retaining: Int = CheckpointDirectory.defaultRetention
    ) throws(StoreError) {
        let oldest = BatchID(max(0, committed.rawValue - max(retaining, 1) + 1))
        try offsets.purge(before: oldest)
        try commits.purge(before: oldest)
    }

    /// Lets another driver in. Also done when this is released.
    public func close() { lock.release() }

    private static func readQueryID(
        _ fileSystem: any FileSystem, _ file: String
    ) throws(StoreError) -> String? {
        guard try fileSystem.exists(file) else { return nil }
        let bytes = try fileSystem.read(file)
        do throws(JSONError) {
            if let id = try JSONValue(parsing: bytes)["id"]?.stringValue, !id.isEmpty { return id }
        } catch {
            throw .corrupt(
                file, at: error.offset, "{\"id\":\"<uuid>\"} is expected: \(error.reason)")
        }
        throw .corrupt(file, at: 0, "{\"id\":\"<uuid>\"} is expected")
    }
}

/// Random (version 4) UUIDs as text.
public enum UUIDText {
    /// 36 characters, lower case, from the system's random source.
    public static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = (generator.next() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000
        let low = (generator.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        let digits = [high, low].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }
}
