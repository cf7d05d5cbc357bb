import MillraceBase

/// The first part of a key as a number that is smaller for keys that come earlier; equal numbers
/// say nothing, unless the prefix is the whole key.
public enum SortPrefix {
    /// Whether keys of this type have one, and whether it is the whole key.
    @inlinable @inline(__always)
    public static func kind<Key>(_: Key.Type) -> (exists: Bool, isWhole: Bool) {
        if Key.self == Int.self || Key.self == Int64.self || Key.self == Int32.self
            || Key.self == UInt64.self || Key.self == UInt32.self
        {
            return (true, true)
        }
        return (Key.self == Double.self || Key.self == String.self || Key.self == Bytes.self, false)
    }

    /// Nil for a key that has none: then those of the others say nothing either.
    @inlinable @inline(__always)
    public static func of<Key>(_ key: Key) -> UInt64? {
        if Key.self == Bytes.self { return unsafeBitCast(key, to: Bytes.self).prefix }
        if Key.self == Int.self { return signed(Int64(unsafeBitCast(key, to: Int.self))) }
        if Key.self == Int64.self { return signed(unsafeBitCast(key, to: Int64.self)) }
        if Key.self == Int32.self { return signed(Int64(unsafeBitCast(key, to: Int32.self))) }
        if Key.self == UInt64.self { return unsafeBitCast(key, to: UInt64.self) }
        if Key.self == UInt32.self { return UInt64(unsafeBitCast(key, to: UInt32.self)) }
        if Key.self == Double.self { return of(unsafeBitCast(key, to: Double.self)) }
        if Key.self == String.self { return of(unsafeBitCast(key, to: String.self)) }
        return nil
    }

    @inlinable @inline(__always) static func signed(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: value) ^ 1 << 63
    }

    /// NaN has no place in an order; -0 is 0.
    @inlinable static func of(_ value: Double) -> UInt64? {
        if value.isNaN { return nil }
        let bits = (value == 0 ? 0 : value).bitPattern
        return bits >> 63 == 0 ? bits ^ 1 << 63 : ~bits
    }

    /// Strings are ordered by canonically composed scalars; for ASCII that is by bytes. A letter
    /// may be composed with what follows it, so one byte more than the prefix has to be ASCII.
    @inlinable static func of(_ string: String) -> UInt64? {
        var string = string
        return string.withUTF8 { utf8 -> UInt64? in
            var word: UInt64 = 0
            for index in 0..<Swift.min(utf8.count, 9) {
                let byte = utf8[index]
                if byte >= 0x80 { return nil }
                if index < 8 { word |= UInt64(byte) << UInt64(56 - 8 * index) }
            }
            return word
        }
    }
}
