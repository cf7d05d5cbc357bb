/// A byte string: keys and values that are neither text nor numbers. Ordered byte by byte, as
/// unsigned numbers.
///
/// Up to 15 bytes lie in the value itself. More are shared with others: rows that came through a
/// shuffle point into the frame they came in, which lives as long as one of them does; `copied()`
/// has memory of its own.
public struct Bytes: Sendable {
    /// Empty for bytes in the value itself.
    @usableFromInline var storage: [UInt8]
    /// The first 8 bytes, the first one highest, zeros behind the last.
    @usableFromInline var head: UInt64
    /// Inline: bytes 8 to 14 in the same way, and the count. Else: where they are in `storage` (28
    /// bits), how many (28 bits), and `slice`; or `whole`.
    @usableFromInline var tail: UInt64

    @usableFromInline static let slice: UInt64 = 0xFF
    @usableFromInline static let whole: UInt64 = 0xFE
    /// Most bytes in the value itself.
    @inlinable static var inlineCount: Int { 15 }
    /// A slice must end before this byte of its storage.
    public static let sliceLimit = 1 << 28

    /// No bytes.
    @inlinable public init() { (storage, head, tail) = ([], 0, 0) }

    /// A copy of these bytes.
    @inlinable public init(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count > Self.inlineCount {
            self.init(owning: Array(bytes))
        } else {
            self.init(inline: bytes)
        }
    }

    /// These bytes; more than 15 are shared with the array, not copied.
    @inlinable public init(_ bytes: [UInt8]) {
        if bytes.count > Self.inlineCount {
            self.init(owning: bytes)
        } else {
            self = bytes.withUnsafeBytes { Bytes($0) }
        }
    }

    /// `count` bytes that `fill` puts into uninitialised memory; it initialises all of them.
    @inlinable public init(
        count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        if count > Self.inlineCount {
            var bytes = Self.uninitialized(count)
            try bytes.withUnsafeMutableBytes(fill)
            self.init(owning: bytes)
            return
        }
        var words: (UInt64, UInt64) = (0, 0)
        self = try withUnsafeMutableBytes(of: &words) { room in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
            try fill(bytes)
            return Bytes(UnsafeRawBufferPointer(bytes))
        }
    }

    /// `count` bytes of `storage` from `start`, shared with it where they can be.
    @inlinable public init(sharing storage: [UInt8], from start: Int, count: Int) {
        let part = storage.withUnsafeBytes {
            let bytes = UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)])
            return (bytes.count > Self.inlineCount && start + count < Self.sliceLimit)
                ? nil : Bytes(bytes)
        }
        if let part {
            self = part
            return
        }
        let head = storage.withUnsafeBytes {
            UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        }
        let place = UInt64(truncatingIfNeeded: start) << 36
        self.init(
            storage: storage, head: head,
            tail: place | UInt64(truncatingIfNeeded: count) << 8 | Self.slice)
    }

    /// Here and not where it is used, where the compiler would ask the runtime each time how an
    /// array of bytes is stored: a sixth of what making a value cost.
    @usableFromInline static func uninitialized(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { $1 = count }
    }

    @inlinable init(inline bytes: UnsafeRawBufferPointer) {
        storage = []
        head = Self.word(bytes, 0)
        tail = Self.word(bytes, 8) | UInt64(truncatingIfNeeded: bytes.count)
    }

    @inlinable init(storage: [UInt8], head: UInt64, tail: UInt64) {
        self.storage = storage
        self.head = head
        self.tail = tail
    }

    @usableFromInline init(owning bytes: [UInt8]) {
        storage = bytes
        head = bytes.withUnsafeBytes { Self.word($0, 0) }
        tail = Self.whole
    }

    /// Up to 8 bytes from `start`, the first one highest; of the second word the lowest byte stays
    /// free.
    @inlinable static func word(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt64 {
        if start == 0, bytes.count >= 8 {
            return UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        }
        var word: UInt64 = 0
        var index = start
        while index < min(bytes.count, start + 8) {
            word |= UInt64(bytes[index]) << UInt64(56 - 8 * (index - start))
            index += 1
        }
        return word
    }

    @inlinable public var count: Int {
        switch tail & 0xFF {
        case Self.slice: Int(truncatingIfNeeded: tail >> 8 & 0xFFF_FFFF)
        case Self.whole: storage.count
        case let count: Int(truncatingIfNeeded: count)
        }
    }
    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable var isInline: Bool { tail & 0xFF <= 15 }

    /// The first 8 bytes as a number that is smaller for bytes that come earlier; zeros for bytes
    /// that are not there.
    @inlinable public var prefix: UInt64 { head }

    @inlinable public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "no byte of this number")
        if index < 8 { return UInt8(truncatingIfNeeded: head >> UInt64(56 - 8 * index)) }
        return withUnsafeBytes { $0[index] }
    }

    @inlinable public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        switch tail & 0xFF {
        case Self.whole: return try storage.withUnsafeBytes(body)
        case Self.slice:
            let start = Int(truncatingIfNeeded: tail >> 36)
            return try storage.withUnsafeBytes {
                try body(UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)]))
            }
        default:
            let words = (head.bigEndian, tail.bigEndian)
            return try Swift.withUnsafeBytes(of: words) {
                try body(UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
        }
    }

    /// The same bytes with memory of their own.
    public func copied() -> Bytes { Bytes(array) }
    /// A copy as an array.
    public var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension Bytes: Hashable, Comparable {
    @inlinable public static func == (left: Bytes, right: Bytes) -> Bool {
        guard left.head == right.head, left.count == right.count else { return false }
        if left.isInline { return left.tail == right.tail }
        return compare(left, right) == 0
    }

    @inlinable public static func < (left: Bytes, right: Bytes) -> Bool {
        if left.head != right.head { return left.head < right.head }
        if left.isInline && right.isInline { return left.tail < right.tail }
        return compare(left, right) < 0
    }

    @usableFromInline static func compare(_ left: Bytes, _ right: Bytes) -> Int {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                for index in 0..<min(left.count, right.count) where left[index] != right[index] {
                    return left[index] < right[index] ? -1 : 1
                }
                return left.count - right.count
            }
        }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension Bytes: Codable, ExpressibleByArrayLiteral, CustomStringConvertible {
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([UInt8].self))
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(array)
    }
    public init(arrayLiteral elements: UInt8...) { self.init(elements) }
    /// Hexadecimal.
    public var description: String {
        array.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
