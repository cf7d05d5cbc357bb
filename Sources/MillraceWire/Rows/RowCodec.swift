import MillraceBase

/// Batches of rows ⇄ bytes, column by column.
///
/// `Row` may be an integer, `Double`, `Float`, `Bool`, `String`, `Substring`, `Character`,
/// `Instant`, `Duration`, an Optional or Array of any supported type, a (nested) tuple of supported
/// types, and any other `Codable` type. The shape is found once, in `init`, from the type's
/// metadata; after that each column is one loop over the rows' memory, without a dynamic call or an
/// allocation per row. Only `Codable` leaves pay for each value (`BinaryEncoder`).
///
/// A batch is its row count, then its columns. The same rows give the same bytes in every process.
public struct RowCodec<Row>: Sendable {
    private let shape: RowShape

    /// Throws `MillraceError.notSerializable`, naming the part of `Row` that cannot be encoded.
    public init() throws { shape = try RowShape(of: Row.self) }

    /// Appends the batch. Throws only what a `Codable` leaf's `encode(to:)` throws.
    public func encode(_ rows: [Row], into writer: inout ByteWriter) throws {
        try rows.withUnsafeBufferPointer { try encode($0, into: &writer) }
    }

    public func encode(_ rows: RowBuffer<Row>, into writer: inout ByteWriter) throws {
        try encode(UnsafeBufferPointer(rows.rows), into: &writer)
    }

    public func encode(_ rows: UnsafeBufferPointer<Row>, into writer: inout ByteWriter) throws {
        writer.writeCount(rows.count)
        guard let base = rows.baseAddress, rows.count > 0 else { return }
        let strided = Strided(
            base: UnsafeMutableRawPointer(mutating: base), stride: MemoryLayout<Row>.stride,
            count: rows.count)
        try shape.encode(strided, into: &writer)
    }

    /// Bytes that the rows hold outside of themselves (text, arrays, …), as exactly as can be known
    /// without asking the allocator. What several rows share counts for each.
    public func held(_ rows: UnsafeBufferPointer<Row>) -> Int {
        guard !_isPOD(Row.self), let base = rows.baseAddress, rows.count > 0 else { return 0 }
        return shape.held(
            Strided(
                base: UnsafeMutableRawPointer(mutating: base), stride: MemoryLayout<Row>.stride,
                count: rows.count))
    }

    /// Reads one batch and appends its rows. Throws `ByteError` or `DecodingError` on bad bytes;
    /// `rows` is then as it was.
    public func decode(from reader: inout ByteReader, into rows: RowBuffer<Row>) throws {
        let start = reader
        do {
            let count = try shape.readCount(from: &reader)
            if count == 0 { return }
            try rows.append(room: count) { memory in
                let strided = Strided(
                    base: UnsafeMutableRawPointer(memory), stride: MemoryLayout<Row>.stride,
                    count: count)
                try shape.decode(from: &reader, into: strided)
                return count
            }
        } catch {
            reader = start
            throw error
        }
    }

    /// The same into an array.
    public func decode(from reader: inout ByteReader, into rows: inout [Row]) throws {
        let start = reader
        do {
            let count = try shape.readCount(from: &reader)
            if count == 0 { return }
            let batch = try [Row](unsafeUninitializedCapacity: count) { buffer, initialized in
                let strided = Strided(
                    base: UnsafeMutableRawPointer(buffer.baseAddress!),
                    stride: MemoryLayout<Row>.stride,
                    count: count)
                try shape.decode(from: &reader, into: strided)
                initialized = count
            }
            if rows.isEmpty { rows = batch } else { rows.append(contentsOf: batch) }
        } catch {
            reader = start
            throw error
        }
    }
}
