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

extension SinkFileStatus: SegmentedLogEntry {
    var json: JSONValue {
        [
            "path": .string(path), "size": .integer(size), "isDir": .bool(isDir),
            "modificationTime": .integer(modificationTime),
            "blockReplication": .integer(Int64(blockReplication)),
            "blockSize": .integer(blockSize), "action": .string(action),
        ]
    }

    init(_ object: JSONObject, _ lines: LogLines, _ line: Int) throws(StoreError) {
        path = try lines.string("path", in: object, line: line)
        size = try lines.integer("size", in: object, line: line)
        isDir = object["isDir"]?.boolValue ?? false
        modificationTime = try lines.integer("modificationTime", in: object, line: line)
        blockReplication = Int(object["blockReplication"]?.integerValue ?? 1)
        blockSize = object["blockSize"]?.integerValue ?? 0
        action = try lines.string("action", in: object, line: line)
    }
}

/// The manifest of a file sink's output folder: which files each committed batch published.
///
/// Executors write data files under unique names (`dataFileName`), fsynced; they count only once
/// the driver has committed the batch here: `<output>/_millrace_metadata/<batchId>`, line 1 `v1`,
/// then one JSON object per file. Readers of the folder (`FileListing`) see committed files only.
public struct FileSinkLog: Sendable {
    /// The folder's name under the output folder.
    public static let folderName = "_millrace_metadata"

    private let log: SegmentedLog<SinkFileStatus>

    /// Opens or makes the manifest of that output folder (a POSIX path). `compactInterval` is how
    /// many files of one age are merged into one, at least 2.
    public init(
        _ fileSystem: any FileSystem, output: String, compactInterval: Int = 10
    ) throws(StoreError) {
        log = try SegmentedLog(
            fileSystem, folder: StorePath.join(output, FileSinkLog.folderName),
            mergeWidth: compactInterval)
    }

    /// `part-<partition>-<uuid>-c000.<ext>`: the name an executor gives a data file.
    public static func dataFileName(partition: Int, uuid: String, ext: String) -> String {
        let digits = String(partition)
        let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return "part-\(padded)-\(uuid)-c000.\(ext)"
    }

    /// Publishes a batch's files, durable on return. False, and nothing is changed, if the batch
    /// was committed before (a repeated batch: its new files may be deleted by the caller, or be
    /// left).
    @discardableResult
    public func commit(_ batch: BatchID, _ files: [SinkFileStatus]) throws(StoreError) -> Bool {
        try log.add(batch.rawValue, files)
    }

    /// Batches are committed in order, so all up to the latest are.
    public func isCommitted(_ batch: BatchID) throws(StoreError) -> Bool {
        try latestBatch().map { batch <= $0 } ?? false
    }

    /// The newest committed batch.
    public func latestBatch() throws(StoreError) -> BatchID? {
        try log.latestBatch().map { BatchID($0) }
    }

    /// All files of all committed batches, in the order of the batches.
    public func allFiles() throws(StoreError) -> [SinkFileStatus] {
        let files = try log.entries(of: 0...Int.max)
        let deleted = Set(files.filter { $0.action == "delete" }.map(\.path))
        return files.filter { $0.action != "delete" && !deleted.contains($0.path) }
    }

    /// Whether an output folder has a manifest, that is, is to be read through it.
    public static func isPresent(
        _ fileSystem: any FileSystem, output: String
    ) throws(StoreError) -> Bool {
        try fileSystem.status(StorePath.join(output, folderName))?.isFolder == true
    }
}
