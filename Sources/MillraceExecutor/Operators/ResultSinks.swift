import MillraceBase
import MillraceWire

/// Sends all rows of the partition to the driver: `collect`.
public struct CollectSink<Element>: PlanSink {
    public init() {}

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let codec = try RowCodec<Element>()
        let rows = try inputs.open(partition: partition, of: Element.self)
        var writer = ByteWriter()
        let chunk = RowBuffer<Element>()
        while try rows.next(into: chunk) {
            try task.killTaskIfInterrupted()
            try codec.encode(chunk, into: &writer)
        }
        return .result(writer.bytes)
    }
}

/// Sends the number of rows: `count`.
public struct CountSink<Element>: PlanSink {
    public init() {}

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let rows = try inputs.open(partition: partition, of: Element.self)
        let chunk = RowBuffer<Element>()
        var count = 0
        while try rows.next(into: chunk) {
            try task.killTaskIfInterrupted()
            count += chunk.count
        }
        var writer = ByteWriter(capacity: MemoryLayout<Int64>.size)
        writer.writeFixed(Int64(count))
        return .result(writer.bytes)
    }

    /// What `run` sent. Throws `ByteError` for anything else.
    public static func decode(_ bytes: ArraySlice<UInt8>) throws -> Int {
        guard bytes.count == MemoryLayout<Int64>.size else {
            throw ByteError(offset: 0, reason: "\(bytes.count) bytes are not a count")
        }
        return bytes.withUnsafeBytes {
            Int(Int64(littleEndian: $0.loadUnaligned(as: Int64.self)))
        }
    }
}

/// Sends the first `limit` rows and pulls no more than it needs: `take`.
public struct TakeSink<Element>: PlanSink {
    public let limit: Int
    public init(limit: Int) { self.limit = limit }

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let rows = try inputs.open(partition: partition, of: Element.self)
        var taken: [Element] = []
        let chunk = RowBuffer<Element>()
        while taken.count < limit, try rows.next(into: chunk) {
            try task.killTaskIfInterrupted()
            taken.append(contentsOf: chunk.prefix(limit - taken.count))
        }
        return .result(try RowCodec<Element>().bytes(of: taken))
    }
}

/// Sends what a kernel makes of the partition, usually one row or none: `reduce`, `aggregate`,
/// `top`, `foreach`.
public struct ReduceSink<Element, Result>: PlanSink {
    public typealias Kernel = @Sendable (Int, Cursor<Element>) throws -> [Result]
    public let kernel: Shipped<Kernel>

    @inlinable public init(_ kernel: @escaping Kernel) { self.kernel = Shipped(kernel) }

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let rows = try inputs.open(partition: partition, of: Element.self)
        return .result(try RowCodec<Result>().bytes(of: kernel.function(partition, rows)))
    }
}
