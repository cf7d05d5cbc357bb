import MillraceWire

/// The runs that one sort or aggregation has written, and their merge.
struct SpilledRuns<Key, Value> {
    typealias Row = (Key, Value)
    /// Appends up to so many of the next rows of several runs, in order; false when there are none.
    typealias Merge = (RunMerge<Key, Value>, Int, RowBuffer<Row>) throws -> Bool
    private let codec: RowCodec<Row>
    private let folder: SpillFolder
    /// Whose they are, for who reads that the disk is full.
    private let owner: String
    private var runs: [SortedRun<Row>] = []

    init(_ codec: RowCodec<Row>, of owner: String, in folder: SpillFolder) {
        self.codec = codec
        self.owner = owner
        self.folder = folder
    }

    var isEmpty: Bool { runs.isEmpty }

    /// Writes a run of about so many bytes. See `SortedRun`. Throws `LocalDiskFull`, and other
    /// `StoreError`s.
    mutating func append(
        bytes: Int, bytesPerRow: Int, next: (Int, RowBuffer<Row>) throws -> Bool
    ) throws {
        let run = try LocalDiskFull.whileWriting(
            "a spill of \(owner)", bytes: bytes, to: folder.folder
        ) { try SortedRun(codec, folder, bytesPerRow: bytesPerRow, next: next) }
        runs.append(run)
    }

    /// The only run, as it was written.
    mutating func openOnly() throws -> RunReader<Row> {
        precondition(runs.count == 1, "one of \(runs.count) runs")
        return try runs.removeLast().open(codec)
    }

    /// All runs as one, their memory reserved by `consumer`. When there are more than it can have
    /// memory for, some are merged to larger ones first.
    mutating func merged(
        for consumer: MemoryConsumer, bytesPerRow: Int, by merge: Merge
    ) throws -> RunMerge<Key, Value> {
        let fanIn = try fanIn(consumer)
        while runs.count > fanIn {
            let count = min(fanIn, runs.count - fanIn + 1)
            let source = try open(count)
            let bytes = runs.prefix(count).reduce(0) { $0 + $1.bytes }
            runs.removeFirst(count)
            try append(bytes: bytes, bytesPerRow: bytesPerRow) { try merge(source, $0, $1) }
        }
        return try open(runs.count)
    }

    private func open(_ count: Int) throws -> RunMerge<Key, Value> {
        RunMerge(try runs.prefix(count).map { try $0.open(codec) })
    }

    /// How many runs there is memory to read at a time.
    private func fanIn(_ consumer: MemoryConsumer) throws -> Int {
        var count = runs.count
        while count > 2 {
            if try consumer.grow(to: count * SortedRun<Row>.bytesToRead) { return count }
            count = max(2, count / 2)
        }
        try consumer.require(count * SortedRun<Row>.bytesToRead)
        return max(2, count)
    }
}
