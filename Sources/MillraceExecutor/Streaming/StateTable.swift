/// The keys of one partition of a stateful operator and what is known of each: a hash table that
/// remembers what the batch at work has changed, so that exactly this is written to the delta, and
/// can be taken back.
///
/// Between `begin` and `commit` the old value of each changed entry is kept; after `commit` too,
/// until the next `begin`, because a batch may have to be repeated. Used by one task at a time.
public final class StateTable<Key, Value> {
    /// Behind a pointer, as in `RowBuffer`.
    @usableFromInline let fields: UnsafeMutablePointer<Fields>

    @usableFromInline struct Fields {
        @usableFromInline var table: KeyedEntries<Key, Value>
        /// Per entry, the batch (counted here) that changed it last.
        @usableFromInline var marks: UnsafeMutablePointer<Int>
        @usableFromInline var batch = 0
        /// Keys when the batch at work (or the last one) began: later ones are its insertions.
        @usableFromInline var countBefore = 0
        @usableFromInline var changed: [Int] = []
        @usableFromInline var old: [Value] = []
    }

    /// Keys in it.
    @inlinable public var count: Int { fields.pointee.table.count }

    public init(minimumCapacity: Int = 64) {
        let table = KeyedEntries<Key, Value>(minimumCapacity: minimumCapacity)
        fields = .allocate(capacity: 1)
        fields.initialize(to: Fields(table: table, marks: .allocate(capacity: table.capacity)))
    }

    deinit {
        fields.pointee.table.entries.deinitialize(count: count)
        fields.pointee.table.deallocate()
        fields.pointee.marks.deallocate()
        fields.deinitialize(count: 1)
        fields.deallocate()
    }

    /// Merges into `key`'s value, or inserts one. The closures must not touch the table.
    @inlinable @inline(__always)
    public func update(
        _ key: Key, hash: UInt64, insert: () throws -> Value, merge: (inout Value) throws -> Void
    ) rethrows where Key: Equatable {
        let place = fields.pointee.table.find(key, hash: hash)
        if place >= 0 {
            if fields.pointee.marks[place] != fields.pointee.batch { keepOld(place) }
            try merge(&fields.pointee.table.entries[place].1)
        } else {
            append(key, try insert(), hash, ~place)
        }
    }

    /// The batch changes the entry for the first time.
    @usableFromInline func keepOld(_ entry: Int) {
        fields.pointee.marks[entry] = fields.pointee.batch
        guard entry < fields.pointee.countBefore else { return }
        fields.pointee.changed.append(entry)
        fields.pointee.old.append(fields.pointee.table.entries[entry].1)
    }

    @usableFromInline func append(_ key: Key, _ value: Value, _ hash: UInt64, _ slot: Int) {
        fields.pointee.marks[count] = fields.pointee.batch
        guard !fields.pointee.table.append(key, value, hash, slot) else { return }
        fields.pointee.table.grow()
        fields.pointee.marks = fields.pointee.table.moved(fields.pointee.marks)
    }

    // MARK: Batches

    /// From now on changes belong to a new batch; those of the last one can no longer be taken
    /// back.
    public func begin() {
        fields.pointee.batch += 1
        fields.pointee.countBefore = count
        fields.pointee.changed.removeAll(keepingCapacity: true)
        fields.pointee.old.removeAll(keepingCapacity: true)
    }

    /// Takes back what has changed since `begin`.
    public func rollBack() {
        let (entries, before) = (fields.pointee.table.entries, fields.pointee.countBefore)
        for (entry, value) in zip(fields.pointee.changed, fields.pointee.old) {
            entries[entry].1 = value
        }
        if count > before {
            (entries + before).deinitialize(count: count - before)
            fields.pointee.table.keep(first: before)
        }
        begin()
    }

    /// Entries changed or inserted since `begin`.
    public var changedCount: Int {
        fields.pointee.changed.count + count - fields.pointee.countBefore
    }

    /// The number of the changed entry at `position` of 0 ..< `changedCount`.
    @inlinable public func changedEntry(_ position: Int) -> Int {
        let changed = fields.pointee.changed.count
        return position < changed
            ? fields.pointee.changed[position] : fields.pointee.countBefore + position - changed
    }

    /// The hash of an entry's key.
    @inlinable public func hash(_ entry: Int) -> UInt64 { fields.pointee.table.hashes[entry] }

    @inlinable public subscript(entry: Int) -> (Key, Value) { fields.pointee.table.entries[entry] }

    /// Bytes of the table itself, without what keys and values hold elsewhere.
    public var memoryUsed: Int {
        fields.pointee.table.capacity * (MemoryLayout<(Key, Value)>.stride + 32)
            + fields.pointee.old.capacity * MemoryLayout<Value>.stride
            + fields.pointee.changed.capacity * 8
    }
}
