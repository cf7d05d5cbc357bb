import MillraceWire

/// Partitions of several datasets, one dataset's after the other's.
public struct Union<Element>: PlanOperator {
    /// Number of partitions of each child.
    public let counts: [Int]

    public init(counts: [Int]) { self.counts = counts }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        var first = 0
        for (child, count) in counts.enumerated() {
            if partition < first + count {
                return try inputs.open(child, partition: partition - first, of: Element.self)
            }
            first += count
        }
        throw PlanError("a union of \(first) partitions has none with number \(partition)")
    }
}

/// Several partitions of the child as one, without moving rows: `coalesce`.
public struct Coalesce<Element>: PlanOperator {
    /// Where each group of the child's partitions begins, and as the last value their count.
    public let starts: [Int]

    public init(starts: [Int]) { self.starts = starts }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        guard partition >= 0, partition + 1 < starts.count else {
            throw PlanError(
                "coalesce to \(starts.count - 1) partitions has none with number \(partition)")
        }
        var next = starts[partition]
        let end = starts[partition + 1]
        var current: Cursor<Element>?
        return PullCursor<Element> { chunk in
            while true {
                if let cursor = current, try cursor.next(into: chunk) { return true }
                guard next < end else { return false }
                current = try inputs.open(partition: next, of: Element.self)
                next += 1
            }
        }
    }
}

/// Rows with their number, counted over all partitions in order. Gets each partition's first number
/// as its input.
public struct ZipWithIndex<Element>: PlanOperator {
    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let child = try inputs.open(partition: partition, of: Element.self)
        var number = try SourceInput.integers(inputs.input(partition: partition), count: 1)[0]
        let buffer = RowBuffer<Element>()
        return PullCursor<(Element, Int)> { chunk in
            guard try child.next(into: buffer) else { return false }
            chunk.reserveCapacity(buffer.count)
            buffer.moveEach { row in
                chunk.append((row, number))
                number += 1
            }
            return true
        }
    }
}
