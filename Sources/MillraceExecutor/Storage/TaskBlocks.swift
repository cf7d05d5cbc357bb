import MillraceBase
import MillraceCore
import MillraceWire

/// One task's way to persisted datasets: the local numbers of its plan bound to datasets, and where
/// other executors keep their blocks.
public final class TaskBlocks {
    private let manager: BlockManager
    private let bound: [PersistedRDD]
    /// Other executors that have a block, best first; and how to get it from one of them.
    private let holders: (RDDBlockID) -> [ExecutorID]
    private let fetch: (RDDBlockID, ExecutorID) throws -> [UInt8]

    init(
        manager: BlockManager, persisted: [PersistedRDD],
        holders: @escaping (RDDBlockID) -> [ExecutorID] = { _ in [] },
        fetch: @escaping (RDDBlockID, ExecutorID) throws -> [UInt8] = { _, _ in [] }
    ) {
        self.manager = manager
        bound = persisted
        self.holders = holders
        self.fetch = fetch
    }

    /// The dataset of a plan's slot.
    func persisted(_ slot: Int) throws -> PersistedRDD {
        guard bound.indices.contains(slot) else {
            throw PlanError("the stage persists \(bound.count) datasets, not \(slot + 1)")
        }
        return bound[slot]
    }

    /// The rows of a partition: from here, from another executor, or computed and kept.
    func rows<Element>(
        _ persisted: PersistedRDD, partition: Int, task: TaskContext,
        compute: () throws -> Cursor<Element>
    ) throws -> Cursor<Element> {
        let block = RDDBlockID(rdd: persisted.rdd, partition: partition)
        if let rows = try manager.rows(block, of: Element.self, task: task) { return rows }
        if let rows: Cursor<Element> = try fetched(block, task) { return rows }
        return try BlockFill.rows(
            try compute(), block, level: persisted.level, manager: manager, task: task)
    }

    /// From the first holder that still has it. One that fails costs a computation, not the task.
    private func fetched<Element>(
        _ block: RDDBlockID, _ task: TaskContext
    ) throws -> Cursor<Element>? {
        for holder in holders(block) {
            try task.killTaskIfInterrupted()
            do {
                var frames = try BlockFrames.split(try fetch(block, holder), of: block)[...]
                return FrameCursor(block, try RowCodec<Element>(), task: task) {
                    frames.popFirst()
                }
            } catch {
                Log.info(
                    "executor", "a cached block is computed again",
                    ["block": block, "holder": holder.rawValue, "reason": error])
            }
        }
        return nil
    }
}
