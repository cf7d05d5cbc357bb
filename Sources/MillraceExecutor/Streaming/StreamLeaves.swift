import MillraceBase
import MillraceStore
import MillraceWire

/// A leaf of a streaming plan: counts its rows for the progress report.
open class StreamLeafCursor<Element>: Cursor<Element> {
    public let task: TaskContext
    private var count = 0
    private var isAtEnd = false

    public init(task: TaskContext) { self.task = task }

    /// Puts the next rows into the empty `chunk`; false at the end.
    open func read(into chunk: RowBuffer<Element>) throws -> Bool {
        preconditionFailure("StreamLeafCursor.read is to be overridden")
    }

    public final override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        chunk.removeAll()
        while !isAtEnd {
            try task.killTaskIfInterrupted()
            isAtEnd = try !read(into: chunk)
            count += chunk.count
            if isAtEnd {
                task.metrics.recordsRead += count
                task.metrics.named.append((StreamMetric.inputRows, Int64(count)))
            }
            if !chunk.isEmpty { return true }
        }
        return false
    }
}

/// Rows that travel with the task: memory streams and sockets.
public struct StreamRows<Element>: PlanOperator {
    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let bytes = try inputs.input(partition: partition)
        task.metrics.bytesRead += bytes.count
        return StreamRowsCursor(try RowCodec<Element>().rows(of: bytes), task: task)
    }
}

final class StreamRowsCursor<Element>: StreamLeafCursor<Element> {
    private var rows: [Element]
    private var position = 0

    init(_ rows: [Element], task: TaskContext) {
        self.rows = rows
        super.init(task: task)
    }

    override func read(into chunk: RowBuffer<Element>) throws -> Bool {
        let end = min(position + Chunk.rows, rows.count)
        chunk.append(contentsOf: rows[position..<end])
        position = end
        return position < rows.count
    }
}

/// A row of the sources `rate` and `rate-micro-batch`.
public struct RateRow: Hashable, Sendable, Codable {
    /// Milliseconds since 1970.
    public var timestampMs: Int64
    public var value: Int64

    @inlinable public init(timestampMs: Int64, value: Int64) {
        self.timestampMs = timestampMs
        self.value = value
    }
}

/// Generated rows. A partition's input says which.
public struct RateRows: PlanOperator {
    /// Every `step`th value from `first` up to but without `end`.
    public struct Input: Hashable, Sendable {
        public var first: Int64
        public var end: Int64
        public var step: Int64
        /// The value that has the timestamp `startMs`; later ones have one `msPerValue` later each.
        public var origin: Int64
        public var startMs: Int64
        public var msPerValue: Double

        public init(
            first: Int64, end: Int64, step: Int64, origin: Int64, startMs: Int64, msPerValue: Double
        ) {
            self.first = first
            self.end = end
            self.step = step
            self.origin = origin
            self.startMs = startMs
            self.msPerValue = msPerValue
        }

        public func encode() -> [UInt8] {
            var writer = ByteWriter(capacity: 48)
            for integer in [first, end, step, origin, startMs] { writer.writeSigned(integer) }
            writer.writeDouble(msPerValue)
            return writer.bytes
        }

        public init(decoding bytes: [UInt8]) throws {
            var reader = ByteReader(bytes)
            first = try reader.readSigned()
            end = try reader.readSigned()
            step = try reader.readSigned()
            origin = try reader.readSigned()
            startMs = try reader.readSigned()
            msPerValue = try reader.readDouble()
            guard step > 0, origin <= first else { throw reader.failure("a step of \(step)") }
            try reader.expectEnd()
        }
    }

    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        RateRowsCursor(try Input(decoding: inputs.input(partition: partition)), task: task)
    }
}

final class RateRowsCursor: StreamLeafCursor<RateRow> {
    private let input: RateRows.Input
    private var value: Int64

    init(_ input: RateRows.Input, task: TaskContext) {
        self.input = input
        value = input.first
        super.init(task: task)
    }

    override func read(into chunk: RowBuffer<RateRow>) throws -> Bool {
        while value < input.end, chunk.count < Chunk.rows {
            let relative = Double(value - input.origin) * input.msPerValue
            chunk.append(
                RateRow(
                    timestampMs: input.startMs + Int64((relative + 0.5).rounded(.down)),
                    value: value))
            let (next, overflow) = value.addingReportingOverflow(input.step)
            value = overflow ? input.end : next
        }
        return value < input.end
    }
}

/// The lines of whole text files. A partition's input is a list of paths.
public struct TextFileLines: PlanOperator {
    public static func encode(_ paths: [String]) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeCount(paths.count)
        for path in paths { writer.writeString(path) }
        return writer.bytes
    }

    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        var reader = ByteReader(try inputs.input(partition: partition))
        let paths = try (0..<(try reader.readCount())).map { _ in try reader.readString() }
        return TextFileLinesCursor(paths, task: task)
    }
}

final class TextFileLinesCursor: StreamLeafCursor<String> {
    private var paths: ArraySlice<String>
    private var file: (any ReadableFile)?
    private var offset = 0
    /// What was read and not handed out: the beginning of a line.
    private var rest: [UInt8] = []
    private static let blockSize = 256 << 10

    init(_ paths: [String], task: TaskContext) {
        self.paths = paths[...]
        super.init(task: task)
    }

    override func read(into chunk: RowBuffer<String>) throws -> Bool {
        if file == nil {
            guard let path = paths.popFirst() else { return false }
            file = try PosixFileSystem().open(path)
            offset = 0
        }
        guard let file else { return false }
        let block = try file.read(at: offset, count: Self.blockSize)
        offset += block.count
        task.metrics.bytesRead += block.count
        if block.isEmpty {
            if !rest.isEmpty { chunk.append(line(rest[...])) }
            rest.removeAll(keepingCapacity: true)
            self.file = nil
            return true
        }
        rest.append(contentsOf: block)
        var start = 0
        while let end = rest[start...].firstIndex(of: 0x0A) {
            chunk.append(line(rest[start..<end]))
            start = end + 1
        }
        rest.removeSubrange(0..<start)
        return true
    }

    /// Without the end of the line, in both forms; what is not UTF-8 is repaired.
    private func line(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.last == 0x0D ? bytes.dropLast() : bytes, as: UTF8.self)
    }
}
