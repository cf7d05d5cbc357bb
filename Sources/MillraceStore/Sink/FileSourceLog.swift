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

extension SourceFileEntry: SegmentedLogEntry {
    var json: JSONValue {
        [
            "path": .string(path), "timestamp": .integer(timestamp),
            "batchId": .integer(batchId),
        ]
    }

    init(_ object: JSONObject, _ lines: LogLines, _ line: Int) throws(StoreError) {
        path = try lines.string("path", in: object, line: line)
        timestamp = try lines.integer("timestamp", in: object, line: line)
        batchId = try lines.integer("batchId", in: object, line: line)
    }
}

/// The files that a directory source has seen, by the batch of the source that they went into:
/// `sources/<i>/<batch>`, Spark's `FileStreamSourceLog`.
///
/// The source's offset is `{"logOffset":N}`: all files of its batches 0...N.
public struct FileSourceLog: Sendable {
    private let log: SegmentedLog<SourceFileEntry>

    /// Opens or makes the log; `folder` is `CheckpointDirectory.sourceFolder(i)`.
    /// `compactInterval` is how many files of one age are merged into one, at least 2.
    public init(
        _ fileSystem: any FileSystem, folder: String, compactInterval: Int = 10
    ) throws(StoreError) {
        log = try SegmentedLog(fileSystem, folder: folder, mergeWidth: compactInterval)
    }

    /// The newest batch of the source, -1 if there is none: the source's offset.
    public func latestOffset() throws(StoreError) -> Int { try log.latestBatch() ?? -1 }

    /// The files of batches `range` (of the source), in order.
    public func files(in range: ClosedRange<Int>) throws(StoreError) -> [SourceFileEntry] {
        try log.entries(of: range).filter { range.contains(Int($0.batchId)) }
    }

    /// Every path seen so far.
    public func seenPaths() throws(StoreError) -> Set<String> {
        Set(try log.entries(of: 0...Int.max).map(\.path))
    }

    /// Records the files of the next batch (their `batchId` is set here); durable on return. Throws
    /// `.concurrentUpdate` if the log reaches that batch already.
    public func add(_ batch: Int, _ files: [SourceFileEntry]) throws(StoreError) {
        let entries = files.map {
            SourceFileEntry(path: $0.path, timestamp: $0.timestamp, batchId: Int64(batch))
        }
        guard try log.add(batch, entries) else {
            throw StoreError(
                .concurrentUpdate, "add batch \(batch) to", log.folder,
                "it is there already: another driver runs on this checkpoint")
        }
    }
}
