import MillraceBase
import MillraceStore
import MillraceWire

/// A part of a text file, or a whole gzip file: the input of one partition of `textFile`.
public struct TextSplit: Hashable, Sendable {
    public var path: String
    /// First byte of the split.
    public var start: Int
    /// Bytes; of a gzip file the compressed ones.
    public var length: Int
    public var isGzip: Bool

    public init(path: String, start: Int, length: Int, isGzip: Bool) {
        self.path = path
        self.start = start
        self.length = length
        self.isGzip = isGzip
    }

    public func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.writeString(path)
        writer.writeCount(start)
        writer.writeCount(length)
        writer.writeBool(isGzip)
        return writer.bytes
    }

    /// Throws `ByteError` for bytes that `encode` did not write.
    public init(decoding bytes: [UInt8]) throws {
        var reader = ByteReader(bytes)
        path = try reader.readString()
        let start = try reader.readVarint()
        let length = try reader.readVarint()
        guard start < 1 << 62, length < 1 << 62 else { throw reader.failure("a split beyond 2^62") }
        self.start = Int(start)
        self.length = Int(length)
        isGzip = try reader.readBool()
        try reader.expectEnd()
    }
}

/// Reads the lines of a split: `textFile`.
public struct TextFileSource: PlanOperator {
    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let split = try TextSplit(decoding: inputs.input(partition: partition))
        return try TextFileCursor(split, fileSystem: PosixFileSystem(), task: task)
    }
}

final class TextFileCursor: Cursor<String> {
    private var lines: LineReader
    private let task: TaskContext

    init(_ split: TextSplit, fileSystem: any FileSystem, task: TaskContext) throws {
        self.task = task
        do {
            let file = try fileSystem.open(split.path)
            if split.isGzip {
                let bytes = try GzipBytes(FileBytes(file, offset: 0), path: split.path)
                lines = try LineReader(bytes, start: 0, end: Int.max)
            } else {
                lines = try LineReader(
                    FileBytes(file, offset: max(split.start - 1, 0)), start: split.start,
                    end: split.start + split.length)
            }
        } catch let error as StoreError {
            throw error.asMillraceError
        }
        task.metrics.bytesRead += split.length
    }

    override func next(into chunk: RowBuffer<String>) throws -> Bool {
        try task.killTaskIfInterrupted()
        chunk.removeAll()
        guard try lines.next(Chunk.rows, into: chunk) else { return false }
        task.metrics.recordsRead += chunk.count
        return true
    }
}
