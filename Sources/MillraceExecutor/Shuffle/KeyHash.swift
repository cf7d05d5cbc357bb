import MillraceWire

/// From a key's `stableHash` to its place: the upper half chooses the reduce partition, the lower half the slot in a table,
/// so that the keys of one partition still spread over all slots.
public enum KeyHash {
    /// Makes all bits depend on all bits (an integer's stable hash is the integer).
    @inlinable @inline(__always) public static func spread(_ stable: UInt64) -> UInt64 {
        let mixed = (stable ^ (stable >> 32)) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ (mixed >> 32)
    }

    /// The reduce partition of a spread hash.
    @inlinable @inline(__always) public static func partition(_ spread: UInt64, of count: Int) -> Int {
        Int(truncatingIfNeeded: ((spread >> 32) &* UInt64(truncatingIfNeeded: count)) >> 32)
    }
}

/// Hashes the keys of one partition; made once by a kernel, because finding a key type's shape takes longer than a hash.
public struct KeyHasher<Key> {
    @usableFromInline let stable: StableHasher<Key>

    /// Throws `MillraceError.notSerializable` for keys without a stable hash.
    @inlinable public init() throws { stable = try StableHasher() }

    /// The key's stable hash, spread.
    @inlinable @inline(__always) public func hash(_ key: Key) throws -> UInt64 {
        if Key.self == Int.self {
            return KeyHash.spread(UInt64(bitPattern: Int64(unsafeBitCast(key, to: Int.self))))
        }
        return KeyHash.spread(try stable.hash(key))
    }
}
