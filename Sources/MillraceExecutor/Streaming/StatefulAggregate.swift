import MillraceBase
import MillraceStore
import MillraceWire

/// A running aggregate by key: merges the batch's partial values into the state of this partition's
/// keys, makes the change durable, and puts out the keys that changed (or all of them).
///
/// Everything is done when the first row is asked for: a sink always reads to the end, and what it
/// gets is durable then. Repeating a batch gives the same rows again, for it starts from the same
/// version.
public struct StatefulAggregate<Key, Value>: PlanOperator {
    public let kernels: StateKernels<Key, Value>

    @inlinable public init(_ kernels: StateKernels<Key, Value>) { self.kernels = kernels }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        StatefulAggregateCursor(
            rows: try inputs.open(partition: partition, of: (Key, Value).self), kernels: kernels,
            input: try StateInput(decoding: inputs.input(partition: partition)),
            partition: partition,
            task: task)
    }
}

final class StatefulAggregateCursor<Key, Value>: Cursor<(Key, Value)> {
    private let rows: Cursor<(Key, Value)>
    private let kernels: StateKernels<Key, Value>
    private let input: StateInput
    private let partition: Int
    private let task: TaskContext
    private var state: StatePartition<Key, Value>?
    private var output: [Int] = []
    private var position = 0

    init(
        rows: Cursor<(Key, Value)>, kernels: StateKernels<Key, Value>, input: StateInput,
        partition: Int, task: TaskContext
    ) {
        self.rows = rows
        self.kernels = kernels
        self.input = input
        self.partition = partition
        self.task = task
    }

    /// Hands the partition back when the task is over, however it ended.
    deinit {
        if let state { StateRegistry.shared.put(state, input, partition: partition) }
    }

    override func next(into chunk: RowBuffer<(Key, Value)>) throws -> Bool {
        try task.killTaskIfInterrupted()
        chunk.removeAll()
        let state = try self.state ?? advance()
        let end = min(position + Chunk.rows, output.count)
        guard position < end else { return false }
        kernels.rows.function(state.table, output[position..<end], chunk)
        position = end
        return true
    }

    /// From the version before the batch to the one after it.
    private func advance() throws -> StatePartition<Key, Value> {
        let kept = StateRegistry.shared.take(input, partition: partition)
        let state =
            try kept as? StatePartition<Key, Value>
            ?? StatePartition(input, partition: partition, kernels)
        self.state = state
        let began = ContinuousClock.now
        let hasLoaded = try state.open(at: input.version)
        try state.merge(rows)
        try task.killTaskIfInterrupted()
        let merged = ContinuousClock.now
        let updated = state.table.changedCount
        output =
            input.emitsAll
            ? Array(0..<state.table.count) : (0..<updated).map { state.table.changedEntry($0) }
        let bytes = try state.commit(minDeltas: input.minDeltasForSnapshot)
        let committed = ContinuousClock.now
        task.metrics.named.append((StreamMetric.stateRows, Int64(state.table.count)))
        task.metrics.named.append((StreamMetric.stateUpdated, Int64(updated)))
        task.metrics.named.append((StreamMetric.stateMemory, Int64(state.table.memoryUsed)))
        task.metrics.named.append((StreamMetric.stateUpdateTime, (merged - began).nanoseconds))
        task.metrics.named.append((StreamMetric.stateCommitTime, (committed - merged).nanoseconds))
        task.metrics.named.append((StreamMetric.stateBytes, Int64(bytes)))
        if hasLoaded { task.metrics.named.append((StreamMetric.stateLoads, 1)) }
        return state
    }
}
