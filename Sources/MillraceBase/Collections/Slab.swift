/// Values at stable small integers: insertion takes the slot freed last, so memory stays as large
/// as the most values ever held at once. Slots are reused, so keep one only as long as its value is
/// known to live.
public struct Slab<Element> {
    @usableFromInline var entries: [Element?] = []
    @usableFromInline var free: [Int] = []

    @inlinable public init() {}

    @inlinable public var count: Int { entries.count - free.count }
    @inlinable public var isEmpty: Bool { count == 0 }
    /// One more than the highest slot ever used.
    @inlinable public var slotBound: Int { entries.count }
    @inlinable public func isOccupied(_ slot: Int) -> Bool { entries[slot] != nil }

    /// The value in an occupied slot. An empty slot is a bug of the caller.
    @inlinable public subscript(slot: Int) -> Element {
        _read { yield entries[slot]! }
        _modify { yield &entries[slot]! }
    }

    @inlinable public mutating func insert(_ element: Element) -> Int {
        if let slot = free.popLast() {
            entries[slot] = element
            return slot
        }
        entries.append(element)
        return entries.count - 1
    }

    @inlinable public mutating func remove(_ slot: Int) {
        precondition(entries[slot] != nil, "an empty slot is removed")
        entries[slot] = nil
        free.append(slot)
    }
}

extension Slab: Sendable where Element: Sendable {}
