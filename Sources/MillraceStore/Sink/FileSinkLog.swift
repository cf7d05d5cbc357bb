import MillraceBase

/// One file that a batch of a file sink has published. Spark's `SinkFileStatus`.
public struct SinkFileStatus: Hashable, Sendable {
    /// A `file://` URI.
    public var path: String
    /// In bytes.
    public var size: Int64
    public var isDir: Bool
    /// Milliseconds since 1970.
    public var modificationTime: Int64
    public var blockReplication: Int
    public var blockSize: Int64
    /// "add" (Spark knows "delete" too, and never writes it).
    public var action: String

    public init(
        path: String, size: Int64, isDir: Bool = false, modificationTime: Int64,
        blockReplication: Int = 1, blockSize: Int64 = 4096, action: String = "add"
    ) {
        self.path = path
        self.size = size
        self.isDir = isDir
        self.modificationTime = modificationTime
        self.blockReplication = blockReplication
        self.blockSize = blockSize
        self.action = action
    }
}

/// The manifest of a file sink's output folder: which files each committed batch published.
///
/// Executors write data files under unique names; they count only once the driver has committed the
/// batch here. `<output>/_millrace_metadata/<batchId>`: line 1 `v1`, then one JSON object per file.
public struct FileSinkLog: Sendable {
    /// The folder's name under the output folder.
    public static let folderName = "_millrace_metadata"

    /// Opens or makes the manifest of that output folder (a POSIX path).
    public init(_ fileSystem: any FileSystem, output: String) throws(StoreError) {
        preconditionFailure("to come")
    }

    /// `part-<partition>-<uuid>-c000.<ext>`: the name an executor gives a data file.
    public static func dataFileName(partition: Int, uuid: String, ext: String) -> String {
        let digits = String(partition)
        let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return "part-\(padded)-\(uuid)-c000.\(ext)"
    }

    /// Publishes a batch's files. False, and nothing is changed, if the batch was committed before
    /// (a repeated batch: its new files are to be deleted by the caller, or just ignored).
    @discardableResult
    public func commit(_ batch: BatchID, _ files: [SinkFileStatus]) throws(StoreError) -> Bool {
        preconditionFailure("to come")
    }

    public func isCommitted(_ batch: BatchID) throws(StoreError) -> Bool {
        preconditionFailure("to come")
    }

    /// The newest committed batch.
    public func latestBatch() throws(StoreError) -> BatchID? { preconditionFailure("to come") }

    /// All files of all committed batches, in the order of the batches.
    public func allFiles() throws(StoreError) -> [SinkFileStatus] {
        preconditionFailure("to come")
    }
}
