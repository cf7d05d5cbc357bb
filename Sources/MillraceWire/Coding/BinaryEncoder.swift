import MillraceBase

/// Any `Encodable` value as compact, deterministic bytes: `Dictionary` and `Set` are written in the
/// order of their encoded keys, so equal values give equal bytes in every process.
///
/// Fields are found by name when decoded, so that a type may gain optional fields. The format is in
/// `BinaryTag`.
public struct BinaryEncoder {
    /// Handed to `encode(to:)` of the values.
    public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    public init() {}

    /// Throws what the value's `encode(to:)` throws, and `EncodingError` when it nests deeper than
    /// 256 levels.
    public func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
        var writer = ByteWriter()
        try encode(value, into: &writer)
        return writer.bytes
    }

    /// Appends; on an error the writer is as it was.
    public func encode<Value: Encodable>(_ value: Value, into writer: inout ByteWriter) throws {
        let session = EncoderSession(isCanonical: false, userInfo: userInfo)
        let bytes = try session.encodeWhole(value)
        writer.writeRaw(bytes)
    }
}
