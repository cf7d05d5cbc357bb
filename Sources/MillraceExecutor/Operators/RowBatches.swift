import MillraceBase
import MillraceWire

extension RowCodec {
    /// All rows of one or several batches that were written one after the other.
    /// Throws `ByteError` or `DecodingError` on bad bytes.
    public func rows(of bytes: [UInt8]) throws -> [Row] {
        var reader = ByteReader(bytes)
        var rows: [Row] = []
        while !reader.isAtEnd { try decode(from: &reader, into: &rows) }
        return rows
    }

    /// One batch; no bytes for no rows.
    public func bytes(of rows: [Row]) throws -> [UInt8] {
        if rows.isEmpty { return [] }
        var writer = ByteWriter(capacity: 16 + rows.count * MemoryLayout<Row>.stride)
        try encode(rows, into: &writer)
        return writer.bytes
    }
}
