import MillraceBase

/// A collection whose order says nothing and differs per process: written in the order of its
/// encoded keys, in the form in which its own `init(from:)` reads it.
protocol OrderedContent {
    func encodeOrdered(_ encoder: BinaryEncoding) throws
}

/// The value itself, when it is a Dictionary or Set. Compares the type's descriptor, because a
/// dynamic cast per value would cost more than the value.
func orderedContent<Value>(of value: Value) -> (any OrderedContent)? {
    let metadata = unsafeBitCast(Value.self, to: UnsafePointer<UInt>.self)
    let structKind: UInt = 0x200
    guard metadata[0] == structKind else { return nil }
    guard metadata[1] == dictionaryDescriptor || metadata[1] == setDescriptor else { return nil }
    return value as? any OrderedContent
}

private let dictionaryDescriptor = unsafeBitCast(
    [Int: Int].self as Any.Type, to: UnsafePointer<UInt>.self)[1]
private let setDescriptor = unsafeBitCast(
    Set<Int>.self as Any.Type, to: UnsafePointer<UInt>.self)[1]

extension Set: OrderedContent where Element: Encodable {
    func encodeOrdered(_ encoder: BinaryEncoding) throws {
        let session = encoder.session
        session.open(.list, encoder.level)
        for element in try map({ try session.detached($0) }).sorted(by: precedes) {
            session.touch(encoder.level)
            session.writer.writeRaw(element)
        }
    }
}

extension Dictionary: OrderedContent where Key: Encodable, Value: Encodable {
    func encodeOrdered(_ encoder: BinaryEncoding) throws {
        let session = encoder.session
        if Key.self == String.self || Key.self == Int.self
            || Key.self is any CodingKeyRepresentable.Type
        {
            session.open(.record, encoder.level)
            let named = map { (name: name(of: $0.key, session.isCanonical), value: $0.value) }
            for (name, value) in named.sorted(by: {
                precedes(Array($0.name.utf8), Array($1.name.utf8))
            }) {
                session.touch(encoder.level)
                session.writer.writeVarint(BinaryTag.literalKey)
                session.writer.writeString(name)
                try session.write(value, key: BinaryKey(stringValue: name))
            }
            return
        }
        session.open(.list, encoder.level)
        let keyed = try map { (key: try session.detached($0.key), value: $0.value) }
        for (key, value) in keyed.sorted(by: { precedes($0.key, $1.key) }) {
            session.touch(encoder.level)
            session.writer.writeRaw(key)
            session.touch(encoder.level)
            try session.write(value, key: nil)
        }
    }

    private func name(of key: Key, _ isCanonical: Bool) -> String {
        let name: String
        switch key {
        case let key as String: name = key
        case let key as Int: name = String(key)
        case let key as any CodingKeyRepresentable: name = key.codingKey.stringValue
        default: preconditionFailure("keys of \(Key.self) have no name")
        }
        return isCanonical ? canonicalString(name) : name
    }
}

extension EncoderSession {
    /// The bytes of a value wherever it stands: with key numbers of its own if it has any.
    func detached<Value: Encodable>(_ value: Value) throws -> [UInt8] {
        let session = EncoderSession(
            isCanonical: isCanonical, userInfo: userInfo, outerPath: path,
            outerDepth: outerDepth + levels.count)
        do {
            let bytes = try session.encodeWhole(value)
            if session.keys.isEmpty { return bytes }
            var writer = ByteWriter(capacity: bytes.count + 4)
            writer.writeByte(BinaryTag.scope)
            writer.writeBytes(bytes)
            return writer.bytes
        } catch {
            if failure == nil { failure = error }
            throw error
        }
    }
}

/// Bytewise order.
func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.lexicographicallyPrecedes(right) }
