import MillraceBase
import MillraceWire

/// How many rows of each reduce partition are gathered before they are written: many, for cheap
/// columns; fewer when there are many partitions, rows are large, or there is little memory.
struct BucketRoom<Row> {
    private let reducers: Int
    private let consumer: MemoryConsumer?
    private var footprint: RowFootprint<Row>
    /// Bytes of a row that `current` was made for.
    private var assumed: Int
    private var current: Int

    private static var fewest: Int { 16 }
    /// Of rows nobody has seen yet.
    private static var untilMeasured: Int { 64 }
    /// All buckets of a task together.
    private static var mostBytes: Int { 32 << 20 }

    init(reducers: Int, codec: RowCodec<Row>, task: TaskContext) {
        self.reducers = reducers
        footprint = RowFootprint(codec)
        consumer = task.shuffle.spills.map { _ in task.memory.consumer("shuffle buckets") }
        assumed = 0
        current = min(Self.untilMeasured, Self.most(reducers))
    }

    var firstLimit: Int { current }

    private static func most(_ reducers: Int) -> Int { max(128, min(4096, 262_144 / reducers)) }

    /// The limit from now on, told by the rows of a bucket that is full. Throws `MemoryExhausted`
    /// when there is no room for even a few rows of each partition.
    mutating func limit(knowing rows: inout [Row]) throws -> Int {
        rows.withUnsafeMutableBufferPointer { footprint.measure($0) }
        let each = footprint.bytesPerRow
        if assumed > 0, each <= assumed + assumed / 2 { return current }
        assumed = each
        var limit = min(Self.most(reducers), Self.mostBytes / (reducers * each))
        limit = max(limit, Self.fewest)
        while let consumer, try !consumer.grow(to: bytes(limit)) {
            if limit == Self.fewest { try consumer.require(bytes(limit)) }
            limit = max(limit / 2, Self.fewest)
        }
        current = limit
        return limit
    }

    /// An array has room for more rows than are in it.
    private func bytes(_ limit: Int) -> Int { limit * reducers * assumed * 3 / 2 }

    func close() { consumer?.close() }
}
