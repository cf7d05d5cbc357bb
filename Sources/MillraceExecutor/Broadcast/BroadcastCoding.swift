import MillraceBase
import MillraceWire

/// A broadcast value as bytes. An array of bytes is its own form: it is neither copied on the
/// driver nor on the executors.
public enum BroadcastCoding<Value> {
    /// Throws `notSerializable` for a value that cannot be encoded.
    public static func bytes(of value: Value) throws -> [UInt8] {
        if Value.self == [UInt8].self, let bytes = value as? [UInt8] { return bytes }
        return try RowCodec<Value>().bytes(of: [value])
    }

    /// Throws `corruptData` for bytes that are no such value.
    static func value(of bytes: [UInt8], _ id: BroadcastID) throws -> Value {
        if Value.self == [UInt8].self, let value = bytes as? Value { return value }
        guard let value = try RowCodec<Value>().rows(of: bytes).first else {
            throw MillraceError(.corruptData, "\(id) is empty")
        }
        return value
    }
}
