import MillraceBase

/// Batches of rows ⇄ bytes, column by column.
///
/// `Row` may be an integer, `Double`, `Float`, `Bool`, `String`, `[UInt8]`, an Optional of these, a (nested) tuple of all of
/// these and of any other `Codable` types. The shape is found once, in `init`, from the type's metadata.
public struct RowCodec<Row>: Sendable {
    /// Throws `MillraceError.notSerializable`, naming the part of `Row` that cannot be encoded.
    public init() throws {}

    /// Appends the batch. Throws only what a `Codable` leaf's `encode(to:)` throws.
    public func encode(_ rows: [Row], into writer: inout ByteWriter) throws {
        try rows.withUnsafeBufferPointer { try encode($0, into: &writer) }
    }
    public func encode(_ rows: UnsafeBufferPointer<Row>, into writer: inout ByteWriter) throws {
        preconditionFailure("soon")
    }
    /// Reads one batch and appends its rows. Throws `ByteError` or `DecodingError` on bad bytes; `rows` is then as it was.
    public func decode(from reader: inout ByteReader, into rows: inout [Row]) throws {
        preconditionFailure("soon")
    }
}
