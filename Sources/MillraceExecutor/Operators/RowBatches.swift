import MillraceBase
import MillraceWire

extension RowCodec {
    /// All rows of one or several batches that were written one after the other.
    /// Throws `ByteError` or `DecodingError` on bad bytes.
    public func rows(of bytes: [UInt8]) throws -> [Row] {
        var rows: [Row] = []
        try append(bytes, to: &rows)
        return rows
    }

    /// Appends all rows of `bytes`.
    public func append(_ bytes: [UInt8], to rows: inout [Row]) throws {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd { try decode(from: &reader, into: &rows) }
    }

    /// One batch; no bytes for no rows.
    public func bytes(of rows: [Row]) throws -> [UInt8] {
        if rows.isEmpty { return [] }
        var writer = ByteWriter(capacity: 16 + rows.count * MemoryLayout<Row>.stride)
        try encode(rows, into: &writer)
        return writer.bytes
    }
}
