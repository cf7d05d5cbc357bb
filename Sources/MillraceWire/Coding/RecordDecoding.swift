import MillraceBase

/// A keyed container. Keys asked for in the order in which they were written are found at once.
struct RecordDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let session: DecoderSession
    let level: Int

    var codingPath: [any CodingKey] { session.path }

    var allKeys: [Key] {
        guard level < session.levels.count else { return [] }
        var keys: [Key] = []
        session.position = session.levels[level].start + 1
        while let key = try? session.readKey() {
            if session.position < session.end, session.bytes[session.position] != BinaryTag.absent {
                if let key = Key(stringValue: session.name(key)) { keys.append(key) }
            }
            guard (try? session.skip(depth: session.outerDepth + level)) != nil else { break }
        }
        return keys
    }

    /// Puts `position` on the value, or returns false. Looks from the cursor to the end, then from
    /// the start.
    private func find(_ name: String) throws -> Bool {
        guard level < session.levels.count else {
            throw session.corrupted("a container is used outside of its value's init(from:)")
        }
        let origin = session.levels[level].cursor
        session.position = origin
        var hasWrapped = false
        while true {
            let entry = session.position
            if hasWrapped, entry >= origin { return false }
            guard let key = try session.readKey() else {
                if hasWrapped { return false }
                hasWrapped = true
                session.position = session.levels[level].start + 1
                continue
            }
            if session.name(key) == name {
                session.levels[level].cursor = entry
                return true
            }
            try session.skip(depth: session.outerDepth + level)
        }
    }

    /// Reads the key's value and moves the cursor behind it.
    private func value<Value>(_ key: any CodingKey, _ read: () throws -> Value) throws -> Value {
        guard try find(key.stringValue) else {
            let context = DecodingError.Context(
                codingPath: codingPath, debugDescription: "no value for key '\(key.stringValue)'")
            throw DecodingError.keyNotFound(key, context)
        }
        if try session.peek() == BinaryTag.absent { throw session.mismatch(Value.self) }
        let value = try read()
        session.levels[level].cursor = session.position
        return value
    }

    func contains(_ key: Key) -> Bool {
        guard let found = try? find(key.stringValue), found else { return false }
        return session.position < session.end
            && session.bytes[session.position] != BinaryTag.absent
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        guard try find(key.stringValue) else {
            let context = DecodingError.Context(
                codingPath: codingPath, debugDescription: "no value for key '\(key.stringValue)'")
            throw DecodingError.keyNotFound(key, context)
        }
        return try session.isNil()
    }

    func decode(_: Bool.Type, forKey key: Key) throws -> Bool {
        try value(key) { try session.readBool() }
    }
    func decode(_: String.Type, forKey key: Key) throws -> String {
        try value(key) { try session.readString() }
    }
    func decode(_: Double.Type, forKey key: Key) throws -> Double {
        try value(key) { try session.readDouble() }
    }
    func decode(_: Float.Type, forKey key: Key) throws -> Float {
        try value(key) { try session.readFloat() }
    }
    func decode(_: Int.Type, forKey key: Key) throws -> Int {
        try value(key) { try session.readInteger(Int.self) }
    }
    func decode(_: Int8.Type, forKey key: Key) throws -> Int8 {
        try value(key) { try session.readInteger(Int8.self) }
    }
    func decode(_: Int16.Type, forKey key: Key) throws -> Int16 {
        try value(key) { try session.readInteger(Int16.self) }
    }
    func decode(_: Int32.Type, forKey key: Key) throws -> Int32 {
        try value(key) { try session.readInteger(Int32.self) }
    }
    func decode(_: Int64.Type, forKey key: Key) throws -> Int64 {
        try value(key) { try session.readInteger(Int64.self) }
    }
    func decode(_: Int128.Type, forKey key: Key) throws -> Int128 {
        try value(key) { try session.readWide(Int128.self, BinaryTag.int128) }
    }
    func decode(_: UInt.Type, forKey key: Key) throws -> UInt {
        try value(key) { try session.readInteger(UInt.self) }
    }
    func decode(_: UInt8.Type, forKey key: Key) throws -> UInt8 {
        try value(key) { try session.readInteger(UInt8.self) }
    }
    func decode(_: UInt16.Type, forKey key: Key) throws -> UInt16 {
        try value(key) { try session.readInteger(UInt16.self) }
    }
    func decode(_: UInt32.Type, forKey key: Key) throws -> UInt32 {
        try value(key) { try session.readInteger(UInt32.self) }
    }
    func decode(_: UInt64.Type, forKey key: Key) throws -> UInt64 {
        try value(key) { try session.readInteger(UInt64.self) }
    }
    func decode(_: UInt128.Type, forKey key: Key) throws -> UInt128 {
        try value(key) { try session.readWide(UInt128.self, BinaryTag.uint128) }
    }
    func decode<Value: Decodable>(_: Value.Type, forKey key: Key) throws -> Value {
        try value(key) { try session.read(Value.self, key: key) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try nested(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try nested(key).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { try nested(BinaryKey.superKey) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try nested(key) }

    private func nested(_ key: any CodingKey) throws -> BinaryDecoding {
        try value(key) {
            let place = try session.detached(key)
            try session.skip(depth: session.outerDepth + level)
            return place
        }
    }
}
