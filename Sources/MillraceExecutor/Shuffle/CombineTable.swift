import CMachine
import MillraceWire

/// A hash table from keys to combined values, for aggregation within one task: insertion only, then
/// drained once.
///
/// Entries lie densely in the order of insertion; `slots` holds, by linear probing, a 32-bit tag of
/// the hash and the entry's number plus one (0 is free). Keys are compared only when tags agree.
/// All of it is `@inlinable`, so that a kernel made where the user's types are known runs it
/// specialised; hashes are the caller's (`KeyHasher`), because the same hash chooses the reduce
/// partition.
public final class CombineTable<Key, Value> {
    @usableFromInline struct Fields {
        @usableFromInline var slots: UnsafeMutablePointer<UInt64>
        @usableFromInline var mask: Int
        @usableFromInline var entries: UnsafeMutablePointer<(Key, Value)>
        @usableFromInline var hashes: UnsafeMutablePointer<UInt64>
        @usableFromInline var capacity: Int
        @usableFromInline var inserted = 0
        @usableFromInline var drained = 0

        init(minimumCapacity: Int) {
            var capacity = 16
            while capacity < minimumCapacity { capacity *= 2 }
            self.capacity = capacity
            mask = 2 * capacity - 1
            slots = .allocate(capacity: 2 * capacity)
            slots.initialize(repeating: 0, count: 2 * capacity)
            entries = .allocate(capacity: capacity)
            hashes = .allocate(capacity: capacity)
        }
    }
    /// Behind a pointer, as in `RowBuffer`.
    @usableFromInline let fields: UnsafeMutablePointer<Fields>
    @inlinable var slots: UnsafeMutablePointer<UInt64> {
        @inline(__always) get { fields.pointee.slots }
        @inline(__always) set { fields.pointee.slots = newValue }
    }
    @inlinable var mask: Int {
        @inline(__always) get { fields.pointee.mask }
        @inline(__always) set { fields.pointee.mask = newValue }
    }
    @inlinable var entries: UnsafeMutablePointer<(Key, Value)> {
        @inline(__always) get { fields.pointee.entries }
        @inline(__always) set { fields.pointee.entries = newValue }
    }
    @inlinable var hashes: UnsafeMutablePointer<UInt64> {
        @inline(__always) get { fields.pointee.hashes }
        @inline(__always) set { fields.pointee.hashes = newValue }
    }
    @inlinable var capacity: Int {
        @inline(__always) get { fields.pointee.capacity }
        @inline(__always) set { fields.pointee.capacity = newValue }
    }
    @inlinable var inserted: Int {
        @inline(__always) get { fields.pointee.inserted }
        @inline(__always) set { fields.pointee.inserted = newValue }
    }
    @inlinable var drained: Int {
        @inline(__always) get { fields.pointee.drained }
        @inline(__always) set { fields.pointee.drained = newValue }
    }

    /// Entries so far, drained ones included.
    @inlinable public var count: Int { inserted }

    public init(minimumCapacity: Int = 1024) {
        fields = .allocate(capacity: 1)
        fields.initialize(to: Fields(minimumCapacity: minimumCapacity))
    }

    deinit {
        (entries + drained).deinitialize(count: count - drained)
        entries.deallocate()
        hashes.deallocate()
        slots.deallocate()
        fields.deallocate()
    }

    /// Merges into `key`'s value, or inserts one. The closures must not touch the table.
    @inlinable @inline(__always)
    public func update(
        _ key: Key, hash: UInt64, insert: () throws -> Value, merge: (inout Value) throws -> Void
    ) rethrows where Key: Equatable {
        let tag = hash >> 32
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let word = slots[slot]
            if word == 0 { break }
            if word >> 32 == tag {
                let index = Int(truncatingIfNeeded: word & 0xFFFF_FFFF) - 1
                if entries[index].0 == key {
                    try merge(&entries[index].1)
                    return
                }
            }
            slot = (slot + 1) & mask
        }
        let value = try insert()
        (entries + inserted).initialize(to: (key, value))
        hashes[inserted] = hash
        inserted += 1
        slots[slot] = tag << 32 | UInt64(truncatingIfNeeded: inserted)
        if inserted == capacity { grow() }
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
        var start = 0
        var next = 0
        defer { rows.dropFirst(next).deinitialize() }
        try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: CombineBatch.rows) { hashes in
            while start < rows.count {
                let count = min(CombineBatch.rows, rows.count &- start)
                for index in 0..<count {
                    let hash = try hasher.hash(rows[start &+ index].0)
                    hashes[index] = hash
                    cmachine_prefetch(slots + Int(truncatingIfNeeded: hash) & mask)
                }
                for index in 0..<count {
                    let word = slots[Int(truncatingIfNeeded: hashes[index]) & mask]
                    // For a free slot some address that nobody reads.
                    cmachine_prefetch(entries + (Int(truncatingIfNeeded: word & 0xFFFF_FFFF) - 1))
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
        precondition(drained == 0 && capacity < 1 << 31, "a combine table holds at most 2^31 keys")
        let larger = capacity * 2
        let moved = UnsafeMutablePointer<(Key, Value)>.allocate(capacity: larger)
        moved.moveInitialize(from: entries, count: count)
        entries.deallocate()
        entries = moved
        let copied = UnsafeMutablePointer<UInt64>.allocate(capacity: larger)
        copied.moveInitialize(from: hashes, count: count)
        hashes.deallocate()
        hashes = copied
        slots.deallocate()
        capacity = larger
        mask = 2 * larger - 1
        slots = .allocate(capacity: 2 * larger)
        slots.initialize(repeating: 0, count: 2 * larger)
        for index in 0..<count {
            let hash = hashes[index]
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = (hash >> 32) << 32 | UInt64(truncatingIfNeeded: index + 1)
        }
    }

    /// Entries that are not drained.
    @inlinable public var left: Int { inserted &- drained }

    /// New keys that fit without growing.
    @inlinable public var room: Int { capacity &- inserted &- 1 }

    /// A drained table takes updates again, with the memory it has.
    @inlinable public func reset() {
        precondition(drained == inserted, "the table still has entries")
        (drained, inserted) = (0, 0)
        slots.update(repeating: 0, count: mask + 1)
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
            let (key, value) = (entries + index).move()
            try body(key, value, hashes[index])
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
