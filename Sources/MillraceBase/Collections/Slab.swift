/// What can lie in a `Slab`: it can let go of what it holds, because its slot stays where it is
/// until it's used again.
public protocol SlabElement {
    /// Gives up arrays and other storage. Nobody looks at the value afterwards.
    mutating func vacate()
}

extension SlabElement {
    /// For values that hold nothing.
    @inlinable public mutating func vacate() {}
}

/// Values at stable small integers: insertion takes the slot freed last, so memory stays as large
/// as the most values ever held at once. Slots are reused, so keep one only as long as its value is
/// known to live.
///
/// The elements lie bare in one array: wrapped in optionals, each look at one field would copy (and
/// retain) the whole.
public struct Slab<Element: SlabElement> {
    @usableFromInline var entries: [Element] = []
    @usableFromInline var isOccupied: [Bool] = []
    @usableFromInline var free: [Int] = []

    @inlinable public init() {}

    @inlinable public var count: Int { entries.count - free.count }
    @inlinable public var isEmpty: Bool { count == 0 }
    /// One more than the highest slot ever used.
    @inlinable public var slotBound: Int { entries.count }
    @inlinable public func contains(slot: Int) -> Bool { isOccupied[slot] }

    /// The value in an occupied slot. An empty slot is a bug of the caller.
    @inlinable public subscript(slot: Int) -> Element {
        @inline(__always) unsafeAddress { address(slot) }
        @inline(__always) unsafeMutableAddress { mutableAddress(slot) }
    }

    // An accessor that hands out an address, valid as long as the access: a coroutine that isn't
    // inlined allocates its frame, and copies the whole element for a call on it.
    @inlinable func address(_ slot: Int) -> UnsafePointer<Element> {
        assert(isOccupied[slot], "an empty slot is read")
        return entries.withUnsafeBufferPointer { $0.baseAddress! + slot }
    }
    @inlinable mutating func mutableAddress(_ slot: Int) -> UnsafeMutablePointer<Element> {
        assert(isOccupied[slot], "an empty slot is changed")
        return entries.withUnsafeMutableBufferPointer { $0.baseAddress! + slot }
    }

    @inlinable public mutating func insert(_ element: Element) -> Int {
        if let slot = free.popLast() {
            entries[slot] = element
            isOccupied[slot] = true
            return slot
        }
        entries.append(element)
        isOccupied.append(true)
        return entries.count - 1
    }

    @inlinable public mutating func remove(_ slot: Int) {
        precondition(isOccupied[slot], "an empty slot is removed")
        entries[slot].vacate()
        isOccupied[slot] = false
        free.append(slot)
    }
}

extension Slab: Sendable where Element: Sendable {}
