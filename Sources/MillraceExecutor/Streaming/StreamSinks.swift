import MillraceBase
import MillraceStore
import MillraceWire

/// Reads all rows and keeps none: for benchmarks, where the sink is to cost nothing.
public struct NoopSink<Element>: PlanSink {
    public init() {}

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let rows = try inputs.open(partition: partition, of: Element.self)
        let chunk = RowBuffer<Element>()
        var count = 0
        while try rows.next(into: chunk) { count += chunk.count }
        task.metrics.named.append((StreamMetric.outputRows, Int64(count)))
        return .result([])
    }
}

/// Sends all rows to the driver: console, memory, `foreachBatch`.
public struct StreamCollectSink<Element>: PlanSink {
    public init() {}

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let codec = try RowCodec<Element>()
        let rows = try inputs.open(partition: partition, of: Element.self)
        var writer = ByteWriter()
        let chunk = RowBuffer<Element>()
        var count = 0
        while try rows.next(into: chunk) {
            count += chunk.count
            try codec.encode(chunk, into: &writer)
        }
        task.metrics.named.append((StreamMetric.outputRows, Int64(count)))
        return .result(writer.bytes)
    }
}

/// Calls the user's function for each row, on the executors. A row may be seen again when a task or
/// batch is repeated.
public struct ForeachSink<Element>: PlanSink {
    public typealias Kernel = @Sendable (RowBuffer<Element>) throws -> Void
    public let kernel: Shipped<Kernel>

    @inlinable public init(_ kernel: @escaping Kernel) { self.kernel = Shipped(kernel) }

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let rows = try inputs.open(partition: partition, of: Element.self)
        let chunk = RowBuffer<Element>()
        var count = 0
        while try rows.next(into: chunk) {
            count += chunk.count
            try kernel.function(chunk)
        }
        task.metrics.named.append((StreamMetric.outputRows, Int64(count)))
        return .result([])
    }
}

/// Writes the partition's lines to a file of its own in the output folder, durable when the task
/// ends. The driver counts it in when it commits the batch; a file of a failed attempt is never
/// read by anyone.
public struct LineFileSink<Element>: PlanSink {
    /// Appends each row as a line with its end.
    public typealias Kernel = @Sendable (RowBuffer<Element>, inout [UInt8]) throws -> Void
    /// Where, as a POSIX path.
    public let folder: String
    /// `txt` or `json`.
    public let ext: String
    public let kernel: Shipped<Kernel>

    @inlinable public init(folder: String, ext: String, _ kernel: @escaping Kernel) {
        self.folder = folder
        self.ext = ext
        self.kernel = Shipped(kernel)
    }

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let rows = try inputs.open(partition: partition, of: Element.self)
        let fileSystem = PosixFileSystem()
        let chunk = RowBuffer<Element>()
        var bytes: [UInt8] = []
        var count = 0
        guard try rows.next(into: chunk) else {
            task.metrics.named.append((StreamMetric.outputRows, 0))
            return .result([])
        }
        let path = StorePath.join(
            folder,
            FileSinkLog.dataFileName(partition: partition, uuid: UUIDText.random(), ext: ext))
        let file = try fileSystem.create(path, exclusively: true)
        do {
            repeat {
                count += chunk.count
                bytes.removeAll(keepingCapacity: true)
                try kernel.function(chunk, &bytes)
                try file.write(bytes)
                task.metrics.bytesWritten += bytes.count
            } while try rows.next(into: chunk)
            try file.sync()
            try file.close()
            try fileSystem.syncFolder(folder)
            try task.requestCommit()
        } catch {
            try? fileSystem.delete(path)
            throw error
        }
        task.metrics.recordsWritten += count
        task.metrics.named.append((StreamMetric.outputRows, Int64(count)))
        return .result(try WrittenFile(path: path, fileSystem).encode())
    }
}

/// A file that a task wrote, as it is told to the driver.
public struct WrittenFile: Hashable, Sendable {
    public var path: String
    public var size: Int64
    /// Milliseconds since 1970.
    public var modifiedMs: Int64

    init(path: String, _ fileSystem: any FileSystem) throws {
        guard let status = try fileSystem.status(path) else {
            throw StoreError(.notFound, "inspect", path, "it was there a moment ago")
        }
        self.path = path
        size = Int64(status.size)
        modifiedMs = status.modifiedMs
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.writeString(path)
        writer.writeSigned(size)
        writer.writeSigned(modifiedMs)
        return writer.bytes
    }

    /// Nil for a task that wrote nothing.
    public init?(decoding bytes: [UInt8]) throws {
        if bytes.isEmpty { return nil }
        var reader = ByteReader(bytes)
        path = try reader.readString()
        size = try reader.readSigned()
        modifiedMs = try reader.readSigned()
        try reader.expectEnd()
    }
}
