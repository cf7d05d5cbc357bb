/// A first-in, first-out queue in one array that grows by doubling and never shrinks.
public struct RingBuffer<Element> {
    @usableFromInline var storage: [Element?]
    @usableFromInline var head = 0
    @usableFromInline var used = 0

    /// Room for at least `capacity` elements before the first growth.
    public init(capacity: Int = 8) {
        var size = 8
        while size < capacity { size *= 2 }
        storage = [Element?](repeating: nil, count: size)
    }

    @inlinable public var count: Int { used }
    @inlinable public var isEmpty: Bool { used == 0 }
    /// The oldest element.
    @inlinable public var first: Element? { count == 0 ? nil : storage[head] }

    /// Counts from the oldest.
    @inlinable public subscript(position: Int) -> Element {
        precondition(position >= 0 && position < count, "position outside the ring")
        return storage[(head + position) & (storage.count - 1)]!
    }

    @inlinable public mutating func append(_ element: Element) {
        if count == storage.count { grow() }
        storage[(head + count) & (storage.count - 1)] = element
        used += 1
    }

    @inlinable public mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = storage[head]
        storage[head] = nil
        head = (head + 1) & (storage.count - 1)
        used -= 1
        return element
    }

    @usableFromInline mutating func grow() {
        var larger = [Element?](repeating: nil, count: storage.count * 2)
        for position in 0..<count { larger[position] = self[position] }
        storage = larger
        head = 0
    }
}

extension RingBuffer: Sendable where Element: Sendable {}
