import MillraceBase

/// `offsets/<batchId>`: what a batch reads, written before it runs.
public typealias OffsetLog = MetadataLog<OffsetSeq>

/// One batch's end offsets, one per source in the program's order, with what else makes the batch
/// repeatable. Spark's `OffsetSeq`, in its v1 text:
///
///     v1
///     {"batchWatermarkMs":0,"batchTimestampMs":1700000000000,"conf":{}}
///     {"lines":{"0":12}}
///     -
public struct OffsetSeq: Hashable, Sendable {
    public var metadata: OffsetSeqMetadata
    /// JSON as the source wrote it, one line; nil where the source has no offset yet.
    public var offsets: [String?]

    public init(metadata: OffsetSeqMetadata, offsets: [String?]) {
        self.metadata = metadata
        self.offsets = offsets
    }
}

/// What holds for the whole batch.
public struct OffsetSeqMetadata: Hashable, Sendable {
    /// Event time watermark that the batch drops late rows by, in ms since 1970; 0 before any.
    public var batchWatermarkMs: Int64
    /// The batch's processing time, in ms since 1970: the same again when the batch is repeated.
    public var batchTimestampMs: Int64
    /// Settings fixed for the query's life (number of key groups, formats); written sorted by key.
    public var conf: [String: String]

    public init(
        batchWatermarkMs: Int64 = 0, batchTimestampMs: Int64 = 0, conf: [String: String] = [:]
    ) {
        self.batchWatermarkMs = batchWatermarkMs
        self.batchTimestampMs = batchTimestampMs
        self.conf = conf
    }
}

extension OffsetSeq: MetadataLogEntry {
    public func encode() -> [UInt8] {
        let conf = metadata.conf.sorted { $0.key < $1.key }.map {
            ($0.key, JSONValue.string($0.value))
        }
        let header: JSONValue = [
            "batchWatermarkMs": .integer(metadata.batchWatermarkMs),
            "batchTimestampMs": .integer(metadata.batchTimestampMs),
            "conf": .object(JSONObject(conf)),
        ]
        var text = Array("v1\n".utf8)
        header.write(into: &text)
        for offset in offsets {
            precondition(offset?.utf8.contains(0x0A) != true, "an offset is one line of JSON")
            text.append(0x0A)
            text.append(contentsOf: (offset ?? "-").utf8)
        }
        return text
    }

    public init(decoding bytes: [UInt8], path: String) throws(StoreError) {
        let lines = try LogLines(bytes, path: path, version: "v1")
        let header = try lines.object(1, "the batch's metadata")
        metadata = OffsetSeqMetadata(
            batchWatermarkMs: try lines.integer("batchWatermarkMs", in: header, line: 1),
            batchTimestampMs: try lines.integer("batchTimestampMs", in: header, line: 1))
        for member in header["conf"]?.objectValue?.members ?? [] {
            guard let value = member.value.stringValue else {
                throw lines.failure(1, "\"conf\".\"\(member.name)\" is expected to be a string")
            }
            metadata.conf[member.name] = value
        }
        offsets = []
        for index in 2..<max(lines.count, 2) {
            let line = lines[index]
            if line != "-" { _ = try lines.json(index, "a source's offset as JSON, or \"-\"") }
            offsets.append(line == "-" ? nil : line)
        }
    }
}
