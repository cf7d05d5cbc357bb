/// Values by identifier, for identifiers that are handed out in order, live for a while and never
/// come back.
///
/// A hash table without hashing: `id & mask` with linear probing, so neighbours in number are
/// neighbours in memory (3-10 ns a lookup against 50-200 ns for `Dictionary`). A lookup gives a
/// slot, stable while the value lives; slots are visited in the same order in every process.
public struct IdentifierMap<ID: RawIdentifier, Value> {
    @usableFromInline var keys: [Int]
    @usableFromInline var slots: [Int32]
    @usableFromInline var values = Slab<Value>()
    /// By slot, so that a visitor knows whose value it sees.
    @usableFromInline var owners: [Int] = []

    @inlinable public init() {
        keys = [Int](repeating: -1, count: 8)
        slots = [Int32](repeating: 0, count: 8)
    }

    @inlinable public var count: Int { values.count }
    @inlinable public var isEmpty: Bool { values.isEmpty }
    /// Slots below this may be occupied; see `id(at:)`.
    @inlinable public var slotBound: Int { values.slotBound }

    /// Any integer may be asked for, also one that came from outside.
    @inlinable public func slot(of id: ID) -> Int? {
        let key = id.rawValue
        guard key >= 0 else { return nil }
        var place = key & (keys.count - 1)
        while keys[place] != key {
            if keys[place] < 0 { return nil }
            place = (place + 1) & (keys.count - 1)
        }
        return Int(slots[place])
    }

    @inlinable public func contains(_ id: ID) -> Bool { slot(of: id) != nil }

    @inlinable public func id(at slot: Int) -> ID? {
        values.isOccupied(slot) ? ID(owners[slot]) : nil
    }

    /// The value in an occupied slot. An empty slot is a bug of the caller.
    @inlinable public subscript(slot slot: Int) -> Value {
        _read { yield values[slot] }
        _modify { yield &values[slot] }
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
        var hole = key & mask
        while keys[hole] != key {
            if keys[hole] < 0 { return }
            hole = (hole + 1) & mask
        }
        values.remove(Int(slots[hole]))
        // Close the gap: an entry moves up if the hole lies between its home and its place.
        var next = (hole + 1) & mask
        while keys[next] >= 0 {
            let home = keys[next] & mask
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
        var place = key & (keys.count - 1)
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
        for (place, key) in oldKeys.enumerated() where key >= 0 {
            self.place(key, Int(oldSlots[place]))
        }
    }
}

extension IdentifierMap: Sendable where Value: Sendable {}
