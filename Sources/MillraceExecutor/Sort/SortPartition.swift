import MillraceBase
import MillraceStore
import MillraceWire

/// The rows of a partition in the order of their keys, however many there are: sorted in memory as
/// far as memory is granted, else in sorted runs on disk that are merged. Spark's ExternalSorter.
public struct SortPartition<Key, Value>: PlanOperator {
    /// Sorts a buffer in place.
    public typealias Sort = @Sendable (RowBuffer<(Key, Value)>) throws -> Void
    /// Appends up to so many of the next rows of several runs, in order; false when there are none.
    public typealias Merge =
        @Sendable (RunMerge<Key, Value>, Int, RowBuffer<(Key, Value)>) throws -> Bool
    public let sort: Shipped<Sort>
    public let merge: Shipped<Merge>

    @inlinable public init(sort: @escaping Sort, merge: @escaping Merge) {
        self.sort = Shipped(sort)
        self.merge = Shipped(merge)
    }

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        SortCursor(
            child: try inputs.open(partition: partition, of: (Key, Value).self),
            sort: sort.function, merge: merge.function, codec: try RowCodec(), task: task)
    }
}

/// The child's rows, all taken in before the first one comes out.
///
/// Its consumer never has less than what is here: rows that have no room become a run, before they
/// are sorted and also afterwards, when somebody further down the plan needs the memory.
final class SortCursor<Key, Value>: Cursor<(Key, Value)> {
    typealias Row = (Key, Value)

    private enum Output {
        case rows(RowQueue<Row>)
        /// The rest of them, after they had to go.
        case run(RunReader<Row>)
        case merge(RunMerge<Key, Value>)
    }

    private let child: Cursor<Row>
    private let sort: SortPartition<Key, Value>.Sort
    private let merge: SortPartition<Key, Value>.Merge
    private let task: TaskContext
    private var rows = RowBuffer<Row>()
    /// Rows that fit into `rows` without growing.
    private var room = 0
    private var footprint: RowFootprint<Row>
    private var runs: SpilledRuns<Key, Value>?
    private var consumer: MemoryConsumer?
    private var output: Output?

    init(
        child: Cursor<Row>, sort: @escaping SortPartition<Key, Value>.Sort,
        merge: @escaping SortPartition<Key, Value>.Merge, codec: RowCodec<Row>, task: TaskContext
    ) {
        self.child = child
        self.sort = sort
        self.merge = merge
        self.task = task
        footprint = RowFootprint(codec)
        super.init()
        if let folder = task.shuffle.spills {
            runs = SpilledRuns(codec, of: "a sort", in: folder)
            consumer = task.memory.consumer("sort") { [unowned self] _ in try spill() }
        }
    }

    deinit { consumer?.close() }

    override func next(into chunk: RowBuffer<Row>) throws -> Bool {
        if output == nil { output = try load() }
        try task.killTaskIfInterrupted()
        chunk.removeAll()
        switch output {
        case .rows(let queue):
            if queue.move(upTo: Chunk.rows, to: chunk) { return true }
            consumer?.shrink(to: 0)
            return false
        case .run(let reader): return try reader.move(into: chunk)
        case .merge(let runs): return try merge(runs, Chunk.rows, chunk)
        case nil: return false
        }
    }

    /// Takes all of the child's rows; the order is made then.
    private func load() throws -> Output {
        let chunk = RowBuffer<Row>()
        while try child.next(into: chunk) {
            footprint.measure(chunk.rows)
            try makeRoom(chunk.count)
            rows.append(moving: chunk)
        }
        if let consumer, var runs, !runs.isEmpty {
            _ = try spill()
            runs = self.runs!
            self.runs = nil
            return .merge(
                try runs.merged(for: consumer, bytesPerRow: footprint.bytesPerRow, by: merge))
        }
        try sort(rows)
        consumer?.shrink(to: rows.count * footprint.bytesPerRow)
        return .rows(RowQueue(rows))
    }

    private func makeRoom(_ more: Int) throws {
        guard let consumer else { return rows.reserveCapacity(rows.count + more) }
        if try grow(consumer, by: more, orFail: false) { return }
        _ = try spill()
        _ = try grow(consumer, by: more, orFail: true)
    }

    private func grow(_ consumer: MemoryConsumer, by more: Int, orFail: Bool) throws -> Bool {
        let count = rows.count + more
        let larger = count > room ? max(count, 2 * room) : room
        let needed = bytes(of: count, room: larger)
        if orFail {
            try consumer.require(needed)
        } else if try !consumer.grow(to: needed) {
            return false
        }
        if larger > room {
            rows.reserveCapacity(larger)
            room = larger
        }
        return true
    }

    /// What so many rows need when they are sorted: their places, as many places to move them to, a
    /// prefix for each in two arrays, and what they point to. More than growing needs.
    private func bytes(of count: Int, room: Int) -> Int {
        room * MemoryLayout<Row>.stride
            + count * (2 * MemoryLayout<PrefixItem>.stride + footprint.bytesPerRow)
    }

    /// Writes the rows that are here as a sorted run. Those of the last chunk are with the caller.
    private func spill() throws -> Int {
        guard let consumer else { return 0 }
        if case .rows(let queue) = output {
            guard !queue.isEmpty else { return 0 }
            try append(queue)
            output = .run(try runs!.openOnly())
        } else {
            guard output == nil, !rows.isEmpty else { return 0 }
            try sort(rows)
            try append(RowQueue(rows))
            rows = RowBuffer()
            room = 0
        }
        let freed = consumer.used
        ProcessMemory.returnFreed()
        consumer.shrink(to: 0)
        return freed
    }

    private func append(_ queue: RowQueue<Row>) throws {
        Log.debug("executor", "spilling", ["sort of": task.taskID, "rows": queue.count])
        let each = footprint.bytesPerRow
        try runs!.append(bytes: queue.count * each, bytesPerRow: each) {
            queue.move(upTo: $0, to: $1)
        }
    }
}
