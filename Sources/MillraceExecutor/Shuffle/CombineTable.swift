import CMachine
import MillraceWire

/// A hash table from keys to combined values, for aggregation within one task: insertion only, then
/// drained once.
public final class CombineTable<Key, Value> {
    /// Behind a pointer, as in `RowBuffer`.
    @usableFromInline let fields: UnsafeMutablePointer<Fields>

    @usableFromInline struct Fields {
        @usableFromInline var table: KeyedEntries<Key, Value>
        @usableFromInline var drained = 0
    }
    /// A copy of what says where the entries are.
    @inlinable var table: KeyedEntries<Key, Value> {
        @inline(__always) get { fields.pointee.table }
    }
    @inlinable var drained: Int {
        @inline(__always) get { fields.pointee.drained }
        @inline(__always) set { fields.pointee.drained = newValue }
    }

    /// Entries so far, drained ones included.
    @inlinable public var count: Int { fields.pointee.table.count }

    public init(minimumCapacity: Int = 1024) {
        fields = .allocate(capacity: 1)
        fields.initialize(to: Fields(table: KeyedEntries(minimumCapacity: minimumCapacity)))
    }

    deinit {
        (table.entries + drained).deinitialize(count: count - drained)
        table.deallocate()
        fields.deallocate()
    }

    /// Merges into `key`'s value, or inserts one. The closures must not touch the table.
    @inlinable @inline(__always)
    public func update(
        _ key: Key, hash: UInt64, insert: () throws -> Value, merge: (inout Value) throws -> Void
    ) rethrows where Key: Equatable {
        let place = fields.pointee.table.find(key, hash: hash)
        if place >= 0 {
            try merge(&fields.pointee.table.entries[place].1)
        } else if !fields.pointee.table.append(key, try insert(), hash, ~place) {
            grow()
        }
    }

    /// `update` of many rows, in batches: hash all and ask for their slots, ask for their entries,
    /// then look. Memory answers a batch together instead of one row after the other, which is most
    /// of the time of a table that the cache does not hold.
    @inlinable @inline(__always)
    public func update<Input>(
        moving buffer: RowBuffer<(Key, Input)>, hasher: KeyHasher<Key>,
        insert: (Input) throws -> Value, merge: (inout Value, Input) throws -> Void
    ) throws where Key: Equatable {
        let rows = buffer.takeAll()
        let fields = self.fields
        var start = 0
        var next = 0
        defer { rows.dropFirst(next).deinitialize() }
        try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: CombineBatch.rows) { hashes in
            while start < rows.count {
                let count = min(CombineBatch.rows, rows.count &- start)
                for index in 0..<count {
                    let hash = try hasher.hash(rows[start &+ index].0)
                    hashes[index] = hash
                    let table = fields.pointee.table
                    cmachine_prefetch(table.slots + Int(truncatingIfNeeded: hash) & table.mask)
                }
                for index in 0..<count {
                    let table = fields.pointee.table
                    let word = table.slots[Int(truncatingIfNeeded: hashes[index]) & table.mask]
                    // For a free slot some address that nobody reads.
                    cmachine_prefetch(
                        table.entries + (Int(truncatingIfNeeded: word & 0xFFFF_FFFF) - 1))
                }
                for index in 0..<count {
                    let (key, input) = (rows.baseAddress! + next).move()
                    next &+= 1
                    try update(
                        key, hash: hashes[index], insert: { try insert(input) },
                        merge: { try merge(&$0, input) })
                }
                start &+= count
            }
        }
    }

    @usableFromInline func grow() {
        precondition(drained == 0, "a table that is being drained takes no new keys")
        fields.pointee.table.grow()
    }

    /// Entries that are not drained.
    @inlinable public var left: Int { count &- drained }

    /// New keys that fit without growing.
    @inlinable public var room: Int { fields.pointee.table.capacity &- count &- 1 }

    /// A drained table takes updates again, with the memory it has.
    public func reset() {
        precondition(left == 0, "the table still has entries")
        drained = 0
        fields.pointee.table.keep(first: 0)
    }

    /// Moves up to `limit` entries out, oldest first, each with its hash. Says how many it moved; 0
    /// at the end. The table takes no update after the first drain.
    @inlinable @inline(__always)
    public func drain(_ limit: Int, _ body: (Key, Value, UInt64) throws -> Void) rethrows -> Int {
        let end = min(drained + limit, count)
        let moved = end - drained
        while drained < end {
            let index = drained
            drained += 1
            let (key, value) = (table.entries + index).move()
            try body(key, value, table.hashes[index])
        }
        return moved
    }

    /// Moves the next chunk of entries to the end of `chunk`. A `Pull`.
    @inlinable @inline(__always)
    public func pull(into chunk: RowBuffer<(Key, Value)>) -> Bool {
        chunk.reserveCapacity(Chunk.rows)
        return drain(Chunk.rows) { key, value, _ in chunk.append((key, value)) } > 0
    }
}

/// How many rows a table looks up together: enough to hide memory's latency, few enough that what
/// was asked for is still there.
@usableFromInline enum CombineBatch {
    @inlinable static var rows: Int { 128 }
}
