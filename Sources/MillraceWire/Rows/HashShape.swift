import MillraceBase

/// How keys of one type are hashed, from the key's memory.
protocol HashShape: Sendable {
    func hash(_ key: UnsafeRawPointer) throws -> UInt64
}

/// A type that hashes in a way of its own.
protocol HashLeaf {
    static func hashShape() throws -> any HashShape
}

func hashShape(of type: Any.Type) throws -> any HashShape {
    if let elements = tupleElements(type) {
        return TupleHash(
            elements: try elements.map { ($0.offset, try hashShape(of: $0.type)) })
    }
    if let leaf = type as? any HashLeaf.Type { return try leaf.hashShape() }
    func codable<Value: Encodable>(_: Value.Type) -> any HashShape { CodableHash<Value>() }
    if let type = type as? any Encodable.Type { return codable(type) }
    throw MillraceError(
        .notSerializable,
        "keys of type \(type) cannot be placed on partitions: make it Codable, or map to a key that is")
}

private struct ValueHash<Value>: HashShape {
    let body: @Sendable (Value) throws -> UInt64
    func hash(_ key: UnsafeRawPointer) throws -> UInt64 {
        try body(key.assumingMemoryBound(to: Value.self).pointee)
    }
}

private struct TupleHash: HashShape {
    let elements: [(offset: Int, shape: any HashShape)]
    func hash(_ key: UnsafeRawPointer) throws -> UInt64 {
        var result = StableBytes.begin(elements.count)
        for element in elements {
            result = StableBytes.add(try element.shape.hash(key + element.offset), to: result)
        }
        return result
    }
}

/// The canonical encoding: strings normalised, zeros and NaNs alike, Dictionary and Set in order.
private struct CodableHash<Value: Encodable>: HashShape {
    func hash(_ key: UnsafeRawPointer) throws -> UInt64 {
        let session = EncoderSession(isCanonical: true)
        let bytes = try session.encodeWhole(key.assumingMemoryBound(to: Value.self).pointee)
        return bytes.withUnsafeBytes { StableBytes.hash($0) }
    }
}

private struct IntegerHash<Value: FixedWidthInteger & Sendable>: HashShape {
    func hash(_ key: UnsafeRawPointer) -> UInt64 {
        StableBytes.hash(key.assumingMemoryBound(to: Value.self).pointee)
    }
}
extension Int: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<Int>() } }
extension Int8: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<Int8>() } }
extension Int16: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<Int16>() } }
extension Int32: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<Int32>() } }
extension Int64: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<Int64>() } }
extension UInt: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<UInt>() } }
extension UInt8: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<UInt8>() } }
extension UInt16: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<UInt16>() } }
extension UInt32: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<UInt32>() } }
extension UInt64: HashLeaf { static func hashShape() -> any HashShape { IntegerHash<UInt64>() } }

extension Bool: HashLeaf {
    static func hashShape() -> any HashShape { ValueHash<Bool> { StableBytes.hash($0 ? 1 : 0) } }
}
extension Double: HashLeaf {
    static func hashShape() -> any HashShape {
        ValueHash<Double> { StableBytes.hash(($0.isNaN ? .nan : $0 == 0 ? 0 : $0).bitPattern) }
    }
}
extension Float: HashLeaf {
    static func hashShape() -> any HashShape {
        ValueHash<Float> { StableBytes.hash(($0.isNaN ? .nan : $0 == 0 ? 0 : $0).bitPattern) }
    }
}
extension String: HashLeaf {
    static func hashShape() -> any HashShape { ValueHash<String> { StableBytes.hash($0) } }
}
extension Substring: HashLeaf {
    static func hashShape() -> any HashShape { ValueHash<Substring> { StableBytes.hash(String($0)) } }
}
extension Character: HashLeaf {
    static func hashShape() -> any HashShape { ValueHash<Character> { StableBytes.hash(String($0)) } }
}
extension Instant: HashLeaf {
    static func hashShape() -> any HashShape {
        ValueHash<Instant> { StableBytes.hash($0.nanoseconds) }
    }
}

extension Optional: HashLeaf {
    /// nil is the empty sequence, a value a sequence of one.
    static func hashShape() throws -> any HashShape {
        let shape = try MillraceWire.hashShape(of: Wrapped.self)
        return ValueHash<Wrapped?> { key in
            guard let key else { return StableBytes.begin(0) }
            let hash = try Swift.withUnsafeBytes(of: key) { try shape.hash(address($0)) }
            return StableBytes.add(hash, to: StableBytes.begin(1))
        }
    }
}

extension Array: HashLeaf {
    static func hashShape() throws -> any HashShape {
        if Element.self == UInt8.self {
            return ValueHash<[UInt8]> { bytes in bytes.withUnsafeBytes { StableBytes.hash($0) } }
        }
        let shape = try MillraceWire.hashShape(of: Element.self)
        return ValueHash<[Element]> { key in
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
