import MillraceBase
import MillraceStore
import MillraceWire

/// The sink of a map stage: a kernel places rows into buckets, one for each reduce partition, whose
/// batches are encoded and handed to the `ShuffleEnvironment`.
public struct ShuffleWrite<Element, Output>: PlanSink {
    /// Gets the partition's number, its rows, and where to put what becomes of them.
    public typealias Kernel =
        @Sendable (Int, Cursor<Element>, ShuffleBuckets<Output>) throws -> Void
    public let reducers: Int
    public let kernel: Shipped<Kernel>

    @inlinable public init(reducers: Int, _ kernel: @escaping Kernel) {
        self.reducers = reducers
        self.kernel = Shipped(kernel)
    }

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        guard reducers > 0 else { throw PlanError("a shuffle to \(reducers) partitions") }
        let rows = try inputs.open(partition: partition, of: Element.self)
        let writer = try task.shuffle.mapOutputWriter(reducers: reducers, memory: task.memory)
        do {
            let buckets = ShuffleBuckets<Output>(
                reducers: reducers, codec: try RowCodec(), writer: writer, task: task)
            try kernel.function(partition, rows, buckets)
            try buckets.finish()
            return .mapOutput(sizes: try writer.commit())
        } catch {
            writer.abort()
            throw error
        }
    }
}

/// Rows on their way to reduce partitions: an array for each, encoded as one batch when it is full.
public final class ShuffleBuckets<Row> {
    public let reducers: Int
    @usableFromInline let buckets: UnsafeMutablePointer<[Row]>
    /// Rows of one batch. Behind a pointer, as in `RowBuffer`.
    @usableFromInline let limit: UnsafeMutablePointer<Int>
    private var room: BucketRoom<Row>
    private let codec: RowCodec<Row>
    private let writer: any MapOutputWriter
    private let task: TaskContext
    private var piece = ByteWriter()
    private var compression: FrameCompression

    init(reducers: Int, codec: RowCodec<Row>, writer: any MapOutputWriter, task: TaskContext) {
        self.reducers = reducers
        self.codec = codec
        self.writer = writer
        self.task = task
        compression = FrameCompression(task.shuffle.compression, task.shuffle.cipher)
        room = BucketRoom(reducers: reducers, codec: codec, task: task)
        limit = .allocate(capacity: 1)
        limit.initialize(to: room.firstLimit)
        buckets = .allocate(capacity: reducers)
        buckets.initialize(repeating: [], count: reducers)
    }

    deinit {
        buckets.deinitialize(count: reducers)
        buckets.deallocate()
        limit.deallocate()
        room.close()
    }

    /// Adds a row. Throws `MillraceError.invalidArgument` when a partitioner gave a number that
    /// isn't a partition's, and what encoding or the disk throws.
    @inlinable @inline(__always)
    public func append(_ row: Row, to reduce: Int) throws {
        guard UInt(bitPattern: reduce) < UInt(bitPattern: reducers) else {
            throw outOfRange(reduce)
        }
        buckets[reduce].append(row)
        if buckets[reduce].count >= limit.pointee { try flush(reduce) }
    }

    @usableFromInline func outOfRange(_ reduce: Int) -> MillraceError {
        MillraceError(
            .invalidArgument,
            "the partitioner says partition \(reduce); partitions are 0 to \(reducers - 1)")
    }

    @usableFromInline func flush(_ reduce: Int) throws {
        let count = buckets[reduce].count
        if count == 0 { return }
        try task.killTaskIfInterrupted()
        limit.pointee = try room.limit(knowing: &buckets[reduce])
        piece.bytes.removeAll(keepingCapacity: true)
        try codec.encode(buckets[reduce], into: &piece)
        let frame = compression.pack(piece.bytes)
        try writer.append(frame, reduce: reduce)
        task.metrics.recordsWritten += count
        task.metrics.bytesWritten += frame.count
        buckets[reduce].removeAll(keepingCapacity: true)
    }

    func finish() throws {
        for reduce in 0..<reducers {
            try flush(reduce)
            buckets[reduce] = []
        }
    }
}
