/// Values by identifier, for identifiers that are handed out in order, live for a while and never
/// come back.
///
/// A hash table with one multiplication as its hash, the same in every process, and linear
/// probing (3-10 ns a lookup against 50-200 ns for `Dictionary`). The identifier itself would be
/// a bad hash: consecutive ones make one long run, and a removal has to look through the run.
/// A lookup gives a slot, stable while the value lives.
public struct IdentifierMap<ID: RawIdentifier, Value: SlabElement> {
    @usableFromInline var keys: [Int]
    @usableFromInline var slots: [Int32]
    /// The hash is the product's highest bits; `keys.count` is 2 to the power of 64 - `shift`.
    @usableFromInline var shift: UInt64
    @usableFromInline var values = Slab<Value>()
    /// By slot, so that a visitor knows whose value it sees.
    @usableFromInline var owners: [Int] = []

    @inlinable public init() {
        keys = [Int](repeating: -1, count: 8)
        slots = [Int32](repeating: 0, count: 8)
        shift = 61
    }

    /// Where a key belongs. The factor is 2^64 divided by the golden ratio (Fibonacci hashing).
    @inlinable func home(_ key: Int) -> Int {
        Int(truncatingIfNeeded: (UInt64(bitPattern: Int64(key)) &* 0x9E37_79B9_7F4A_7C15) >> shift)
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
        while keys[place] != key {
            if keys[place] < 0 { return nil }
            place = (place + 1) & (keys.count - 1)
        }
        return Int(slots[place])
    }

    @inlinable public func contains(_ id: ID) -> Bool { slot(of: id) != nil }

    @inlinable public func id(at slot: Int) -> ID? {
        values.contains(slot: slot) ? ID(owners[slot]) : nil
    }

    /// The value in an occupied slot. An empty slot is a bug of the caller.
    @inlinable public subscript(slot slot: Int) -> Value {
        @inline(__always) _read { yield values[slot] }
        // A coroutine that isn't inlined allocates its frame, for each change of one field.
        @inline(__always) _modify { yield &values[slot] }
    }

    @inlinable public subscript(id: ID) -> Value? {
        guard let slot = slot(of: id) else { return nil }
        return values[slot]
    }

    /// The identifier must be new and not negative. Returns its slot.
    @inlinable @discardableResult
    public mutating func insert(_ value: Value, for id: ID) -> Int {
        precondition(id.rawValue >= 0, "identifiers count from 0")
        if (count + 1) * 2 > keys.count { grow() }
        let slot = values.insert(value)
        if slot == owners.count { owners.append(id.rawValue) } else { owners[slot] = id.rawValue }
        place(id.rawValue, slot)
        return slot
    }

    /// Nothing when it's not there.
    @inlinable public mutating func remove(_ id: ID) {
        let key = id.rawValue
        guard key >= 0 else { return }
        let mask = keys.count - 1
        var hole = home(key)
        while keys[hole] != key {
            if keys[hole] < 0 { return }
            hole = (hole + 1) & mask
        }
        values.remove(Int(slots[hole]))
        // Close the gap: an entry moves up if the hole lies between its home and its place.
        var next = (hole + 1) & mask
        while keys[next] >= 0 {
            let home = home(keys[next])
            if ((next - home) & mask) >= ((next - hole) & mask) {
                keys[hole] = keys[next]
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        keys[hole] = -1
    }

    @inlinable mutating func place(_ key: Int, _ slot: Int) {
        var place = home(key)
        while keys[place] >= 0 {
            precondition(keys[place] != key, "an identifier is used twice")
            place = (place + 1) & (keys.count - 1)
        }
        keys[place] = key
        slots[place] = Int32(slot)
    }

    @usableFromInline mutating func grow() {
        let (oldKeys, oldSlots) = (keys, slots)
        keys = [Int](repeating: -1, count: oldKeys.count * 2)
        slots = [Int32](repeating: 0, count: oldKeys.count * 2)
        shift -= 1
        for (place, key) in oldKeys.enumerated() where key >= 0 {
            self.place(key, Int(oldSlots[place]))
        }
    }
}

extension IdentifierMap: Sendable where Value: Sendable {}
