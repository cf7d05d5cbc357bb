/// The keys of one partition of a stateful operator and what is known of each: a hash table that
/// remembers what the batch at work has changed, so that exactly this is written to the delta, and
/// can be taken back.
///
/// Entries lie densely in the order of insertion; `slots` holds, by linear probing, a 32-bit tag of
/// the hash and the entry's number plus one (0 is free). `update` is `@inlinable`, so that a kernel
/// made where the user's types are known runs it specialised. Between `begin` and `commit` the old
/// value of each changed entry is kept; after `commit` too, until the next `begin`, because a batch
/// may have to be repeated. Used by one task at a time.
public final class StateTable<Key, Value> {
    @usableFromInline var slots: UnsafeMutablePointer<UInt64>
    @usableFromInline var mask: Int
    @usableFromInline var entries: UnsafeMutablePointer<(Key, Value)>
    @usableFromInline var hashes: UnsafeMutablePointer<UInt64>
    /// Per entry, the batch (counted here) that changed it last.
    @usableFromInline var marks: UnsafeMutablePointer<Int>
    @usableFromInline var capacity: Int
    @usableFromInline var batch = 0
    /// Keys in it.
    public private(set) var count = 0
    /// Keys when the batch at work (or the last one) began: later ones are its insertions.
    @usableFromInline var countBefore = 0
    @usableFromInline var changed: [Int] = []
    @usableFromInline var old: [Value] = []

    public init(minimumCapacity: Int = 64) {
        var capacity = 16
        while capacity < minimumCapacity { capacity *= 2 }
        self.capacity = capacity
        mask = 2 * capacity - 1
        slots = .allocate(capacity: 2 * capacity)
        slots.initialize(repeating: 0, count: 2 * capacity)
        entries = .allocate(capacity: capacity)
        hashes = .allocate(capacity: capacity)
        marks = .allocate(capacity: capacity)
    }

    deinit {
        entries.deinitialize(count: count)
        entries.deallocate()
        hashes.deallocate()
        marks.deallocate()
        slots.deallocate()
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
                    if marks[index] != batch {
                        marks[index] = batch
                        if index < countBefore {
                            changed.append(index)
                            old.append(entries[index].1)
                        }
                    }
                    try merge(&entries[index].1)
                    return
                }
            }
            slot = (slot + 1) & mask
        }
        append(key, try insert(), hash, slot)
    }

    @usableFromInline func append(_ key: Key, _ value: Value, _ hash: UInt64, _ slot: Int) {
        (entries + count).initialize(to: (key, value))
        hashes[count] = hash
        marks[count] = batch
        count += 1
        slots[slot] = (hash >> 32) << 32 | UInt64(truncatingIfNeeded: count)
        if count == capacity { grow() }
    }

    private func grow() {
        precondition(capacity < 1 << 31, "a state table holds at most 2^31 keys")
        let larger = capacity * 2
        func moved<T>(_ from: UnsafeMutablePointer<T>) -> UnsafeMutablePointer<T> {
            let to = UnsafeMutablePointer<T>.allocate(capacity: larger)
            to.moveInitialize(from: from, count: count)
            from.deallocate()
            return to
        }
        entries = moved(entries)
        hashes = moved(hashes)
        marks = moved(marks)
        slots.deallocate()
        capacity = larger
        mask = 2 * larger - 1
        slots = .allocate(capacity: 2 * larger)
        slots.initialize(repeating: 0, count: 2 * larger)
        fillSlots()
    }

    private func fillSlots() {
        for index in 0..<count {
            let hash = hashes[index]
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = (hash >> 32) << 32 | UInt64(truncatingIfNeeded: index + 1)
        }
    }

    // MARK: Batches

    /// From now on changes belong to a new batch; those of the last one can no longer be taken
    /// back.
    public func begin() {
        batch += 1
        countBefore = count
        changed.removeAll(keepingCapacity: true)
        old.removeAll(keepingCapacity: true)
    }

    /// Takes back what has changed since `begin`.
    public func rollBack() {
        for (position, index) in changed.enumerated() { entries[index].1 = old[position] }
        if count > countBefore {
            (entries + countBefore).deinitialize(count: count - countBefore)
            count = countBefore
            slots.update(repeating: 0, count: 2 * capacity)
            fillSlots()
        }
        begin()
    }

    /// Entries changed or inserted since `begin`.
    public var changedCount: Int { changed.count + count - countBefore }

    /// The number of the changed entry at `position` of 0 ..< `changedCount`.
    @inlinable public func changedEntry(_ position: Int) -> Int {
        position < changed.count ? changed[position] : countBefore + position - changed.count
    }

    /// The hash of an entry's key.
    @inlinable public func hash(_ entry: Int) -> UInt64 { hashes[entry] }

    @inlinable public subscript(entry: Int) -> (Key, Value) { entries[entry] }

    /// Bytes of the table itself, without what keys and values hold elsewhere.
    public var memoryUsed: Int {
        capacity * (MemoryLayout<(Key, Value)>.stride + 32)
            + old.capacity * MemoryLayout<Value>.stride + changed.capacity * 8
    }
}
