import MillraceBase

/// Reading single values: each call starts at `position` and leaves it behind the value.
extension DecoderSession {
    func read<Value: Decodable>(_: Value.Type, key: (any CodingKey)?) throws -> Value {
        if let leaf = try readLeaf(Value.self) { return leaf }
        if try peek() == BinaryTag.scope {
            return try inScope { try $0.read(Value.self, key: key) }
        }
        guard outerDepth + levels.count < BinaryTag.maximumDepth else {
            throw corrupted("nests deeper than \(BinaryTag.maximumDepth) levels")
        }
        let level = levels.count
        levels.append(Level(start: position, cursor: position, key: key))
        defer { levels.removeLast(levels.count - level) }
        let value = try Value(from: BinaryDecoding(session: self, level: level))
        try leave(level)
        return value
    }

    /// Moves `position` behind the value of the level, whatever its `init(from:)` looked at.
    private func leave(_ level: Int) throws {
        let state = levels[level]
        position = state.cursor
        let depth = outerDepth + level
        switch state.kind {
        case .untouched: try skip(depth: depth)
        case .single: if position == state.start { try skip(depth: depth) }
        case .list: try skipList(depth)
        case .record: try skipRecord(depth)
        }
    }

    /// Reads a value that has key numbers of its own.
    func inScope<Result>(_ body: (DecoderSession) throws -> Result) throws -> Result {
        let scope = try enterScope()
        let result = try body(scope)
        guard scope.position == scope.end else {
            throw scope.corrupted("bytes left over in a scope")
        }
        return result
    }

    /// A session for the scope at `position`, which moves behind the scope.
    func enterScope() throws -> DecoderSession {
        position += 1
        let count = try count()
        let scope = DecoderSession(bytes, from: position, to: position + count, userInfo: userInfo)
        scope.outerPath = path
        scope.outerDepth = outerDepth + levels.count + 1
        guard scope.outerDepth < BinaryTag.maximumDepth else { throw corrupted("nests too deep") }
        position += count
        return scope
    }

    /// Nil for a type without a tag of its own.
    @inline(__always)
    private func readLeaf<Value>(_: Value.Type) throws -> Value? {
        func give<Leaf>(_ leaf: Leaf) -> Value { unsafeBitCast(leaf, to: Value.self) }
        if Value.self == String.self { return give(try readString()) }
        if Value.self == Int.self { return give(try readInteger(Int.self)) }
        if Value.self == Double.self { return give(try readDouble()) }
        if Value.self == Bool.self { return give(try readBool()) }
        if Value.self == [UInt8].self { return give(try readBytes()) }
        if Value.self == Int64.self { return give(try readInteger(Int64.self)) }
        if Value.self == Int32.self { return give(try readInteger(Int32.self)) }
        if Value.self == Int16.self { return give(try readInteger(Int16.self)) }
        if Value.self == Int8.self { return give(try readInteger(Int8.self)) }
        if Value.self == UInt.self { return give(try readInteger(UInt.self)) }
        if Value.self == UInt64.self { return give(try readInteger(UInt64.self)) }
        if Value.self == UInt32.self { return give(try readInteger(UInt32.self)) }
        if Value.self == UInt16.self { return give(try readInteger(UInt16.self)) }
        if Value.self == UInt8.self { return give(try readInteger(UInt8.self)) }
        if Value.self == Float.self { return give(try readFloat()) }
        if Value.self == Int128.self { return give(try readWide(Int128.self, BinaryTag.int128)) }
        if Value.self == UInt128.self { return give(try readWide(UInt128.self, BinaryTag.uint128)) }
        return nil
    }

    func isNil() throws -> Bool {
        let tag = try peek()
        return tag == BinaryTag.null || tag == BinaryTag.absent
    }

    func readBool() throws -> Bool {
        switch try peek() {
        case BinaryTag.yes:
            position += 1
            return true
        case BinaryTag.no:
            position += 1
            return false
        case BinaryTag.scope: return try inScope { try $0.readBool() }
        default: throw mismatch(Bool.self)
        }
    }

    func readInteger<Value: FixedWidthInteger>(_: Value.Type) throws -> Value {
        let start = position
        let tag = try peek()
        let value: Value?
        switch tag {
        case 0...0x7F:
            position += 1
            return Value(truncatingIfNeeded: tag)
        case 0xD0...0xDF:
            position += 1
            value = Value(exactly: ~Int64(tag - BinaryTag.smallNegative))
        case BinaryTag.positive:
            position += 1
            value = Value(exactly: try varint())
        case BinaryTag.negative:
            position += 1
            let magnitude = try varint()
            value =
                magnitude > UInt64(Int64.max)
                ? nil : Value(exactly: ~Int64(bitPattern: magnitude))
        case BinaryTag.scope: return try inScope { try $0.readInteger(Value.self) }
        default: throw mismatch(Value.self)
        }
        guard let value else {
            position = start
            throw corrupted("the integer does not fit \(Value.self)")
        }
        return value
    }

    func readWide<Value: FixedWidthInteger>(_: Value.Type, _ wanted: UInt8) throws -> Value {
        let tag = try peek()
        if tag == BinaryTag.scope { return try inScope { try $0.readWide(Value.self, wanted) } }
        guard tag == wanted else { throw mismatch(Value.self) }
        position += 1
        return try fixed(Value.self)
    }

    func readDouble() throws -> Double {
        let tag = try peek()
        if tag == BinaryTag.scope { return try inScope { try $0.readDouble() } }
        guard tag == BinaryTag.double else { throw mismatch(Double.self) }
        position += 1
        return Double(bitPattern: try fixed(UInt64.self))
    }

    func readFloat() throws -> Float {
        let tag = try peek()
        if tag == BinaryTag.scope { return try inScope { try $0.readFloat() } }
        guard tag == BinaryTag.float else { throw mismatch(Float.self) }
        position += 1
        return Float(bitPattern: try fixed(UInt32.self))
    }

    func readString() throws -> String {
        let tag = try peek()
        switch tag {
        case BinaryTag.shortString..<BinaryTag.null:
            position += 1
            return try text(Int(tag - BinaryTag.shortString))
        case BinaryTag.string:
            position += 1
            return try text(try count())
        case BinaryTag.scope: return try inScope { try $0.readString() }
        default: throw mismatch(String.self)
        }
    }

    func readBytes() throws -> [UInt8] {
        let tag = try peek()
        if tag == BinaryTag.scope { return try inScope { try $0.readBytes() } }
        guard tag == BinaryTag.bytes else { throw mismatch([UInt8].self) }
        position += 1
        let count = try count()
        position += count
        return Array(bytes[(position - count)..<position])
    }
}
