import MillraceBase
import MillraceStore
import MillraceWire

/// The rows of a partition in the order of their keys, however many there are: sorted in memory as
/// far as memory is granted, else in sorted runs on disk that are merged. Spark's ExternalSorter.
public struct SortPartition<Key, Value>: PlanOperator {
    /// Sorts a buffer in place.
    public typealias Sort = @Sendable (RowBuffer<(Key, Value)>) throws -> Void
    /// Appends the next rows of several runs, in order; false when there are none.
    public typealias Merge =
        @Sendable (RunMerge<Key, Value>, RowBuffer<(Key, Value)>) throws -> Bool
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

final class SortCursor<Key, Value>: Cursor<(Key, Value)> {
    typealias Row = (Key, Value)
    private let child: Cursor<Row>
    private let sort: SortPartition<Key, Value>.Sort
    private let merge: SortPartition<Key, Value>.Merge
    private let codec: RowCodec<Row>
    private let task: TaskContext
    private var rows = RowBuffer<Row>()
    private var footprint: RowFootprint<Row>
    private var runs: [SortedRun<Row>] = []
    private var consumer: MemoryConsumer?
    private var reserved = 0
    private var sorted: RowQueue<Row>?
    private var merging: RunMerge<Key, Value>?
    private var isLoaded = false
    /// Memory is asked for in steps of this size.
    private let step = 4 << 20

    init(
        child: Cursor<Row>, sort: @escaping SortPartition<Key, Value>.Sort,
        merge: @escaping SortPartition<Key, Value>.Merge, codec: RowCodec<Row>, task: TaskContext
    ) {
        self.child = child
        self.sort = sort
        self.merge = merge
        self.codec = codec
        self.task = task
        footprint = RowFootprint(codec)
        super.init()
        if task.shuffle.spills != nil {
            consumer = task.memory.consumer("sort") { [unowned self] _ in try spill() }
        }
    }

    deinit { consumer?.close() }

    override func next(into chunk: RowBuffer<Row>) throws -> Bool {
        if !isLoaded { try load() }
        try task.killTaskIfInterrupted()
        chunk.removeAll()
        if let merging { return try merge(merging, chunk) }
        return sorted?.move(upTo: Chunk.rows, to: chunk) ?? false
    }

    /// Takes all of the child's rows; the order is made then.
    private func load() throws {
        isLoaded = true
        let chunk = RowBuffer<Row>()
        while try child.next(into: chunk) {
            try footprint.measure(chunk)
            try reserve(footprint.bytes(of: rows.count + chunk.count))
            rows.reserveCapacity(rows.count + chunk.count)
            chunk.moveEach { rows.append($0) }
        }
        if runs.isEmpty {
            try sort(rows)
            sorted = RowQueue(rows)
            return
        }
        _ = try spill()
        merging = RunMerge(try runs.map { try $0.open(codec) })
    }

    private func reserve(_ bytes: Int) throws {
        guard let consumer, bytes > reserved else { return }
        reserved += try consumer.acquire(max(bytes - reserved, step))
        if bytes > reserved { _ = try spill() }
    }

    /// Writes the rows that are here as a sorted run. Rows that are being handed out stay.
    private func spill() throws -> Int {
        guard !rows.isEmpty, sorted == nil, let folder = task.shuffle.spills else { return 0 }
        try sort(rows)
        Log.debug("executor", "spilling", ["sort of": task.taskID, "rows": rows.count])
        let run = try LocalDiskFull.whileWriting(
            "a sorted run of \(task.taskID)", bytes: reserved, to: folder.folder
        ) { try SortedRun(rows, codec, folder) }
        runs.append(run)
        rows = RowBuffer()
        let freed = reserved
        reserved = 0
        consumer?.release(freed)
        return freed
    }
}

/// How much memory rows take: their own bytes, and what they point to, guessed from the size of
/// some of them encoded. Half as much again for the memory that sorting and growing need.
struct RowFootprint<Row> {
    private let codec: RowCodec<Row>
    private var chunks = 0
    private var encoded = 0
    private var sampled = 0
    /// An allocation's header and rounding.
    private static var overhead: Int { 32 }

    init(_ codec: RowCodec<Row>) { self.codec = codec }

    /// Looks at the first chunks and then at every 16th.
    mutating func measure(_ chunk: RowBuffer<Row>) throws {
        defer { chunks += 1 }
        guard !_isPOD(Row.self), chunks < 4 || chunks % 16 == 0 else { return }
        let sample = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(chunk.rows).prefix(64))
        var writer = ByteWriter()
        try codec.encode(sample, into: &writer)
        encoded += writer.count
        sampled += sample.count
    }

    func bytes(of rows: Int) -> Int {
        var each = MemoryLayout<Row>.stride + MemoryLayout<PrefixItem>.stride
        if sampled > 0 { each += encoded / sampled + Self.overhead }
        return rows * each * 3 / 2
    }
}
