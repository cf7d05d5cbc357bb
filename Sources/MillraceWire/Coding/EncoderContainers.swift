import MillraceBase

/// The encoder that a value sees: a place in a session.
struct BinaryEncoding: Encoder {
    let session: EncoderSession
    let level: Int

    var codingPath: [any CodingKey] { session.path }
    var userInfo: [CodingUserInfoKey: Any] { session.userInfo }

    func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
        session.open(.record, level)
        return KeyedEncodingContainer(RecordEncoding<Key>(session: session, level: level))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        session.open(.list, level)
        return ListEncoding(session: session, level: level)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer {
        session.open(.single, level)
        return SingleEncoding(session: session, level: level)
    }
}

/// A keyed container. `encodeIfPresent` keeps the place of what is nil, see `BinaryTag.absent`.
struct RecordEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let session: EncoderSession
    let level: Int

    var codingPath: [any CodingKey] { session.path }

    @inline(__always) private func begin(_ key: Key) -> EncoderSession {
        session.touch(level)
        session.writeKey(key.stringValue)
        return session
    }
    private func absent(_ key: Key) { begin(key).writer.writeByte(BinaryTag.absent) }

    func encodeNil(forKey key: Key) { begin(key).writeNil() }
    func encode(_ value: Bool, forKey key: Key) { begin(key).writeBool(value) }
    func encode(_ value: String, forKey key: Key) { begin(key).writeString(value) }
    func encode(_ value: Double, forKey key: Key) { begin(key).writeDouble(value) }
    func encode(_ value: Float, forKey key: Key) { begin(key).writeFloat(value) }
    func encode(_ value: Int, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: Int8, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: Int16, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: Int32, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: Int64, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: Int128, forKey key: Key) { begin(key).writeWide(BinaryTag.int128, value) }
    func encode(_ value: UInt, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: UInt8, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: UInt16, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: UInt32, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: UInt64, forKey key: Key) { begin(key).writeInteger(value) }
    func encode(_ value: UInt128, forKey key: Key) {
        begin(key).writeWide(BinaryTag.uint128, value)
    }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try begin(key).write(value, key: key)
    }

    func encodeIfPresent(_ value: Bool?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: String?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: Double?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: Float?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: Int?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: Int8?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: Int16?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: Int32?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: Int128?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: UInt?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: UInt8?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: UInt16?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: UInt32?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: UInt64?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent(_ value: UInt128?, forKey key: Key) {
        if let value { encode(value, forKey: key) } else { absent(key) }
    }
    func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
        if let value { try encode(value, forKey: key) } else { absent(key) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        BinaryEncoding(session: begin(key).deferred(key), level: 0).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        BinaryEncoding(session: begin(key).deferred(key), level: 0).unkeyedContainer()
    }
    func superEncoder() -> any Encoder {
        session.touch(level)
        session.writeKey(BinaryKey.superKey.stringValue)
        return BinaryEncoding(session: session.deferred(BinaryKey.superKey), level: 0)
    }
    func superEncoder(forKey key: Key) -> any Encoder {
        BinaryEncoding(session: begin(key).deferred(key), level: 0)
    }
}

/// An unkeyed container.
struct ListEncoding: UnkeyedEncodingContainer {
    let session: EncoderSession
    let level: Int

    var codingPath: [any CodingKey] { session.path }
    var count: Int { level < session.levels.count ? session.levels[level].count : 0 }

    @inline(__always) private func begin() -> EncoderSession {
        session.touch(level)
        return session
    }
    private var key: BinaryKey { BinaryKey(intValue: count - 1) }

    func encodeNil() { begin().writeNil() }
    func encode(_ value: Bool) { begin().writeBool(value) }
    func encode(_ value: String) { begin().writeString(value) }
    func encode(_ value: Double) { begin().writeDouble(value) }
    func encode(_ value: Float) { begin().writeFloat(value) }
    func encode(_ value: Int) { begin().writeInteger(value) }
    func encode(_ value: Int8) { begin().writeInteger(value) }
    func encode(_ value: Int16) { begin().writeInteger(value) }
    func encode(_ value: Int32) { begin().writeInteger(value) }
    func encode(_ value: Int64) { begin().writeInteger(value) }
    func encode(_ value: Int128) { begin().writeWide(BinaryTag.int128, value) }
    func encode(_ value: UInt) { begin().writeInteger(value) }
    func encode(_ value: UInt8) { begin().writeInteger(value) }
    func encode(_ value: UInt16) { begin().writeInteger(value) }
    func encode(_ value: UInt32) { begin().writeInteger(value) }
    func encode(_ value: UInt64) { begin().writeInteger(value) }
    func encode(_ value: UInt128) { begin().writeWide(BinaryTag.uint128, value) }
    func encode<Value: Encodable>(_ value: Value) throws {
        try begin().write(value, key: nil)
    }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        BinaryEncoding(session: begin().deferred(key), level: 0).container(keyedBy: type)
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        BinaryEncoding(session: begin().deferred(key), level: 0).unkeyedContainer()
    }
    func superEncoder() -> any Encoder {
        BinaryEncoding(session: begin().deferred(key), level: 0)
    }
}

/// A single value container.
struct SingleEncoding: SingleValueEncodingContainer {
    let session: EncoderSession
    let level: Int

    var codingPath: [any CodingKey] { session.path }

    @inline(__always) private func begin() -> EncoderSession {
        session.touch(level)
        return session
    }

    func encodeNil() { begin().writeNil() }
    func encode(_ value: Bool) { begin().writeBool(value) }
    func encode(_ value: String) { begin().writeString(value) }
    func encode(_ value: Double) { begin().writeDouble(value) }
    func encode(_ value: Float) { begin().writeFloat(value) }
    func encode(_ value: Int) { begin().writeInteger(value) }
    func encode(_ value: Int8) { begin().writeInteger(value) }
    func encode(_ value: Int16) { begin().writeInteger(value) }
    func encode(_ value: Int32) { begin().writeInteger(value) }
    func encode(_ value: Int64) { begin().writeInteger(value) }
    func encode(_ value: Int128) { begin().writeWide(BinaryTag.int128, value) }
    func encode(_ value: UInt) { begin().writeInteger(value) }
    func encode(_ value: UInt8) { begin().writeInteger(value) }
    func encode(_ value: UInt16) { begin().writeInteger(value) }
    func encode(_ value: UInt32) { begin().writeInteger(value) }
    func encode(_ value: UInt64) { begin().writeInteger(value) }
    func encode(_ value: UInt128) { begin().writeWide(BinaryTag.uint128, value) }
    func encode<Value: Encodable>(_ value: Value) throws {
        try begin().write(value, key: nil)
    }
}
