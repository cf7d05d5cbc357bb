import MillraceBase

/// The decoder that a value sees: a place in a session.
struct BinaryDecoding: Decoder {
    let session: DecoderSession
    let level: Int

    var codingPath: [any CodingKey] { session.path }
    var userInfo: [CodingUserInfoKey: Any] { session.userInfo }

    /// Goes to the content of the container and remembers it as this level's. A second container on
    /// the same decoder (a class and its superclass share one) goes on where the first one is.
    private func enter(
        _ kind: DecoderSession.Kind, _ tag: UInt8, _ type: Any.Type
    ) throws -> BinaryDecoding {
        guard level < session.levels.count else {
            throw session.corrupted("a decoder is used outside of its value's init(from:)")
        }
        let state = session.levels[level]
        if state.kind == kind { return self }
        session.position = state.start
        let found = try session.peek()
        if found == BinaryTag.scope {
            let scope = try session.enterScope()
            scope.levels = [.init(start: scope.position, cursor: scope.position)]
            return try BinaryDecoding(session: scope, level: 0).enter(kind, tag, type)
        }
        guard found == tag else { throw session.mismatch(type) }
        session.levels[level].kind = kind
        session.levels[level].cursor = state.start + 1
        return self
    }

    func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let place = try enter(.record, BinaryTag.record, [String: Any].self)
        return KeyedDecodingContainer(
            RecordDecoding<Key>(session: place.session, level: place.level))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let place = try enter(.list, BinaryTag.list, [Any].self)
        let start = place.session.levels[place.level].start
        return ListDecoding(session: place.session, level: place.level, cursor: start + 1)
    }
    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        guard level < session.levels.count else {
            throw session.corrupted("a decoder is used outside of its value's init(from:)")
        }
        if session.levels[level].kind == .untouched { session.levels[level].kind = .single }
        return SingleDecoding(session: session, level: level)
    }
}

extension DecoderSession {
    /// A decoder for the value at `position` that stays usable when we have moved on.
    func detached(_ key: (any CodingKey)?) throws -> BinaryDecoding {
        let view = DecoderSession(bytes, from: position, to: end, userInfo: userInfo)
        view.names = names
        view.definitions = definitions
        view.scanned = scanned
        view.outerPath = path + [key].compactMap { $0 }
        view.outerDepth = outerDepth + levels.count + 1
        guard view.outerDepth < BinaryTag.maximumDepth else { throw corrupted("nests too deep") }
        view.levels = [Level(start: position, cursor: position)]
        return BinaryDecoding(session: view, level: 0)
    }
}

/// An unkeyed container.
struct ListDecoding: UnkeyedDecodingContainer {
    let session: DecoderSession
    let level: Int
    var cursor: Int
    private(set) var currentIndex = 0

    init(session: DecoderSession, level: Int, cursor: Int) {
        self.session = session
        self.level = level
        self.cursor = cursor
    }

    var codingPath: [any CodingKey] { session.path }

    /// Walks the list.
    var count: Int? {
        let saved = session.position
        defer { session.position = saved }
        session.position = cursor
        var count = currentIndex
        while let tag = try? session.peek(), tag != BinaryTag.end {
            guard (try? session.skip(depth: session.outerDepth + level)) != nil else { return nil }
            count += 1
        }
        return count
    }

    /// True also where the bytes are cut off; the next read then says so.
    var isAtEnd: Bool { cursor < session.end && session.bytes[cursor] == BinaryTag.end }

    private mutating func next<Value>(_ read: (DecoderSession) throws -> Value) throws -> Value {
        guard level < session.levels.count else {
            throw session.corrupted("a container is used outside of its value's init(from:)")
        }
        session.position = cursor
        if try session.peek() == BinaryTag.end {
            let context = DecodingError.Context(
                codingPath: codingPath, debugDescription: "the list has only \(currentIndex) values"
            )
            throw DecodingError.valueNotFound(Value.self, context)
        }
        let value = try read(session)
        cursor = session.position
        currentIndex += 1
        session.levels[level].cursor = max(cursor, session.levels[level].cursor)
        return value
    }

    mutating func decodeNil() throws -> Bool {
        session.position = cursor
        guard try session.isNil() else { return false }
        return try next {
            $0.position += 1
            return true
        }
    }

    mutating func decode(_: Bool.Type) throws -> Bool { try next { try $0.readBool() } }
    mutating func decode(_: String.Type) throws -> String { try next { try $0.readString() } }
    mutating func decode(_: Double.Type) throws -> Double { try next { try $0.readDouble() } }
    mutating func decode(_: Float.Type) throws -> Float { try next { try $0.readFloat() } }
    mutating func decode(_: Int.Type) throws -> Int { try next { try $0.readInteger(Int.self) } }
    mutating func decode(_: Int8.Type) throws -> Int8 { try next { try $0.readInteger(Int8.self) } }
    mutating func decode(_: Int16.Type) throws -> Int16 {
        try next { try $0.readInteger(Int16.self) }
    }
    mutating func decode(_: Int32.Type) throws -> Int32 {
        try next { try $0.readInteger(Int32.self) }
    }
    mutating func decode(_: Int64.Type) throws -> Int64 {
        try next { try $0.readInteger(Int64.self) }
    }
    mutating func decode(_: Int128.Type) throws -> Int128 {
        try next { try $0.readWide(Int128.self, BinaryTag.int128) }
    }
    mutating func decode(_: UInt.Type) throws -> UInt { try next { try $0.readInteger(UInt.self) } }
    mutating func decode(_: UInt8.Type) throws -> UInt8 {
        try next { try $0.readInteger(UInt8.self) }
    }
    mutating func decode(_: UInt16.Type) throws -> UInt16 {
        try next { try $0.readInteger(UInt16.self) }
    }
    mutating func decode(_: UInt32.Type) throws -> UInt32 {
        try next { try $0.readInteger(UInt32.self) }
    }
    mutating func decode(_: UInt64.Type) throws -> UInt64 {
        try next { try $0.readInteger(UInt64.self) }
    }
    mutating func decode(_: UInt128.Type) throws -> UInt128 {
        try next { try $0.readWide(UInt128.self, BinaryTag.uint128) }
    }
    mutating func decode<Value: Decodable>(_: Value.Type) throws -> Value {
        try next { try $0.read(Value.self, key: nil) }
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try nested().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try nested().unkeyedContainer()
    }
    mutating func superDecoder() throws -> any Decoder { try nested() }

    private mutating func nested() throws -> BinaryDecoding {
        let key = BinaryKey(intValue: currentIndex)
        let depth = session.outerDepth + level
        return try next { session in
            let place = try session.detached(key)
            try session.skip(depth: depth)
            return place
        }
    }
}

/// A single value container.
struct SingleDecoding: SingleValueDecodingContainer {
    let session: DecoderSession
    let level: Int

    var codingPath: [any CodingKey] { session.path }

    private func value<Value>(_ read: () throws -> Value) throws -> Value {
        guard level < session.levels.count else {
            throw session.corrupted("a container is used outside of its value's init(from:)")
        }
        session.position = session.levels[level].start
        let value = try read()
        if session.levels[level].kind == .single { session.levels[level].cursor = session.position }
        return value
    }

    func decodeNil() -> Bool {
        guard level < session.levels.count else { return false }
        session.position = session.levels[level].start
        guard let isNil = try? session.isNil(), isNil else { return false }
        if session.levels[level].kind == .single {
            session.levels[level].cursor = session.position + 1
        }
        return true
    }

    func decode(_: Bool.Type) throws -> Bool { try value { try session.readBool() } }
    func decode(_: String.Type) throws -> String { try value { try session.readString() } }
    func decode(_: Double.Type) throws -> Double { try value { try session.readDouble() } }
    func decode(_: Float.Type) throws -> Float { try value { try session.readFloat() } }
    func decode(_: Int.Type) throws -> Int { try value { try session.readInteger(Int.self) } }
    func decode(_: Int8.Type) throws -> Int8 { try value { try session.readInteger(Int8.self) } }
    func decode(_: Int16.Type) throws -> Int16 { try value { try session.readInteger(Int16.self) } }
    func decode(_: Int32.Type) throws -> Int32 { try value { try session.readInteger(Int32.self) } }
    func decode(_: Int64.Type) throws -> Int64 { try value { try session.readInteger(Int64.self) } }
    func decode(_: Int128.Type) throws -> Int128 {
        try value { try session.readWide(Int128.self, BinaryTag.int128) }
    }
    func decode(_: UInt.Type) throws -> UInt { try value { try session.readInteger(UInt.self) } }
    func decode(_: UInt8.Type) throws -> UInt8 { try value { try session.readInteger(UInt8.self) } }
    func decode(_: UInt16.Type) throws -> UInt16 {
        try value { try session.readInteger(UInt16.self) }
    }
    func decode(_: UInt32.Type) throws -> UInt32 {
        try value { try session.readInteger(UInt32.self) }
    }
    func decode(_: UInt64.Type) throws -> UInt64 {
        try value { try session.readInteger(UInt64.self) }
    }
    func decode(_: UInt128.Type) throws -> UInt128 {
        try value { try session.readWide(UInt128.self, BinaryTag.uint128) }
    }
    func decode<Value: Decodable>(_: Value.Type) throws -> Value {
        try value { try session.read(Value.self, key: nil) }
    }
}
