/// Values by identifier, for identifiers that are handed out in order, live for a while and never
/// come back.
///
/// A hash table with one multiplication as its hash, the same in every process, and linear
/// probing (3-10 ns a lookup against 50-200 ns for `Dictionary`). Four consecutive identifiers lie
/// side by side, because they often come and go together: an executor's tasks then cost a miss of
/// the cache for four. The identifier itself would be a bad hash: consecutive ones make one long
/// run, and a removal has to look through the run. A lookup gives a slot, stable while the value
/// lives.
public struct IdentifierMap<ID: RawIdentifier, Value: SlabElement> {
    @usableFromInline var places: [IdentifierPlace]
    /// The hash is the product's highest bits; there are 2 to the power of 66 - `shift` places.
    @usableFromInline var shift: UInt64
    @usableFromInline var values = Slab<Value>()
    /// By slot, so that a visitor knows whose value it sees.
    @usableFromInline var owners: [Int] = []

    @inlinable public init() {
        places = [IdentifierPlace](repeating: IdentifierPlace(), count: 8)
        shift = 63
    }

    /// Where a key belongs. The factor is 2^64 divided by the golden ratio (Fibonacci hashing).
    @inlinable func home(_ key: Int) -> Int {
        let block = UInt64(bitPattern: Int64(key)) >> 2
        return Int(truncatingIfNeeded: (block &* 0x9E37_79B9_7F4A_7C15) >> shift) << 2 | key & 3
    }

    @inlinable public var count: Int { values.count }
    @inlinable public var isEmpty: Bool { values.isEmpty }
    /// Slots below this may be occupied; see `id(at:)`.
    @inlinable public var slotBound: Int { values.slotBound }

    /// Any integer may be asked for, also one that came from outside.
    @inlinable public func slot(of id: ID) -> Int? {
        let key = id.rawValue
        guard key >= 0 else { return nil }
        var place = home(key)
        while places[place].key != key {
            if places[place].key < 0 { return nil }
            place = (place + 1) & (places.count - 1)
        }
        return Int(places[place].slot)
    }

    @inlinable public func contains(_ id: ID) -> Bool { slot(of: id) != nil }

    @inlinable public func id(at slot: Int) -> ID? {
        values.contains(slot: slot) ? ID(owners[slot]) : nil
    }

    /// The value in an occupied slot. An empty slot is a bug of the caller.
    @inlinable public subscript(slot slot: Int) -> Value {
        @inline(__always) unsafeAddress { values.address(slot) }
        @inline(__always) unsafeMutableAddress { values.mutableAddress(slot) }
    }

    @inlinable public subscript(id: ID) -> Value? {
        guard let slot = slot(of: id) else { return nil }
        return values[slot]
    }

    /// The identifier must be new and not negative. Returns its slot.
    @inlinable @discardableResult
    public mutating func insert(_ value: Value, for id: ID) -> Int {
        precondition(id.rawValue >= 0, "identifiers count from 0")
        if (count + 1) * 2 > places.count { grow() }
        let slot = values.insert(value)
        if slot == owners.count { owners.append(id.rawValue) } else { owners[slot] = id.rawValue }
        place(id.rawValue, slot)
        return slot
    }

    /// Nothing when it's not there.
    @inlinable public mutating func remove(_ id: ID) {
        let key = id.rawValue
        guard key >= 0 else { return }
        let mask = places.count - 1
        var hole = home(key)
        while places[hole].key != key {
            if places[hole].key < 0 { return }
            hole = (hole + 1) & mask
        }
        values.remove(Int(places[hole].slot))
        // Close the gap: an entry moves up if the hole lies between its home and its place.
        var next = (hole + 1) & mask
        while places[next].key >= 0 {
            let home = home(places[next].key)
            if ((next - home) & mask) >= ((next - hole) & mask) {
                places[hole] = places[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        places[hole].key = -1
    }

    @inlinable mutating func place(_ key: Int, _ slot: Int) {
        var place = home(key)
        while places[place].key >= 0 {
            precondition(places[place].key != key, "an identifier is used twice")
            place = (place + 1) & (places.count - 1)
        }
        places[place].key = key
        places[place].slot = Int32(slot)
    }

    @usableFromInline mutating func grow() {
        let old = places
        places = [IdentifierPlace](repeating: IdentifierPlace(), count: old.count * 2)
        shift -= 1
        for entry in old where entry.key >= 0 { place(entry.key, Int(entry.slot)) }
    }
}

/// A place of the table; `key` is -1 where nothing is.
@usableFromInline struct IdentifierPlace: Sendable {
    @usableFromInline var key = -1
    @usableFromInline var slot: Int32 = 0
    @inlinable init() {}
}

extension IdentifierMap: Sendable where Value: Sendable {}
