/// Rows on their way from one operator to the next: a growing array without copy-on-write, whose
/// rows can be moved out.
///
/// An `Array` cannot give an element away: the next operator copies it and the array destroys it
/// later, two reference counts a row for nothing. Here `moveEach` hands each row over as it is. A
/// buffer is used by one task thread; cursors fill the caller's, again and again.
public final class RowBuffer<Row> {
    @usableFromInline struct Fields {
        @usableFromInline var base: UnsafeMutablePointer<Row>
        @usableFromInline var filled = 0
        @usableFromInline var capacity: Int

        @inlinable init(capacity: Int) {
            base = HugePages.allocate(capacity: capacity)
            self.capacity = capacity
        }
    }
    /// Behind a pointer: Swift watches each access to a class's own properties while the program
    /// runs (exclusivity), which was a fifth of an aggregation's time.
    @usableFromInline let fields: UnsafeMutablePointer<Fields>
    @inlinable var base: UnsafeMutablePointer<Row> {
        @inline(__always) get { fields.pointee.base }
        @inline(__always) set { fields.pointee.base = newValue }
    }
    @inlinable var filled: Int {
        @inline(__always) get { fields.pointee.filled }
        @inline(__always) set { fields.pointee.filled = newValue }
    }
    @inlinable var capacity: Int {
        @inline(__always) get { fields.pointee.capacity }
        @inline(__always) set { fields.pointee.capacity = newValue }
    }

    @inlinable public init(capacity: Int = 0) {
        fields = .allocate(capacity: 1)
        fields.initialize(to: Fields(capacity: capacity))
    }

    /// A buffer of these rows.
    public convenience init(_ rows: some Collection<Row>) {
        self.init(capacity: rows.count)
        append(contentsOf: rows)
    }

    deinit {
        base.deinitialize(count: filled)
        base.deallocate()
        fields.deallocate()
    }

    @inlinable public var count: Int { filled }
    @inlinable public var isEmpty: Bool { filled == 0 }
    @inlinable public var first: Row? { filled > 0 ? base.pointee : nil }
    /// The rows in place, until the buffer changes.
    @inlinable public var rows: UnsafeMutableBufferPointer<Row> {
        UnsafeMutableBufferPointer(start: base, count: filled)
    }

    @inlinable public subscript(index: Int) -> Row {
        @inline(__always) get {
            precondition(index >= 0 && index < filled, "no row of this number")
            return base[index]
        }
    }

    // MARK: Filling

    @inlinable @inline(__always) public func append(_ row: consuming Row) {
        if filled == capacity { grow(to: filled + 1) }
        (base + filled).initialize(to: row)
        filled &+= 1
    }

    public func append(contentsOf rows: some Sequence<Row>) {
        reserveCapacity(filled + rows.underestimatedCount)
        for row in rows { append(row) }
    }

    /// Appends up to `room` rows that `fill` puts into uninitialised memory; it says how many, and
    /// has initialised none when it throws.
    @inlinable @inline(__always)
    public func append(
        room: Int, _ fill: (UnsafeMutablePointer<Row>) throws -> Int
    ) rethrows {
        reserveCapacity(filled + room)
        let added = try fill(base + filled)
        assert(added >= 0 && added <= room, "as many as there is room for")
        filled &+= added
    }

    /// Appends the rows of another buffer, which is empty then.
    public func append(moving other: RowBuffer) {
        let rows = other.takeAll()
        append(room: rows.count) { room in
            room.moveInitialize(from: rows.baseAddress!, count: rows.count)  // allocated
            return rows.count
        }
    }

    @inlinable public func reserveCapacity(_ wanted: Int) {
        if wanted > capacity { grow(to: wanted) }
    }

    @usableFromInline func grow(to wanted: Int) {
        let larger = Swift.max(wanted, 2 * capacity, 16)
        let moved: UnsafeMutablePointer<Row> = HugePages.allocate(capacity: larger)
        moved.moveInitialize(from: base, count: filled)
        base.deallocate()
        base = moved
        capacity = larger
    }

    // MARK: Emptying

    /// The memory stays.
    @inlinable public func removeAll() {
        let count = filled
        filled = 0
        base.deinitialize(count: count)
    }

    /// Keeps the rows for which `isExcluded` says false, in their order.
    @inlinable @inline(__always)
    public func removeAll(where isExcluded: (Row) throws -> Bool) rethrows {
        let count = filled
        var (kept, next) = (0, 0)
        // Also when it throws: what was looked at and kept, then the rest.
        defer {
            (base + kept).moveInitialize(from: base + next, count: count &- next)
            filled = kept &+ count &- next
        }
        while next < count {
            let isOut = try isExcluded(base[next])
            if isOut {
                (base + next).deinitialize(count: 1)
            } else {
                if kept != next { (base + kept).moveInitialize(from: base + next, count: 1) }
                kept &+= 1
            }
            next &+= 1
        }
    }

    /// Hands each row over, in order; the buffer is empty then. When `body` throws, the rows that
    /// it did not get are gone too.
    @inlinable @inline(__always)
    public func moveEach(_ body: (consuming Row) throws -> Void) rethrows {
        let count = filled
        filled = 0
        var next = 0
        defer { if next < count { (base + next).deinitialize(count: count &- next) } }
        while next < count {
            next &+= 1
            try body((base + (next &- 1)).move())
        }
    }

    /// The rows themselves, initialised; the buffer counts as empty. The caller moves or destroys
    /// each before the buffer is used again.
    @inlinable public func takeAll() -> UnsafeMutableBufferPointer<Row> {
        defer { filled = 0 }
        return rows
    }

    /// Exchanges the rows of two buffers.
    @inlinable public func swap(with other: RowBuffer) {
        if other !== self { Swift.swap(&fields.pointee, &other.fields.pointee) }
    }

    /// The rows as an array; the buffer is empty then.
    @inlinable public func takeArray() -> [Row] {
        let rows = takeAll()
        return [Row](unsafeUninitializedCapacity: rows.count) { array, count in
            count = rows.count
            if let target = array.baseAddress {
                target.moveInitialize(from: rows.baseAddress!, count: count)
            }
        }
    }
}

extension RowBuffer: Sequence {
    /// Copies of the rows. The buffer must not change meanwhile.
    @inlinable public func makeIterator() -> Iterator { Iterator(self) }
    @inlinable public var underestimatedCount: Int { filled }

    public struct Iterator: IteratorProtocol {
        @usableFromInline let buffer: RowBuffer
        @usableFromInline var position = 0

        @inlinable init(_ buffer: RowBuffer) { self.buffer = buffer }

        @inlinable public mutating func next() -> Row? {
            if position == buffer.filled { return nil }
            position &+= 1
            return buffer.base[position &- 1]
        }
    }
}
