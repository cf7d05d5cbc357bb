import MillraceBase

/// Any `Encodable` value as compact, deterministic bytes: `Dictionary` and `Set` are written in the order of their encoded
/// keys, so equal values give equal bytes in every process.
public struct BinaryEncoder {
    public init() {}
    /// Throws what the value's `encode(to:)` throws, and `EncodingError` when it nests too deep.
    public func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
        var writer = ByteWriter()
        try encode(value, into: &writer)
        return writer.bytes
    }
    public func encode<Value: Encodable>(_ value: Value, into writer: inout ByteWriter) throws {
        preconditionFailure("soon")
    }
}

/// Reads what `BinaryEncoder` wrote. Bad bytes throw `DecodingError`; nothing traps.
public struct BinaryDecoder {
    public init() {}
    /// Bytes that are left over are an error.
    public func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws -> Value {
        var reader = ByteReader(bytes)
        let value = try decode(Value.self, from: &reader)
        try reader.expectEnd()
        return value
    }
    public func decode<Value: Decodable>(
        _: Value.Type, from reader: inout ByteReader
    ) throws -> Value {
        preconditionFailure("soon")
    }
}
