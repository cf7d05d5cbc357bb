import MillraceBase

/// `commits/<batchId>`: the batch is done, its state and its sink's part are durable.
public typealias CommitLog = MetadataLog<CommitMetadata>

/// What the next batch needs to know of this one. Spark's `CommitMetadata`, in its v1 text:
///
///     v1
///     {"nextBatchWatermarkMs":0}
public struct CommitMetadata: Hashable, Sendable {
    /// Event time watermark of the next batch, in ms since 1970.
    public var nextBatchWatermarkMs: Int64

    public init(nextBatchWatermarkMs: Int64 = 0) {
        self.nextBatchWatermarkMs = nextBatchWatermarkMs
    }
}

extension CommitMetadata: MetadataLogEntry {
    public func encode() -> [UInt8] {
        Array("v1\n{\"nextBatchWatermarkMs\":\(nextBatchWatermarkMs)}".utf8)
    }

    public init(decoding bytes: [UInt8], path: String) throws(StoreError) {
        let lines = try LogLines(bytes, path: path, version: "v1")
        let object = try lines.object(1, "the commit's metadata")
        nextBatchWatermarkMs = try lines.integer("nextBatchWatermarkMs", in: object, line: 1)
    }
}
