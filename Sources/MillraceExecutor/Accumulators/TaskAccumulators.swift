import CLinux
import MillraceBase
import MillraceCore

/// What one attempt adds to accumulators: its own parts, used by its thread only.
///
/// `Accumulator.add` finds its part through the thread's `clinux_task`, a table by id that is
/// sparse enough for one look in most cases. A task that adds to nothing allocates nothing.
final class TaskAccumulators {
    private struct Item {
        let accumulator: any AnyAccumulator
        let body: UnsafeMutableRawPointer
    }

    private var items: [Item] = []
    /// Four places for each accumulator, so that probing ends soon.
    private static let sparsity = 4
    private var table: UnsafeMutableBufferPointer<clinux_accumulator>?

    deinit {
        for item in items { item.accumulator.destroy(item.body) }
        table?.deallocate()
    }

    /// The task's part of an accumulator that it hasn't added to. On the task's thread.
    func begin(_ accumulator: any AnyAccumulator) -> UnsafeMutableRawPointer {
        let item = Item(accumulator: accumulator, body: accumulator.makeBody())
        items.append(item)
        let needed = items.count * TaskAccumulators.sparsity
        if let table, table.count >= needed { place(item, in: table) } else { grow(to: needed) }
        enter(clinux_this_task())
        return item.body
    }

    private func grow(to needed: Int) {
        var count = 8
        while count < needed { count *= 2 }
        table?.deallocate()
        let larger = UnsafeMutableBufferPointer<clinux_accumulator>.allocate(capacity: count)
        larger.initialize(repeating: clinux_accumulator(id: -1, body: nil))
        for item in items { place(item, in: larger) }
        table = larger
    }

    private func place(
        _ item: Item, in table: UnsafeMutableBufferPointer<clinux_accumulator>
    ) {
        let id = Int64(item.accumulator.id.rawValue)
        var place = Int(id) & (table.count - 1)
        while table[place].id >= 0 { place = (place + 1) & (table.count - 1) }
        table[place] = clinux_accumulator(id: id, body: item.body)
    }

    /// Lets the thread's `add`s find the parts.
    func enter(_ task: UnsafeMutablePointer<clinux_task>) {
        guard let table, let base = table.baseAddress else { return }
        task.pointee.accumulators = base
        task.pointee.mask = Int64(table.count - 1)
    }

    /// What was added, in the order of the first additions. Of a task that failed only what counts
    /// failures. Throws what encoding throws.
    func updates(ofFailed isFailed: Bool = false, droppingZero: Bool = true) throws
        -> [AccumulatorUpdate]
    {
        try items.compactMap { item in
            if isFailed, !item.accumulator.countsFailedValues { return nil }
            if droppingZero, item.accumulator.isZero(item.body) { return nil }
            return try item.accumulator.update(item.body)
        }
    }
}
