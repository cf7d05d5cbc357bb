import MillraceWire

/// Turns each chunk of rows into another one: `map`, `keyBy`, `mapValues`, … One kernel call per
/// chunk.
public struct MapChunks<Input, Output>: PlanOperator {
    /// Appends to the second buffer what becomes of the rows of the first, which it may use up. The
    /// second one is empty.
    public typealias Kernel = @Sendable (RowBuffer<Input>, RowBuffer<Output>) throws -> Void
    public let kernel: Shipped<Kernel>

    @inlinable public init(_ kernel: @escaping Kernel) { self.kernel = Shipped(kernel) }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        MapChunksCursor(
            child: try inputs.open(partition: partition, of: Input.self), kernel: kernel.function)
    }
}

final class MapChunksCursor<Input, Output>: Cursor<Output> {
    private let child: Cursor<Input>
    private let kernel: MapChunks<Input, Output>.Kernel
    private let buffer = RowBuffer<Input>()

    init(child: Cursor<Input>, kernel: @escaping MapChunks<Input, Output>.Kernel) {
        self.child = child
        self.kernel = kernel
    }

    override func next(into chunk: RowBuffer<Output>) throws -> Bool {
        while true {
            chunk.removeAll()
            guard try child.next(into: buffer) else { return false }
            try kernel(buffer, chunk)
            if !chunk.isEmpty { return true }
        }
    }
}

/// Changes each chunk in place: `filter`. The rows stay in the child's buffer.
public struct EditChunks<Element>: PlanOperator {
    public typealias Kernel = @Sendable (RowBuffer<Element>) throws -> Void
    public let kernel: Shipped<Kernel>

    @inlinable public init(_ kernel: @escaping Kernel) { self.kernel = Shipped(kernel) }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        EditChunksCursor(
            child: try inputs.open(partition: partition, of: Element.self), kernel: kernel.function)
    }
}

final class EditChunksCursor<Element>: Cursor<Element> {
    private let child: Cursor<Element>
    private let kernel: EditChunks<Element>.Kernel

    init(child: Cursor<Element>, kernel: @escaping EditChunks<Element>.Kernel) {
        self.child = child
        self.kernel = kernel
    }

    override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        while try child.next(into: chunk) {
            try kernel(chunk)
            if !chunk.isEmpty { return true }
        }
        return false
    }
}

/// Puts the next rows into an empty buffer and says true, or says false at the end. Made by kernels
/// where the user's types are known, called once per chunk.
public typealias Pull<Element> = (RowBuffer<Element>) throws -> Bool

/// Turns one partition's rows as a whole into another's: `flatMap`, `mapPartitions`, aggregation,
/// sorting within a partition. The kernel gets the partition's number and its rows, and gives back
/// how to pull the result.
public struct MapPartition<Input, Output>: PlanOperator {
    public typealias Kernel = @Sendable (Int, Cursor<Input>) throws -> Pull<Output>
    public let kernel: Shipped<Kernel>

    @inlinable public init(_ kernel: @escaping Kernel) { self.kernel = Shipped(kernel) }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let rows = try inputs.open(partition: partition, of: Input.self)
        return PullCursor(try kernel.function(partition, rows))
    }
}

/// Turns the same partition of two datasets into one of another: cogroup, joins, zip.
public struct MapPartitionPair<Left, Right, Output>: PlanOperator {
    public typealias Kernel = @Sendable (Int, Cursor<Left>, Cursor<Right>) throws -> Pull<Output>
    public let kernel: Shipped<Kernel>

    @inlinable public init(_ kernel: @escaping Kernel) { self.kernel = Shipped(kernel) }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let left = try inputs.open(0, partition: partition, of: Left.self)
        let right = try inputs.open(1, partition: partition, of: Right.self)
        return PullCursor(try kernel.function(partition, left, right))
    }
}

/// A cursor over a `Pull`.
public final class PullCursor<Element>: Cursor<Element> {
    private let pull: Pull<Element>
    private var isAtEnd = false

    public init(_ pull: @escaping Pull<Element>) { self.pull = pull }

    public override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        while !isAtEnd {
            // A partition's worth of rows may come out of one chunk that went in.
            try TaskContext.current?.killTaskIfInterrupted()
            chunk.removeAll()
            isAtEnd = try !pull(chunk)
            if !chunk.isEmpty { return true }
        }
        chunk.removeAll()
        return false
    }
}
