/// Appends values to a byte array: little-endian fixed widths, LEB128 varints, length-prefixed
/// strings and bytes.
///
/// The one format of everything Millrace writes outside protobuf: plans, closures, rows, state and
/// block files.
public struct ByteWriter: Sendable {
    public var bytes: [UInt8]

    @inlinable public init(capacity: Int = 0) {
        bytes = []
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    @inlinable public var count: Int { bytes.count }

    @inlinable public mutating func writeByte(_ value: UInt8) { bytes.append(value) }

    @inlinable public mutating func writeFixed<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    @inlinable public mutating func writeDouble(_ value: Double) { writeFixed(value.bitPattern) }

    @inlinable public mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A count or size. Negative counts are a bug of the caller.
    @inlinable public mutating func writeCount(_ value: Int) { writeVarint(UInt64(value)) }

    /// A signed integer, small magnitudes in few bytes (zigzag).
    @inlinable public mutating func writeSigned(_ value: Int64) {
        writeVarint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    @inlinable public mutating func writeBool(_ value: Bool) { bytes.append(value ? 1 : 0) }

    @inlinable public mutating func writeRaw<Source: Collection>(_ source: Source)
    where Source.Element == UInt8 {
        bytes.append(contentsOf: source)
    }

    /// Length, then the bytes.
    @inlinable public mutating func writeBytes<Source: Collection>(_ source: Source)
    where Source.Element == UInt8 {
        writeCount(source.count)
        bytes.append(contentsOf: source)
    }

    /// Length in bytes, then UTF-8.
    @inlinable public mutating func writeString(_ string: String) {
        var string = string
        string.withUTF8 { utf8 in
            writeCount(utf8.count)
            bytes.append(contentsOf: utf8)
        }
    }
}
