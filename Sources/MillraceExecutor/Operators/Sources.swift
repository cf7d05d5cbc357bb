import MillraceBase
import MillraceWire

/// The bytes of sources whose partitions are described by a few integers.
public enum SourceInput {
    public static func write(_ integers: Int..., into writer: inout ByteWriter) {
        for integer in integers { writer.writeSigned(Int64(integer)) }
    }

    /// Throws `ByteError` unless `bytes` are exactly `count` integers.
    static func integers(_ bytes: [UInt8], count: Int) throws -> [Int] {
        var reader = ByteReader(bytes)
        let integers = try (0..<count).map { _ in Int(try reader.readSigned()) }
        try reader.expectEnd()
        return integers
    }
}

/// A slice of the driver's data, which travels with the task: `parallelize`.
public struct ParallelizeSource<Element>: PlanOperator {
    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let bytes = try inputs.input(partition: partition)
        let rows = try RowCodec<Element>().rows(of: bytes)
        task.metrics.recordsRead += rows.count
        task.metrics.bytesRead += bytes.count
        return ArrayCursor(rows, task: task)
    }
}

/// Hands out an array in chunks.
public final class ArrayCursor<Element>: Cursor<Element> {
    private let rows: [Element]
    private var position = 0
    private let task: TaskContext

    public init(_ rows: [Element], task: TaskContext) {
        self.rows = rows
        self.task = task
    }

    public override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        try task.killTaskIfInterrupted()
        chunk.removeAll()
        let end = min(position + Chunk.rows, rows.count)
        chunk.append(contentsOf: rows[position..<end])
        position = end
        return !chunk.isEmpty
    }
}

/// Integers from a first one in equal steps. The input of a partition is (first, count, step).
public struct RangeSource: PlanOperator {
    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let parts = try SourceInput.integers(inputs.input(partition: partition), count: 3)
        guard parts[1] >= 0 else { throw PlanError("a range of \(parts[1]) numbers") }
        return RangeCursor(first: parts[0], count: parts[1], step: parts[2], task: task)
    }
}

final class RangeCursor: Cursor<Int> {
    private var value: Int
    private var left: Int
    private let step: Int
    private let task: TaskContext

    init(first: Int, count: Int, step: Int, task: TaskContext) {
        value = first
        left = count
        self.step = step
        self.task = task
    }

    override func next(into chunk: RowBuffer<Int>) throws -> Bool {
        try task.killTaskIfInterrupted()
        chunk.removeAll()
        let count = min(left, Chunk.rows)
        guard count > 0 else { return false }
        chunk.append(room: count) { rows in
            for index in 0..<count { rows[index] = value &+ index &* step }
            return count
        }
        value &+= count &* step
        left -= count
        task.metrics.recordsRead += count
        return true
    }
}
