import MillraceBase
import MillraceCore
import MillraceWire
import Synchronization

/// Batches under grants: what the driver and other executors say about them.
extension ExecutorRuntime {
    func add(_ grants: [Grant]) {
        state.withLock { state in
            for grant in grants { state.grants.add(grant, on: executor) }
        }
    }

    /// Throws `PlanError` for a batch that fits no grant here.
    func begin(_ batch: GrantedBatch) throws(PlanError) {
        let (ready, over) = try state.withLock { state throws(PlanError) in
            let (ready, over) = try state.grants.begin(batch, plans: plans)
            state.remember(ready)
            return (ready.tasks, over)
        }
        if !over.isEmpty { remove(over) }
        if !ready.isEmpty { queue.push(ready) }
    }

    /// From any thread: a map output that tasks here wait for, or will.
    func deliver(_ output: MapOutputReady) {
        let ready = state.withLock { state in
            let ready = state.grants.take(output)
            state.remember(ready)
            return ready.tasks
        }
        if !ready.isEmpty { queue.push(ready) }
    }

    /// Every task of the grant that hasn't ended ends, and its end is reported. The map outputs
    /// stay: whoever runs the rest of the batch reads them.
    func revoke(_ grant: GrantID) {
        guard let taken = state.withLock({ $0.grants.remove(grant) }) else { return }
        let reason = "its grant was taken back"
        for work in taken.parked {
            report(.ended(TaskEnd(task: work.task.id, reason: .killed(reason: reason))))
        }
        kill(taken.tasks.map { .init(task: TaskID($0), reason: reason) })
    }

    func end(_ grant: GrantID) {
        guard let taken = state.withLock({ $0.grants.remove(grant) }) else { return }
        remove(taken.shuffles)
    }

    // MARK: On a task thread

    /// Announces a granted map task's output to those who read it, before its end is reported: who
    /// waits for it goes on at once.
    func announce(_ sizes: BlockSizes, of work: QueuedTask) {
        guard let stage = work.stage, let readers = stage.readers,
            let shuffle = stage.setup.outputShuffle
        else { return }
        let status = MapStatus(
            executor: executor, mapTask: work.task.id, mapIndex: work.task.partition, sizes: sizes)
        for (reader, reducers) in readers.places {
            var ready = MapOutputReady(grant: readers.grant, shuffle: shuffle, status: status)
            if reader == executor {
                deliver(ready)
            } else {
                ready.blocks = smallBlocks(shuffle, status, reducers)
                fetcher.tell(reader, ready.encode())
            }
        }
    }

    private func smallBlocks(
        _ shuffle: ShuffleID, _ status: MapStatus, _ reducers: [Int]
    ) -> [MapOutputReady.Block] {
        var blocks: [MapOutputReady.Block] = []
        var room = MapOutputReady.largestBlocks
        for reduce in reducers where status.sizes[reduce] > 0 {
            let block = try? mapOutputStore.block(
                shuffle: shuffle, task: status.mapTask, reduce: reduce)
            guard case .memory(let bytes)? = block, bytes.count <= min(maxInlineBlock, room)
            else { continue }
            room -= bytes.count
            blocks.append(.init(reduce: reduce, bytes: bytes))
        }
        return blocks
    }
}
