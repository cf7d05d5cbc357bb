import MillraceBase

/// Integers: the column's smallest value, a width of 1, 2, 4 or 8 bytes, then each value's distance
/// from the smallest.
struct IntegerColumn<Value: FixedWidthInteger & Sendable>: ColumnBody {
    var minimumBits: Int { 8 }

    func encode(_ field: Strided, into writer: inout ByteWriter) {
        var low = field.pointer(0, as: Value.self).pointee
        var high = low
        for index in 1..<max(field.count, 1) {
            let value = field.pointer(index, as: Value.self).pointee
            low = min(low, value)
            high = max(high, value)
        }
        let range = UInt64(truncatingIfNeeded: high &- low) & mask
        writer.writeFixed(UInt64(truncatingIfNeeded: low))
        switch range {
        case 0...0xFF: pack(UInt8.self, field, low, &writer)
        case 0...0xFFFF: pack(UInt16.self, field, low, &writer)
        case 0...0xFFFF_FFFF: pack(UInt32.self, field, low, &writer)
        default: pack(UInt64.self, field, low, &writer)
        }
    }

    private var mask: UInt64 {
        Value.bitWidth == 64 ? .max : (1 << UInt64(Value.bitWidth)) - 1
    }

    private func pack<Packed: FixedWidthInteger>(
        _: Packed.Type, _ field: Strided, _ low: Value, _ writer: inout ByteWriter
    ) {
        writer.writeByte(UInt8(MemoryLayout<Packed>.size))
        withUnsafeTemporaryAllocation(of: Packed.self, capacity: field.count) { packed in
            for index in 0..<field.count {
                let distance = field.pointer(index, as: Value.self).pointee &- low
                packed[index] = Packed(truncatingIfNeeded: distance).littleEndian
            }
            writer.bytes.append(contentsOf: UnsafeRawBufferPointer(packed))
        }
    }

    func decode(from reader: inout ByteReader, into field: Strided) throws {
        let low = Value(truncatingIfNeeded: try reader.readFixed(UInt64.self))
        switch try reader.readByte() {
        case 1: try unpack(UInt8.self, field, low, &reader)
        case 2: try unpack(UInt16.self, field, low, &reader)
        case 4: try unpack(UInt32.self, field, low, &reader)
        case 8: try unpack(UInt64.self, field, low, &reader)
        case let width: throw reader.failure("integers of \(width) bytes")
        }
    }

    private func unpack<Packed: FixedWidthInteger>(
        _: Packed.Type, _ field: Strided, _ low: Value, _ reader: inout ByteReader
    ) throws {
        let size = MemoryLayout<Packed>.size
        try reader.withRaw(field.count * size) { raw in
            for index in 0..<field.count {
                let packed = raw.loadUnaligned(fromByteOffset: index &* size, as: Packed.self)
                let value = low &+ Value(truncatingIfNeeded: Packed(littleEndian: packed))
                field.pointer(index, as: Value.self).initialize(to: value)
            }
        }
    }

    func destroy(_ field: Strided) {}
}

/// Double and Float: their bits.
struct BitsColumn<Bits: FixedWidthInteger & Sendable>: ColumnBody {
    var minimumBits: Int { Bits.bitWidth }

    func encode(_ field: Strided, into writer: inout ByteWriter) {
        withUnsafeTemporaryAllocation(of: Bits.self, capacity: field.count) { packed in
            for index in 0..<field.count {
                packed[index] = field.pointer(index, as: Bits.self).pointee.littleEndian
            }
            writer.bytes.append(contentsOf: UnsafeRawBufferPointer(packed))
        }
    }
    func decode(from reader: inout ByteReader, into field: Strided) throws {
        let size = MemoryLayout<Bits>.size
        try reader.withRaw(field.count * size) { raw in
            for index in 0..<field.count {
                let bits = raw.loadUnaligned(fromByteOffset: index &* size, as: Bits.self)
                field.pointer(index, as: Bits.self).initialize(to: Bits(littleEndian: bits))
            }
        }
    }
    func destroy(_ field: Strided) {}
}

/// Bools: eight to a byte, the first in the lowest bit.
struct BoolColumn: ColumnBody {
    var minimumBits: Int { 1 }

    func encode(_ field: Strided, into writer: inout ByteWriter) {
        writeBits(field.count, into: &writer) { field.pointer($0, as: Bool.self).pointee }
    }
    func decode(from reader: inout ByteReader, into field: Strided) throws {
        try readBits(field.count, from: &reader) { index, bit in
            field.pointer(index, as: Bool.self).initialize(to: bit)
        }
    }
    func destroy(_ field: Strided) {}
}

@inline(__always)
func writeBits(_ count: Int, into writer: inout ByteWriter, _ bit: (Int) -> Bool) {
    var byte: UInt8 = 0
    for index in 0..<count {
        if bit(index) { byte |= 1 << UInt8(index & 7) }
        if index & 7 == 7 {
            writer.writeByte(byte)
            byte = 0
        }
    }
    if count & 7 != 0 { writer.writeByte(byte) }
}

@inline(__always)
func readBits(_ count: Int, from reader: inout ByteReader, _ take: (Int, Bool) -> Void) throws {
    try reader.withRaw((count + 7) / 8) { raw in
        for index in 0..<count { take(index, raw[index >> 3] >> UInt8(index & 7) & 1 != 0) }
    }
}

extension Int: RowLeaf { static func column() -> Column { Column(IntegerColumn<Int>()) } }
extension Int8: RowLeaf { static func column() -> Column { Column(IntegerColumn<Int8>()) } }
extension Int16: RowLeaf { static func column() -> Column { Column(IntegerColumn<Int16>()) } }
extension Int32: RowLeaf { static func column() -> Column { Column(IntegerColumn<Int32>()) } }
extension Int64: RowLeaf { static func column() -> Column { Column(IntegerColumn<Int64>()) } }
extension UInt: RowLeaf { static func column() -> Column { Column(IntegerColumn<UInt>()) } }
extension UInt8: RowLeaf { static func column() -> Column { Column(IntegerColumn<UInt8>()) } }
extension UInt16: RowLeaf { static func column() -> Column { Column(IntegerColumn<UInt16>()) } }
extension UInt32: RowLeaf { static func column() -> Column { Column(IntegerColumn<UInt32>()) } }
extension UInt64: RowLeaf { static func column() -> Column { Column(IntegerColumn<UInt64>()) } }
extension Double: RowLeaf { static func column() -> Column { Column(BitsColumn<UInt64>()) } }
extension Float: RowLeaf { static func column() -> Column { Column(BitsColumn<UInt32>()) } }
extension Bool: RowLeaf { static func column() -> Column { Column(BoolColumn()) } }
/// An `Instant` is its nanoseconds.
extension Instant: RowLeaf { static func column() -> Column { Column(IntegerColumn<Int64>()) } }
