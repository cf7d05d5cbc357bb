import MillraceBase

/// One encoding under way: the bytes so far, the numbered keys, and the values that are being
/// written, outermost first.
///
/// A value is written when it is met. Only nested containers and super encoders, which the caller
/// may fill in any order, get a session of their own that is spliced in at the end.
final class EncoderSession {
    enum Kind { case untouched, single, list, record }
    struct Level {
        var kind = Kind.untouched
        var count = 0
        var key: (any CodingKey)?
    }
    struct Splice {
        var position: Int
        var session: EncoderSession
    }

    var writer = ByteWriter()
    var levels: [Level] = []
    /// The numbers of the keys, from 1; `names` is the other way round.
    var keys: [String: Int] = [:]
    private var names = [""]
    /// The key that came behind each key the last time, and the key that came last (0: none).
    private var followers = [0]
    private var lastKey = 0
    var splices: [Splice] = []
    /// The first thing that went wrong where nothing can be thrown, or that the value's code
    /// swallowed.
    var failure: (any Error)?
    /// Equal values must give equal bytes: strings are normalised, `-0.0` is `0.0`, NaN is NaN. For
    /// hashing.
    let isCanonical: Bool
    let userInfo: [CodingUserInfoKey: any Sendable]
    let outerPath: [any CodingKey]
    let outerDepth: Int

    init(
        isCanonical: Bool, userInfo: [CodingUserInfoKey: any Sendable] = [:],
        outerPath: [any CodingKey] = [], outerDepth: Int = 0
    ) {
        self.isCanonical = isCanonical
        self.userInfo = userInfo
        self.outerPath = outerPath
        self.outerDepth = outerDepth
    }

    /// One value from start to end.
    func encodeWhole<Value: Encodable>(_ value: Value) throws -> [UInt8] {
        try write(value, key: nil)
        return try assembled()
    }

    /// The bytes with the deferred parts in their places. Closes what a child session left open.
    func assembled() throws -> [UInt8] {
        while !levels.isEmpty { closeLevel() }
        if let failure { throw failure }
        if splices.isEmpty { return writer.bytes }
        var whole = ByteWriter(capacity: writer.count)
        var start = 0
        for splice in splices {
            whole.writeRaw(writer.bytes[start..<splice.position])
            start = splice.position
            whole.writeByte(BinaryTag.scope)
            whole.writeBytes(try splice.session.assembled())
        }
        whole.writeRaw(writer.bytes[start...])
        return whole.bytes
    }

    var path: [any CodingKey] { outerPath + levels.compactMap(\.key) }

    func fail(_ reason: String, _ value: Any = ()) -> EncodingError {
        EncodingError.invalidValue(
            value, EncodingError.Context(codingPath: path, debugDescription: reason))
    }

    // MARK: levels

    /// What the containers call before they write.
    func touch(_ level: Int) {
        guard level == levels.count - 1 else {
            if failure == nil {
                failure = fail("a container is used outside of its value's encode(to:)")
            }
            return
        }
        levels[level].count += 1
    }

    func open(_ kind: Kind, _ level: Int) {
        guard level == levels.count - 1 else { return touch(level) }
        if levels[level].kind == kind { return }
        guard levels[level].kind == .untouched else {
            if failure == nil { failure = fail("the value asks for containers of two kinds") }
            return
        }
        levels[level].kind = kind
        if kind == .list { writer.writeByte(BinaryTag.list) }
        if kind == .record { writer.writeByte(BinaryTag.record) }
    }

    func closeLevel() {
        let level = levels.removeLast()
        switch level.kind {
        case .list: writer.writeByte(BinaryTag.end)
        case .record: writer.writeVarint(BinaryTag.endKey)
        case .single where level.count == 1: break
        case .untouched:
            writer.writeByte(BinaryTag.record)
            writer.writeVarint(BinaryTag.endKey)
        case .single:
            if failure == nil {
                failure = fail("a single value container holds \(level.count) values")
            }
        }
    }

    /// A session for a part whose writing may interleave with ours; the part's place is here.
    func deferred(_ key: any CodingKey) -> EncoderSession {
        let session = EncoderSession(
            isCanonical: isCanonical, userInfo: userInfo, outerPath: path + [key],
            outerDepth: outerDepth + levels.count)
        if session.outerDepth >= BinaryTag.maximumDepth, failure == nil { failure = tooDeep() }
        session.levels.append(Level())
        splices.append(Splice(position: writer.count, session: session))
        return session
    }

    private func tooDeep() -> EncodingError {
        fail("nests deeper than \(BinaryTag.maximumDepth) levels")
    }

    // MARK: values

    func writeKey(_ name: String) {
        // The rows of a batch have the same keys in the same order: guess before searching.
        let guess = followers[lastKey]
        if guess > 0, names[guess] == name {
            lastKey = guess
            return writer.writeVarint(BinaryTag.firstKey + UInt64(guess - 1))
        }
        let number = keys[name] ?? names.count
        followers[lastKey] = number
        lastKey = number
        if number < names.count {
            return writer.writeVarint(BinaryTag.firstKey + UInt64(number - 1))
        }
        keys[name] = number
        names.append(name)
        followers.append(0)
        writer.writeVarint(BinaryTag.newKey)
        writer.writeString(name)
    }

    func write<Value: Encodable>(_ value: Value, key: (any CodingKey)?) throws {
        if writeLeaf(value) { return }
        guard outerDepth + levels.count < BinaryTag.maximumDepth else {
            failure = tooDeep()
            throw tooDeep()
        }
        let level = levels.count
        levels.append(Level(key: key))
        do {
            if let ordered = orderedContent(of: value) {
                try ordered.encodeOrdered(BinaryEncoding(session: self, level: level))
            } else {
                try value.encode(to: BinaryEncoding(session: self, level: level))
            }
        } catch {
            // The bytes written so far may hold numbered keys; there is no way back.
            if failure == nil { failure = error }
            throw error
        }
        closeLevel()
    }

    /// Values with a tag of their own. The comparisons fold away where the call is specialised.
    @inline(__always)
    private func writeLeaf<Value>(_ value: Value) -> Bool {
        func read<Leaf>(_: Leaf.Type) -> Leaf { unsafeBitCast(value, to: Leaf.self) }
        if Value.self == String.self {
            writeString(read(String.self))
        } else if Value.self == Int.self {
            writeInteger(read(Int.self))
        } else if Value.self == Double.self {
            writeDouble(read(Double.self))
        } else if Value.self == Bool.self {
            writeBool(read(Bool.self))
        } else if Value.self == [UInt8].self {
            writer.writeByte(BinaryTag.bytes)
            writer.writeBytes(read([UInt8].self))
        } else if Value.self == Int64.self {
            writeInteger(read(Int64.self))
        } else if Value.self == Int32.self {
            writeInteger(read(Int32.self))
        } else if Value.self == Int16.self {
            writeInteger(read(Int16.self))
        } else if Value.self == Int8.self {
            writeInteger(read(Int8.self))
        } else if Value.self == UInt.self {
            writeInteger(read(UInt.self))
        } else if Value.self == UInt64.self {
            writeInteger(read(UInt64.self))
        } else if Value.self == UInt32.self {
            writeInteger(read(UInt32.self))
        } else if Value.self == UInt16.self {
            writeInteger(read(UInt16.self))
        } else if Value.self == UInt8.self {
            writeInteger(read(UInt8.self))
        } else if Value.self == Float.self {
            writeFloat(read(Float.self))
        } else if Value.self == Int128.self {
            writeWide(BinaryTag.int128, read(Int128.self))
        } else if Value.self == UInt128.self {
            writeWide(BinaryTag.uint128, read(UInt128.self))
        } else {
            return false
        }
        return true
    }

    func writeNil() { writer.writeByte(BinaryTag.null) }

    func writeBool(_ value: Bool) { writer.writeByte(value ? BinaryTag.yes : BinaryTag.no) }

    func writeInteger<Value: FixedWidthInteger>(_ value: Value) {
        if value >= 0 {
            if value < 0x80 { return writer.writeByte(UInt8(truncatingIfNeeded: value)) }
            writer.writeByte(BinaryTag.positive)
            writer.writeVarint(UInt64(truncatingIfNeeded: value))
        } else {
            let magnitude = UInt64(truncatingIfNeeded: ~value)
            if magnitude < 16 {
                return writer.writeByte(BinaryTag.smallNegative + UInt8(magnitude))
            }
            writer.writeByte(BinaryTag.negative)
            writer.writeVarint(magnitude)
        }
    }

    func writeWide<Value: FixedWidthInteger>(_ tag: UInt8, _ value: Value) {
        writer.writeByte(tag)
        writer.writeFixed(value)
    }

    func writeDouble(_ value: Double) {
        writer.writeByte(BinaryTag.double)
        writer.writeDouble(isCanonical ? canonical(value) : value)
    }

    func writeFloat(_ value: Float) {
        writer.writeByte(BinaryTag.float)
        writer.writeFixed((isCanonical ? Float(canonical(Double(value))) : value).bitPattern)
    }

    private func canonical(_ value: Double) -> Double {
        value.isNaN ? .nan : value == 0 ? 0 : value
    }

    func writeString(_ value: String) {
        var value = isCanonical ? canonicalString(value) : value
        value.withUTF8 { utf8 in
            if utf8.count < 64 {
                writer.writeByte(BinaryTag.shortString + UInt8(utf8.count))
            } else {
                writer.writeByte(BinaryTag.string)
                writer.writeCount(utf8.count)
            }
            writer.bytes.append(contentsOf: utf8)
        }
    }
}
