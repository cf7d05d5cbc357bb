import MillraceBase
import MillraceWire

/// Aggregation by key of any size: a combine table as long as there is memory for it, else runs on
/// disk in the order of the keys' hashes, which are merged. Spark's ExternalAppendOnlyMap.
///
///     try combine.prepare(for: chunk.count)
///     try combine.table.update(moving: chunk, …)      // as often as there are chunks
///     while try combine.pull(into: output, merge: …) {}
///
/// Values that cannot become bytes stay in memory; the task fails with the ledger when it is full.
public final class ExternalCombineTable<Key, Combined> {
    public private(set) var table = CombineTable<Key, Combined>()
    @usableFromInline let memory: TableMemory<Key, Combined>
    private var runs: SpilledRuns<UInt64, (Key, Combined)>?
    @usableFromInline var output = Output.filling

    @usableFromInline enum Output {
        case filling
        case table
        /// What was left in the table when somebody else needed its memory.
        case run(RunReader<(UInt64, (Key, Combined))>)
        case merge(HashMerge<Key, Combined>)
    }

    /// Of the task that the calling thread runs.
    public init() {
        guard let task = TaskContext.current, let folder = task.shuffle.spills else {
            memory = TableMemory(nil, nil)
            return
        }
        let room = Room()
        let consumer = task.memory.consumer("combine") { _ in try room.table?.spill() ?? 0 }
        memory = TableMemory(consumer, try? RowCodec())
        runs = (try? RowCodec()).map { SpilledRuns($0, of: "a combine table", in: folder) }
        room.table = self
    }

    /// The consumer is made before the table it spills.
    private final class Room { weak var table: ExternalCombineTable? }

    /// Makes room for `rows` rows, of which `bytes` stay in the values.
    @inlinable @inline(__always)
    public func prepare(for rows: Int, keeping bytes: Int = 0) throws {
        if !memory.hasRoom(for: rows, keeping: bytes, in: table) { try makeRoom(rows, bytes) }
    }

    @usableFromInline func makeRoom(_ rows: Int, _ bytes: Int) throws {
        if try memory.grow(for: rows, in: table) { return }
        _ = try spill()
        memory.kept = bytes
        try memory.require(for: rows, in: table)
    }

    /// Puts the next keys with their values into `output`; false at the end. After the last
    /// `prepare`. `merge` joins values of one key that were in several runs.
    @inlinable @inline(__always)
    public func pull(
        into output: RowBuffer<(Key, Combined)>,
        merge: (inout Combined, Combined) throws -> Void
    ) throws -> Bool where Key: Equatable {
        if case .filling = self.output { try endFilling() }
        switch self.output {
        case .table:
            if table.pull(into: output) { return true }
            release()
            return false
        case .merge(let runs): return try runs.pull(into: output, merge: merge)
        case .run, .filling: return try pullRest(into: output)
        }
    }

    @usableFromInline func endFilling() throws {
        output = .table
        guard let consumer = memory.consumer, runs?.isEmpty == false else { return }
        let bytes = memory.bytesPerEntry(table)
        if table.count > 0 { try append() }
        ProcessMemory.returnFreed()
        consumer.shrink(to: 0)
        var runs = runs!
        self.runs = nil
        output = .merge(
            HashMerge(
                try runs.merged(for: consumer, bytesPerRow: bytes) { merge, limit, rows in
                    try merge.pull(limit, into: rows) { $0 < $1 }
                }))
    }

    @usableFromInline func pullRest(into output: RowBuffer<(Key, Combined)>) throws -> Bool {
        guard case .run(let reader) = self.output else { return false }
        let rows = RowBuffer<(UInt64, (Key, Combined))>()
        guard try reader.move(into: rows) else { return false }
        output.reserveCapacity(rows.count)
        rows.moveEach { output.append($0.1) }
        return true
    }

    @usableFromInline func release() { memory.consumer?.shrink(to: 0) }

    /// Writes what is in the table to disk. Bytes that are free now; 0 when nothing can be done.
    private func spill() throws -> Int {
        guard let consumer = memory.consumer, runs != nil, table.left > 0 else { return 0 }
        switch output {
        case .filling: try append()
        case .table:
            try append()
            output = .run(try runs!.openOnly())
        case .run, .merge: return 0
        }
        let used = consumer.used
        ProcessMemory.returnFreed()
        memory.emptied(table)
        return used - consumer.used
    }

    private func append() throws {
        Log.debug("executor", "spilling", ["combined keys": table.left])
        let bytes = memory.bytesPerEntry(table)
        let order = HashOrder(table)
        table = CombineTable()
        try runs!.append(bytes: order.count * bytes, bytesPerRow: bytes) {
            order.move(upTo: $0, to: $1)
        }
    }
}
