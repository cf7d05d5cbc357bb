import MillraceBase
import MillraceWire

/// From a key's `stableHash` to its place: the upper half chooses the reduce partition, the lower
/// half the slot in a table, so that the keys of one partition still spread over all slots.
public enum KeyHash {
    /// The reduce partition of a hash.
    @inlinable @inline(__always) public static func partition(_ hash: UInt64, of count: Int) -> Int
    {
        Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(truncatingIfNeeded: count)) >> 32)
    }
}

/// Hashes the keys of one partition; made once by a kernel, because finding a key type's shape
/// takes longer than a hash.
public struct KeyHasher<Key> {
    @usableFromInline let stable: StableHasher<Key>
    @usableFromInline let readsInlineStrings = InlineString.isKnown

    /// Throws `MillraceError.notSerializable` for keys without a stable hash.
    @inlinable public init() throws { stable = try StableHasher() }

    /// The key's stable hash. State on disk is placed by it, so it can never change.
    @inlinable @inline(__always) public func hash(_ key: Key) throws -> UInt64 {
        if Key.self == String.self, readsInlineStrings,
            let inline = InlineString(unsafeBitCast(key, to: String.self))
        {
            return StableBytes.hash(inline)
        }
        return try stable.hash(key)
    }
}
