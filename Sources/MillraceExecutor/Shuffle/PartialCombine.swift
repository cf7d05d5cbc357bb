import MillraceBase
import MillraceWire

/// Combining before a shuffle, as far as there is memory: when the table may not grow, its entries
/// go on to the reduce tasks, who merge them anyway, and it begins anew. When combining has hardly
/// made fewer rows of them, the rest goes on without.
public final class PartialCombine<Key, Combined> {
    public private(set) var table = CombineTable<Key, Combined>()
    @usableFromInline let memory: TableMemory<Key, Combined>
    @usableFromInline var isCombining = true
    /// Since the table was empty.
    @usableFromInline var rows = 0

    /// Of the task that the calling thread runs.
    public init() {
        let task = TaskContext.current
        // Nobody else can make it spill: its entries go where others may be waiting for memory.
        let consumer = task?.shuffle.spills.map { _ in task!.memory.consumer("map-side combine") }
        memory = TableMemory(consumer, try? RowCodec())
    }

    /// Makes room for `rows` rows in the table; `emit` gets what has to leave it. False when the
    /// rows are to go on as they are.
    @inlinable @inline(__always)
    public func prepare(
        for rows: Int, emit: (Key, Combined, UInt64) throws -> Void
    ) throws -> Bool {
        guard isCombining else { return false }
        self.rows &+= rows
        if memory.hasRoom(for: rows, keeping: 0, in: table) { return true }
        if try grow(for: rows) { return true }
        _ = try table.drain(Int.max, emit)
        return try begin(with: rows)
    }

    /// Gives all that is left to `emit`.
    @inlinable @inline(__always)
    public func finish(emit: (Key, Combined, UInt64) throws -> Void) throws {
        _ = try table.drain(Int.max, emit)
        end()
    }

    @usableFromInline func grow(for rows: Int) throws -> Bool {
        try memory.grow(for: rows, in: table)
    }

    @usableFromInline func begin(with next: Int) throws -> Bool {
        let before = rows - next
        // Fewer rows by a fifth at least, or the work is for nothing.
        isCombining = table.count < before - before / 5 || before == 0
        rows = next
        if isCombining {
            table.reset()
            memory.emptied(table)
            try memory.require(for: next, in: table)
        } else {
            end()
        }
        return isCombining
    }

    @usableFromInline func end() {
        table = CombineTable(minimumCapacity: 1)
        memory.consumer?.shrink(to: 0)
    }
}
