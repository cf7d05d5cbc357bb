import MillraceBase

/// `Bytes`: lengths, then all bytes; the same on the wire as a column of `[UInt8]`. What is read
/// points into the reader's bytes.
struct ByteStringColumn: ColumnBody {
    var minimumBits: Int { 8 }

    func encode(_ field: Strided, into writer: inout ByteWriter) {
        writeLengths(field.count, into: &writer) {
            field.pointer($0, as: Bytes.self).pointee.count
        }
        for index in 0..<field.count {
            field.pointer(index, as: Bytes.self).pointee.withUnsafeBytes {
                writer.bytes.append(contentsOf: $0)
            }
        }
    }

    func decode(from reader: inout ByteReader, into field: Strided) throws {
        try withLengths(field.count, from: &reader) { lengths, sum, reader in
            var start = reader.position
            try reader.skip(sum)
            let storage = reader.storage
            for index in 0..<field.count {
                field.pointer(index, as: Bytes.self).initialize(
                    to: Bytes(sharing: storage, from: start, count: lengths[index]))
                start += lengths[index]
            }
        }
    }

    func destroy(_ field: Strided) { field.destroy(Bytes.self) }
}

extension Bytes: RowLeaf { static func column() -> Column { Column(ByteStringColumn()) } }

extension Bytes: HashLeaf {
    /// As `[UInt8]`.
    static func hashShape() -> HashShape {
        HashShape(of: Bytes.self) { bytes in
            bytes.withUnsafeBytes { StableBytes.hash($0) }
        }
    }
}
