import MillraceBase

/// How keys of one type are hashed, from the key's memory. Closures for the reason given at
/// `Column`.
struct HashShape: Sendable {
    let hash: @Sendable (UnsafeRawPointer) throws -> UInt64

    init(hash: @escaping @Sendable (UnsafeRawPointer) throws -> UInt64) { self.hash = hash }

    @inline(__always)
    init<Value>(of _: Value.Type, _ body: @escaping @Sendable (Value) throws -> UInt64) {
        hash = { try body($0.assumingMemoryBound(to: Value.self).pointee) }
    }
}

/// A type that hashes in a way of its own.
protocol HashLeaf {
    static func hashShape() throws -> HashShape
}

func hashShape(of type: Any.Type) throws -> HashShape {
    if let elements = tupleElements(type) {
        return tupleHash(try elements.map { ($0.offset, try hashShape(of: $0.type)) })
    }
    if let leaf = type as? any HashLeaf.Type { return try leaf.hashShape() }
    func codable<Value: Encodable>(_: Value.Type) -> HashShape {
        let body: any HashBody = CodableHash<Value>()
        return HashShape { try body.hash($0) }
    }
    if let type = type as? any Encodable.Type { return codable(type) }
    throw MillraceError(
        .notSerializable,
        "keys of type \(type) cannot be placed on partitions: make it Codable, or map to a key "
            + "that is"
    )
}

private func tupleHash(_ elements: [(offset: Int, shape: HashShape)]) -> HashShape {
    HashShape { key in
        var result = StableBytes.begin(elements.count)
        for element in elements {
            result = StableBytes.add(try element.shape.hash(key + element.offset), to: result)
        }
        return result
    }
}

private protocol HashBody: Sendable {
    func hash(_ key: UnsafeRawPointer) throws -> UInt64
}

/// The canonical encoding: strings normalised, zeros and NaNs alike, Dictionary and Set in order.
private struct CodableHash<Value: Encodable>: HashBody {
    func hash(_ key: UnsafeRawPointer) throws -> UInt64 {
        let session = EncoderSession(isCanonical: true)
        let bytes = try session.encodeWhole(key.assumingMemoryBound(to: Value.self).pointee)
        return bytes.withUnsafeBytes { StableBytes.hash($0) }
    }
}

@inline(__always)
private func integerHash<Value: FixedWidthInteger & Sendable>(_: Value.Type) -> HashShape {
    HashShape { StableBytes.hash($0.assumingMemoryBound(to: Value.self).pointee) }
}

extension Int: HashLeaf { static func hashShape() -> HashShape { integerHash(Int.self) } }
extension Int8: HashLeaf { static func hashShape() -> HashShape { integerHash(Int8.self) } }
extension Int16: HashLeaf { static func hashShape() -> HashShape { integerHash(Int16.self) } }
extension Int32: HashLeaf { static func hashShape() -> HashShape { integerHash(Int32.self) } }
extension Int64: HashLeaf { static func hashShape() -> HashShape { integerHash(Int64.self) } }
extension UInt: HashLeaf { static func hashShape() -> HashShape { integerHash(UInt.self) } }
extension UInt8: HashLeaf { static func hashShape() -> HashShape { integerHash(UInt8.self) } }
extension UInt16: HashLeaf { static func hashShape() -> HashShape { integerHash(UInt16.self) } }
extension UInt32: HashLeaf { static func hashShape() -> HashShape { integerHash(UInt32.self) } }
extension UInt64: HashLeaf { static func hashShape() -> HashShape { integerHash(UInt64.self) } }

extension Bool: HashLeaf {
    static func hashShape() -> HashShape {
        HashShape(of: Bool.self) { StableBytes.hash($0 ? 1 : 0) }
    }
}
extension Double: HashLeaf {
    static func hashShape() -> HashShape {
        HashShape(of: Double.self) {
            StableBytes.hash(($0.isNaN ? .nan : $0 == 0 ? 0 : $0).bitPattern)
        }
    }
}
extension Float: HashLeaf {
    static func hashShape() -> HashShape {
        HashShape(of: Float.self) {
            StableBytes.hash(($0.isNaN ? .nan : $0 == 0 ? 0 : $0).bitPattern)
        }
    }
}
extension String: HashLeaf {
    static func hashShape() -> HashShape { HashShape(of: String.self) { StableBytes.hash($0) } }
}
extension Substring: HashLeaf {
    static func hashShape() -> HashShape {
        HashShape(of: Substring.self) { StableBytes.hash(String($0)) }
    }
}
extension Character: HashLeaf {
    static func hashShape() -> HashShape {
        HashShape(of: Character.self) { StableBytes.hash(String($0)) }
    }
}
extension Instant: HashLeaf {
    static func hashShape() -> HashShape {
        HashShape(of: Instant.self) { StableBytes.hash($0.nanoseconds) }
    }
}

extension Optional: HashLeaf {
    /// nil is the empty sequence, a value a sequence of one.
    static func hashShape() throws -> HashShape {
        let shape = try MillraceWire.hashShape(of: Wrapped.self)
        return HashShape(of: Wrapped?.self) { key in
            guard let key else { return StableBytes.begin(0) }
            let hash = try Swift.withUnsafeBytes(of: key) { try shape.hash(address($0)) }
            return StableBytes.add(hash, to: StableBytes.begin(1))
        }
    }
}

extension Array: HashLeaf {
    static func hashShape() throws -> HashShape {
        if Element.self == UInt8.self {
            return HashShape(of: [UInt8].self) { bytes in
                bytes.withUnsafeBytes { StableBytes.hash($0) }
            }
        }
        let shape = try MillraceWire.hashShape(of: Element.self)
        return HashShape(of: [Element].self) { key in
            var result = StableBytes.begin(key.count)
            for element in key {
                let hash = try Swift.withUnsafeBytes(of: element) { try shape.hash(address($0)) }
                result = StableBytes.add(hash, to: result)
            }
            return result
        }
    }
}

/// Where the bytes are; any address will do for a type without any.
private func address(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer {
    bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
}
