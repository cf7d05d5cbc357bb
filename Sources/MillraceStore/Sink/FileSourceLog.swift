import MillraceBase

/// One file that a directory source has given to a batch. Spark's `FileEntry`.
public struct SourceFileEntry: Hashable, Sendable {
    /// A `file://` URI.
    public var path: String
    /// The file's modification time when it was seen, ms since 1970.
    public var timestamp: Int64
    /// The source's own batch number (the log's offset), not the query's.
    public var batchId: Int64

    public init(path: String, timestamp: Int64, batchId: Int64) {
        self.path = path
        self.timestamp = timestamp
        self.batchId = batchId
    }
}

/// The files that a directory source has seen, by the batch of the source that they went into:
/// `sources/<i>/<batch>`, Spark's `FileStreamSourceLog`.
///
/// The source's offset is `{"logOffset":N}`: all files of batches 0...N.
public struct FileSourceLog: Sendable {
    /// Opens or makes the log; `folder` is `CheckpointDirectory.sourceFolder(i)`.
    public init(_ fileSystem: any FileSystem, folder: String) throws(StoreError) {
        preconditionFailure("to come")
    }

    /// The newest batch of the source, -1 if there is none: the source's offset.
    public func latestOffset() throws(StoreError) -> Int { preconditionFailure("to come") }

    /// The files of batches `range` (of the source), in order.
    public func files(in range: ClosedRange<Int>) throws(StoreError) -> [SourceFileEntry] {
        preconditionFailure("to come")
    }

    /// Every path seen so far.
    public func seenPaths() throws(StoreError) -> Set<String> { preconditionFailure("to come") }

    /// Records the files of a new batch, durable on return.
    public func add(_ batch: Int, _ files: [SourceFileEntry]) throws(StoreError) {
        preconditionFailure("to come")
    }
}

/// What is new in a directory: the listing half of the directory source.
public enum FileListing {
    /// The files under `pattern` (a folder, or a glob over paths; hidden names and those that begin
    /// with "_" are left out) that are not in `seen`, oldest first (then by path), at most `limit`.
    /// A folder that carries a sink's manifest is read through it: only committed files.
    public static func newFiles(
        _ fileSystem: any FileSystem, _ pattern: String, seen: Set<String>, limit: Int? = nil
    ) throws(StoreError) -> [SourceFileEntry] { preconditionFailure("to come") }
}
