import MillraceBase
import MillraceCore
import MillraceWire

/// The rows of a dataset that the user persisted: read where they are kept, else computed and kept.
///
/// Stands over the operator that computes them. Which dataset it is comes with the stage, as the
/// shuffles do, so that the plan is the same in each run.
public struct PersistedRows<Element>: PlanOperator {
    /// Counts the stage's persisted datasets from 0.
    public let slot: Int
    public init(slot: Int) { self.slot = slot }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let compute = { try inputs.open(partition: partition, of: Element.self) }
        guard let blocks = task.blocks else { return try compute() }
        return try PersistedCursor(
            blocks: blocks, persisted: blocks.persisted(slot), partition: partition, task: task,
            compute: compute)
    }
}

/// Looks for the block when the first row is wanted.
private final class PersistedCursor<Element>: Cursor<Element> {
    private let blocks: TaskBlocks
    private let persisted: PersistedRDD
    private let partition: Int
    private let task: TaskContext
    private var compute: (() throws -> Cursor<Element>)?
    private var rows: Cursor<Element>?

    init(
        blocks: TaskBlocks, persisted: PersistedRDD, partition: Int, task: TaskContext,
        compute: @escaping () throws -> Cursor<Element>
    ) {
        self.blocks = blocks
        self.persisted = persisted
        self.partition = partition
        self.task = task
        self.compute = compute
    }

    override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        if let rows { return try rows.next(into: chunk) }
        guard let compute = compute.take() else {
            chunk.removeAll()
            return false
        }
        let opened = try blocks.rows(
            persisted, partition: partition, task: task, compute: compute)
        rows = opened
        return try opened.next(into: chunk)
    }
}
