import MillraceWire

/// Sorts a buffer of keyed rows. `@inlinable`, so that the kernel that calls it compares the
/// user's keys without a dynamic call.
public enum RowSort {
    /// By a closure.
    @inlinable public static func sort<Key, Value>(
        _ rows: RowBuffer<(Key, Value)>, by precedes: (Key, Key) throws -> Bool
    ) rethrows {
        var order = rows.rows
        try order.sort { try precedes($0.0, $1.0) }
    }

    /// By the keys' own order: by their prefixes' digits where they have prefixes, comparing only
    /// keys whose prefixes are equal.
    @inlinable public static func sort<Key: Comparable, Value>(
        _ rows: RowBuffer<(Key, Value)>, ascending: Bool
    ) {
        let kind = SortPrefix.kind(Key.self)
        let precedes: (Key, Key) -> Bool = { ascending ? $0 < $1 : $1 < $0 }
        guard kind.exists, rows.count > 64, let items = items(rows, ascending) else {
            return sort(rows, by: precedes)
        }
        defer { items.deallocate() }
        PrefixItem.sort(items)
        if !kind.isWhole {
            let keys = rows.rows
            PrefixItem.forEachTie(items) { tie in
                var tie = tie
                tie.sort { precedes(keys[$0.row].0, keys[$1.row].0) }
            }
        }
        let unsorted = rows.takeAll()
        let sorted = RowBuffer<(Key, Value)>(capacity: unsorted.count)
        sorted.append(room: unsorted.count) { target in
            for (place, item) in items.enumerated() {
                (target + place).moveInitialize(from: unsorted.baseAddress! + item.row, count: 1)
            }
            return unsorted.count
        }
        rows.swap(with: sorted)
    }

    /// Nil when a key has no prefix.
    @inlinable static func items<Key, Value>(
        _ rows: RowBuffer<(Key, Value)>, _ ascending: Bool
    ) -> UnsafeMutableBufferPointer<PrefixItem>? {
        let items = UnsafeMutableBufferPointer<PrefixItem>(
            start: HugePages.allocate(capacity: rows.count), count: rows.count)
        let keys = rows.rows
        for row in 0..<rows.count {
            guard let prefix = SortPrefix.of(keys[row].0) else {
                items.deallocate()
                return nil
            }
            items.initializeElement(
                at: row, to: PrefixItem(prefix: ascending ? prefix : ~prefix, row: row))
        }
        return items
    }
}

/// A row's prefix and number.
@frozen public struct PrefixItem {
    public var prefix: UInt64
    public var row: Int

    @inlinable init(prefix: UInt64, row: Int) {
        self.prefix = prefix
        self.row = row
    }

    private static let digitBits = 11

    /// By prefix; stable. Radix sort from the lowest digit up; digits that all share are left out.
    @usableFromInline static func sort(_ items: UnsafeMutableBufferPointer<PrefixItem>) {
        let other = UnsafeMutableBufferPointer<PrefixItem>(
            start: HugePages.allocate(capacity: items.count), count: items.count)
        defer { other.deallocate() }
        var (all, any) = (UInt64.max, UInt64(0))
        for item in items {
            all &= item.prefix
            any |= item.prefix
        }
        let varying = all ^ any
        var (from, to) = (items, other)
        var shift = 0
        while shift < 64 {
            if (varying >> UInt64(shift)) & UInt64((1 << digitBits) - 1) != 0 {
                pass(from, to, shift)
                swap(&from, &to)
            }
            shift += digitBits
        }
        if from.baseAddress != items.baseAddress {
            _ = items.update(fromContentsOf: from)
        }
    }

    private static func pass(
        _ from: UnsafeMutableBufferPointer<PrefixItem>,
        _ to: UnsafeMutableBufferPointer<PrefixItem>, _ shift: Int
    ) {
        let mask = UInt64((1 << digitBits) - 1)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 1 << digitBits) { places in
            places.initialize(repeating: 0)
            for item in from {
                places[Int(truncatingIfNeeded: item.prefix &>> UInt64(shift) & mask)] &+= 1
            }
            var sum = 0
            for digit in places.indices {
                let count = places[digit]
                places[digit] = sum
                sum &+= count
            }
            for item in from {
                let digit = Int(truncatingIfNeeded: item.prefix &>> UInt64(shift) & mask)
                (to.baseAddress! + places[digit]).initialize(to: item)
                places[digit] &+= 1
            }
        }
    }

    /// Runs of several items with one prefix.
    @inlinable static func forEachTie(
        _ items: UnsafeMutableBufferPointer<PrefixItem>,
        _ body: (UnsafeMutableBufferPointer<PrefixItem>) -> Void
    ) {
        var start = 0
        while start < items.count {
            var end = start &+ 1
            while end < items.count, items[end].prefix == items[start].prefix { end &+= 1 }
            if end &- start > 1 {
                body(UnsafeMutableBufferPointer(rebasing: items[start..<end]))
            }
            start = end
        }
    }
}
