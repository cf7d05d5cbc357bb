import MillraceBase

/// One field of a protobuf message: its number and raw value.
public struct ProtoField: Hashable, Sendable {
    /// The value as its wire type has it.
    public enum Value: Hashable, Sendable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes([UInt8])
    }

    public var number: Int
    public var value: Value

    /// The fields of a serialized message, in order. Throws on bytes that are not protobuf.
    ///
    /// For gRPC's own few small messages and for descriptors: neither deserves a generated codec.
    public static func parse(_ message: [UInt8]) throws(ByteError) -> [ProtoField] {
        var reader = ByteReader(message)
        var fields: [ProtoField] = []
        while !reader.isAtEnd {
            let tag = try reader.readVarint()
            guard let number = Int(exactly: tag >> 3), number > 0, number < 1 << 29 else {
                throw reader.failure("\(tag >> 3) is not a field number")
            }
            let value: Value
            switch tag & 7 {
            case 0: value = .varint(try reader.readVarint())
            case 1: value = .fixed64(try reader.readFixed(UInt64.self))
            case 2: value = .bytes(try reader.readBytes())
            case 5: value = .fixed32(try reader.readFixed(UInt32.self))
            default: throw reader.failure("wire type \(tag & 7) is not used any more")
            }
            fields.append(ProtoField(number: number, value: value))
        }
        return fields
    }

    /// A bool, enum or integer; 0 for another kind of field.
    public var integer: Int {
        if case .varint(let value) = value { Int(truncatingIfNeeded: value) } else { 0 }
    }

    /// A message, bytes or string; empty for another kind of field.
    public var bytes: [UInt8] {
        if case .bytes(let bytes) = value { bytes } else { [] }
    }

    public var string: String { String(decoding: bytes, as: UTF8.self) }
}

/// Writes a protobuf message field by field. Zero and empty values are written too, unlike proto3's
/// generated code; readers don't mind.
public struct ProtoWriter: Sendable {
    private var writer = ByteWriter()

    public init() {}

    public var bytes: [UInt8] { writer.bytes }

    public mutating func integer(_ number: Int, _ value: Int) {
        writer.writeVarint(UInt64(number) << 3)
        writer.writeVarint(UInt64(bitPattern: Int64(value)))
    }

    public mutating func bytes(_ number: Int, _ value: [UInt8]) {
        writer.writeVarint(UInt64(number) << 3 | 2)
        writer.writeBytes(value)
    }

    public mutating func string(_ number: Int, _ value: String) { bytes(number, Array(value.utf8)) }
}
