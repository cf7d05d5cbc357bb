import MillraceBase

/// The hash that places keys: the same in every process, run and version. Equal keys hash equal (Strings by canonical
/// equivalence, `-0.0` as `0.0`, every NaN alike).
///
/// Throws only for a key type that is neither a tuple of supported leaves nor `Codable`
/// (check it on the driver by `StableHasher<Key>()`), or what its `encode(to:)` throws.
@inlinable public func stableHash<Key>(_ key: Key) throws -> UInt64 {
    if Key.self == Int.self { return UInt64(bitPattern: Int64(unsafeBitCast(key, to: Int.self))) }
    return try StableHasher<Key>().hash(key)
}

/// `stableHash` with the key type's shape found beforehand: for tuples and Codable keys, make one per operator.
public struct StableHasher<Key>: Sendable {
    /// Throws `MillraceError.notSerializable` when keys of this type have no stable hash.
    public init() throws {}
    public func hash(_ key: Key) throws -> UInt64 { preconditionFailure("soon") }
}
