import MillraceWire

/// What a table takes, for those who reserve it before it grows.
extension CombineTable {
    /// Bytes of a table for `capacity` entries without what they point to: the entries, their
    /// hashes and slots, and as much as sorting by hash needs beyond that.
    static func bytes(capacity: Int) -> Int {
        capacity * (MemoryLayout<(Key, Value)>.stride + 4 * MemoryLayout<UInt64>.stride)
    }

    /// What the table takes while it grows to twice its capacity: both arrays of entries are there.
    var bytesToGrow: Int {
        Self.bytes(capacity: 2 * table.capacity)
            + table.capacity * MemoryLayout<(Key, Value)>.stride
    }
    var bytes: Int { Self.bytes(capacity: table.capacity) }

    func makeRoom(for keys: Int) { while room < keys { grow() } }

    /// Bytes that an entry points to, on average over some of them; `codec` knows their shape.
    func heldPerEntry(_ codec: RowCodec<(Key, Value)>) -> Int {
        guard count > 0 else { return 0 }
        let windows = 4
        let rows = 16
        var (held, sampled) = (0, 0)
        for window in 0..<windows {
            let start = (count - min(rows, count)) * window / (windows - 1)
            let part = UnsafeBufferPointer(start: table.entries + start, count: min(rows, count))
            held += codec.held(part)
            sampled += part.count
        }
        return (held + sampled - 1) / sampled
    }
}

/// The entries of a table in the order of their hashes, moved out a few at a time. Whatever happens
/// meanwhile, each is destroyed once.
final class HashOrder<Key, Value> {
    private let table: CombineTable<Key, Value>
    private let order: UnsafeMutableBufferPointer<PrefixItem>
    private var position = 0

    /// Empties the table, which nobody else uses any more.
    init(_ table: CombineTable<Key, Value>) {
        self.table = table
        let first = table.drained
        order = .allocate(capacity: table.count - first)
        for place in 0..<order.count {
            let item = PrefixItem(prefix: table.table.hashes[first + place], row: first + place)
            order.initializeElement(at: place, to: item)
        }
        table.fields.pointee.table.forgetWhere()
        table.drained = table.count
        PrefixItem.sort(order)
    }

    deinit {
        for item in order[position...] { (table.table.entries + item.row).deinitialize(count: 1) }
        order.deallocate()
    }

    /// Entries that are left.
    var count: Int { order.count - position }

    /// Appends up to `limit` entries; false when there are none left.
    func move(upTo limit: Int, to rows: RowBuffer<(UInt64, (Key, Value))>) -> Bool {
        let end = min(position + limit, order.count)
        guard position < end else { return false }
        rows.reserveCapacity(end - position)
        while position < end {
            let item = order[position]
            position += 1
            rows.append((item.prefix, (table.table.entries + item.row).move()))
        }
        return true
    }
}
