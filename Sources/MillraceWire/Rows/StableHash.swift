import MillraceBase

/// The hash that places keys (partitions, key groups): the same in every process, run and version.
///
/// Keys that are `==` hash equal: Strings by canonical equivalence, `-0.0` as `0.0`; every NaN
/// hashes alike. Integers of every width hash by value. A tuple hashes its elements, an Array or
/// Optional its content, any other `Codable` key its encoded bytes, so a key type with a custom
/// `==` must encode equal keys equally.
///
/// The algorithm is part of the checkpoint format and must never change. `fold(a, b)` is the
/// 128-bit product of a and b, its halves xored (wyhash's step). Words: `fold(word ^ c0, c1)`.
/// Bytes: `StableBytes.hash`. Sequences: `h = fold(h ^ hash(element), c2)` over the elements, from
/// `c3 ^ count`.
///
/// Throws only for a key type that has no hash (check it on the driver: `StableHasher<Key>()`), or
/// what its `encode(to:)` throws.
@inlinable @inline(__always)
public func stableHash<Key>(_ key: Key) throws -> UInt64 {
    if let hash = StableBytes.hashOfScalar(key) { return hash }
    return try StableHasher<Key>().hashByShape(key)
}

/// `stableHash` with the key type's shape found beforehand: for tuples and Codable keys, make one
/// per operator.
public struct StableHasher<Key>: Sendable {
    private let shape: HashShape

    /// Throws `MillraceError.notSerializable` when keys of this type have no stable hash.
    public init() throws { shape = try hashShape(of: Key.self) }

    /// Equals `stableHash(key)`. Throws what a Codable key's `encode(to:)` throws.
    @inlinable @inline(__always)
    public func hash(_ key: Key) throws -> UInt64 {
        if let hash = StableBytes.hashOfScalar(key) { return hash }
        return try hashByShape(key)
    }

    @usableFromInline
    func hashByShape(_ key: Key) throws -> UInt64 {
        try withUnsafeBytes(of: key) { try shape.hash($0.baseAddress ?? Self.nowhere) }
    }

    private static var nowhere: UnsafeRawPointer { UnsafeRawPointer(bitPattern: 16)! }
}

/// The steps of the stable hash.
public enum StableBytes {

    @inlinable @inline(__always)
    public static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// The hash of a key of the commonest types, nil for others: known at compile time where the
    /// call is specialised.
    @inlinable @inline(__always)
    public static func hashOfScalar<Key>(_ key: Key) -> UInt64? {
        if Key.self == String.self { return hash(unsafeBitCast(key, to: String.self)) }
        if Key.self == Int.self { return hash(unsafeBitCast(key, to: Int.self)) }
        if Key.self == Int64.self { return hash(unsafeBitCast(key, to: Int64.self)) }
        if Key.self == Int32.self { return hash(unsafeBitCast(key, to: Int32.self)) }
        if Key.self == UInt64.self { return hash(unsafeBitCast(key, to: UInt64.self)) }
        if Key.self == UInt32.self { return hash(unsafeBitCast(key, to: UInt32.self)) }
        return nil
    }

    /// An integer of any width, by value.
    @inlinable @inline(__always)
    public static func hash<Value: FixedWidthInteger>(_ value: Value) -> UInt64 {
        fold(UInt64(truncatingIfNeeded: value) ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)
    }

    /// A string, by its UTF-8 in normalisation form C.
    @inlinable
    public static func hash(_ string: String) -> UInt64 {
        var string = string
        let fast: UInt64? = string.withUTF8 { isASCII($0) ? hash(UnsafeRawBufferPointer($0)) : nil }
        return fast ?? hashNormalized(string)
    }

    @usableFromInline
    static func hashNormalized(_ string: String) -> UInt64 {
        var string = canonicalString(string)
        return string.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
    }

    @inlinable
    static func isASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var all: UInt8 = 0
        for byte in bytes { all |= byte }
        return all < 0x80
    }

    /// A string of up to 15 bytes of ASCII; equals `hash` of the string.
    @inlinable @inline(__always)
    public static func hash(_ string: InlineString) -> UInt64 {
        let seed = fold(string.low ^ 0xe703_7ed1_a0b4_28db, string.high ^ 0xa076_1d64_78bd_642f)
        return fold(
            0xe703_7ed1_a0b4_28db ^ UInt64(truncatingIfNeeded: string.count),
            seed ^ 0x8ebc_6af0_9c88_c6e3)
    }

    /// Bytes: 16 at a time as two little-endian words, `h = fold(a ^ c1, b ^ h)` from `h = c0`;
    /// then the last 0 to 16 bytes as two words (of up to 8 bytes each, zero-padded) in the same
    /// way, and `fold(c1 ^ count, h ^ c2)`.
    @inlinable
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var seed: UInt64 = 0xa076_1d64_78bd_642f
        var position = 0
        while bytes.count - position > 16 {
            let first = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let second = bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)
            seed = fold(
                UInt64(littleEndian: first) ^ 0xe703_7ed1_a0b4_28db,
                UInt64(littleEndian: second) ^ seed)
            position += 16
        }
        let first = tail(bytes, position)
        let second = tail(bytes, position + 8)
        seed = fold(first ^ 0xe703_7ed1_a0b4_28db, second ^ seed)
        return fold(0xe703_7ed1_a0b4_28db ^ UInt64(bytes.count), seed ^ 0x8ebc_6af0_9c88_c6e3)
    }

    /// Up to 8 bytes from `start` as a little-endian word.
    @inlinable @inline(__always)
    static func tail(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt64 {
        let count = bytes.count - start
        if count >= 8 {
            return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        }
        var word: UInt64 = 0
        var index = 0
        while index < count {
            word |= UInt64(bytes[start + index]) << UInt64(8 * index)
            index += 1
        }
        return word
    }

    static func begin(_ count: Int) -> UInt64 { 0x5899_65cc_7537_4cc3 ^ UInt64(count) }
    static func add(_ hash: UInt64, to sequence: UInt64) -> UInt64 {
        fold(sequence ^ hash, 0x8ebc_6af0_9c88_c6e3)
    }
}
