/// Keys and a value for each, found by the keys' hashes: the memory of a `CombineTable` and of a
/// `StateTable`, which say when it is freed.
///
/// Entries lie densely in the order of insertion; `slots` holds, by linear probing, a 32-bit tag of
/// the hash and the entry's number plus one (0 is free). Keys are compared only when tags agree.
/// All of it is `@inlinable`, so that a kernel made where the user's types are known runs it
/// specialised; hashes are the caller's (`KeyHasher`), because the same hash chooses the reduce
/// partition.
@usableFromInline struct KeyedEntries<Key, Value> {
    @usableFromInline var slots: UnsafeMutablePointer<UInt64>
    @usableFromInline var mask: Int
    @usableFromInline var entries: UnsafeMutablePointer<(Key, Value)>
    @usableFromInline var hashes: UnsafeMutablePointer<UInt64>
    /// Entries that there is room for; one is always free.
    @usableFromInline var capacity: Int
    /// Entries that were inserted.
    @usableFromInline var count = 0

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

    /// Frees the memory; the entries are the caller's to destroy.
    func deallocate() {
        entries.deallocate()
        hashes.deallocate()
        slots.deallocate()
    }

    /// Frees all but the entries: nothing is found or added any more.
    mutating func forgetWhere() {
        hashes.deallocate()
        hashes = .allocate(capacity: 0)
        slots.deallocate()
        slots = .allocate(capacity: 0)
    }

    /// The key's entry; or else, as its complement, the slot for a new one.
    @inlinable @inline(__always)
    func find(_ key: Key, hash: UInt64) -> Int where Key: Equatable {
        let tag = hash >> 32
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let word = slots[slot]
            if word == 0 { return ~slot }
            if word >> 32 == tag {
                let index = Int(truncatingIfNeeded: word & 0xFFFF_FFFF) - 1
                if entries[index].0 == key { return index }
            }
            slot = (slot + 1) & mask
        }
    }

    /// Adds an entry at the slot that `find` gave. Says whether there is room for another: if not,
    /// `grow` before the next.
    @inlinable @inline(__always)
    mutating func append(_ key: Key, _ value: Value, _ hash: UInt64, _ slot: Int) -> Bool {
        (entries + count).initialize(to: (key, value))
        hashes[count] = hash
        count &+= 1
        slots[slot] = (hash >> 32) << 32 | UInt64(truncatingIfNeeded: count)
        return count < capacity
    }

    /// Doubles the room.
    @usableFromInline mutating func grow() {
        precondition(capacity < 1 << 31, "a table holds at most 2^31 keys")
        capacity *= 2
        entries = moved(entries)
        hashes = moved(hashes)
        slots.deallocate()
        mask = 2 * capacity - 1
        slots = .allocate(capacity: 2 * capacity)
        slots.initialize(repeating: 0, count: 2 * capacity)
        fillSlots()
    }

    /// So many elements as there are entries in memory for as many as there is room for.
    func moved<Element>(
        _ from: UnsafeMutablePointer<Element>
    ) -> UnsafeMutablePointer<Element> {
        let target = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        target.moveInitialize(from: from, count: count)
        from.deallocate()
        return target
    }

    /// Forgets where all but the first entries are. They are the caller's to destroy.
    mutating func keep(first kept: Int) {
        count = kept
        slots.update(repeating: 0, count: mask + 1)
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
}
