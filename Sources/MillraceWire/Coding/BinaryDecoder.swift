import MillraceBase

/// Reads what `BinaryEncoder` wrote. Bad bytes throw `DecodingError` (with the offset and the
/// path); nothing traps, and no more is allocated than the bytes call for.
public struct BinaryDecoder {
    /// Handed to `init(from:)` of the values.
    public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    public init() {}

    /// One value that fills the bytes: bytes left over are an error.
    public func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws -> Value {
        var reader = ByteReader(bytes)
        let value = try decode(Value.self, from: &reader)
        try reader.expectEnd()
        return value
    }

    /// One value; the reader stands behind it afterwards, and where it was on an error.
    public func decode<Value: Decodable>(
        _: Value.Type, from reader: inout ByteReader
    ) throws -> Value {
        let session = DecoderSession(
            reader.storage, from: reader.position, to: reader.endPosition, userInfo: userInfo)
        let value = try session.read(Value.self, key: nil)
        try reader.skip(session.position - reader.position)
        return value
    }
}
