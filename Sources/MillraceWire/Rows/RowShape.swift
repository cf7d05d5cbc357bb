import MillraceBase

/// One field of each row: where it is, and how far to the next row's.
struct Strided {
    var base: UnsafeMutableRawPointer
    var stride: Int
    var count: Int

    func at(_ offset: Int) -> Strided {
        Strided(base: base + offset, stride: stride, count: count)
    }
    func pointer<Value>(_ index: Int, as _: Value.Type) -> UnsafeMutablePointer<Value> {
        (base + index &* stride).assumingMemoryBound(to: Value.self)
    }
    func destroy<Value>(_: Value.Type) {
        if _isPOD(Value.self) { return }
        for index in 0..<count { pointer(index, as: Value.self).deinitialize(count: 1) }
    }
}

/// Writes and reads one column. The reading side initialises all of the field's memory or, when it
/// throws, none.
protocol ColumnBody: Sendable {
    /// The fewest bits a value can take: bounds what a hostile row count can make us allocate.
    var minimumBits: Int { get }
    func encode(_ field: Strided, into writer: inout ByteWriter) throws
    func decode(from reader: inout ByteReader, into field: Strided) throws
    func destroy(_ field: Strided)
    /// Bytes that the values hold outside of their rows, an allocation's own words included.
    func held(_ field: Strided) -> Int
}

extension ColumnBody {
    func held(_ field: Strided) -> Int { 0 }
}

/// A column of some kind, as closures: made where the kind is a concrete type, they are specialised
/// for it, whereas a generic type's conformance to `ColumnBody` would be called unspecialised (some
/// 20 times slower).
struct Column: Sendable {
    let minimumBits: Int
    let encode: @Sendable (Strided, inout ByteWriter) throws -> Void
    let decode: @Sendable (inout ByteReader, Strided) throws -> Void
    let destroy: @Sendable (Strided) -> Void
    let held: @Sendable (Strided) -> Int

    @inline(__always)
    init<Body: ColumnBody>(_ body: Body) {
        minimumBits = body.minimumBits
        encode = { try body.encode($0, into: &$1) }
        decode = { try body.decode(from: &$0, into: $1) }
        destroy = { body.destroy($0) }
        held = { body.held($0) }
    }
}

/// A type that has a column of its own.
protocol RowLeaf {
    static func column() throws -> Column
}

/// The columns of a row type: tuples taken apart, depth first.
struct RowShape: Sendable {
    private struct Placed: Sendable {
        var offset: Int
        var column: Column
    }
    private var columns: [Placed] = []
    private(set) var minimumBits = 0

    init(of type: Any.Type) throws { try add(type, at: 0, within: type) }

    private mutating func add(_ type: Any.Type, at offset: Int, within row: Any.Type) throws {
        if let elements = tupleElements(type) {
            for element in elements {
                try add(element.type, at: offset + element.offset, within: row)
            }
            return
        }
        guard let column = try leafColumn(type) else {
            let place = type == row ? "" : " (part of \(row))"
            throw MillraceError(
                .notSerializable,
                "rows of type \(type)\(place) cannot be sent between processes: make it Codable, "
                    + "or map to a type that is")
        }
        columns.append(Placed(offset: offset, column: column))
        minimumBits += column.minimumBits
    }

    func encode(_ rows: Strided, into writer: inout ByteWriter) throws {
        for placed in columns { try placed.column.encode(rows.at(placed.offset), &writer) }
    }

    func decode(from reader: inout ByteReader, into rows: Strided) throws {
        var done = 0
        do {
            for placed in columns {
                try placed.column.decode(&reader, rows.at(placed.offset))
                done += 1
            }
        } catch {
            for placed in columns[..<done] { placed.column.destroy(rows.at(placed.offset)) }
            throw error
        }
    }

    func destroy(_ rows: Strided) {
        for placed in columns { placed.column.destroy(rows.at(placed.offset)) }
    }

    func held(_ rows: Strided) -> Int {
        columns.reduce(0) { $0 + $1.column.held(rows.at($1.offset)) }
    }

    /// A row count that the bytes left can hold.
    func readCount(from reader: inout ByteReader) throws(ByteError) -> Int {
        let count = try reader.readVarint()
        try check(count, against: reader)
        return Int(count)
    }

    func check(_ count: UInt64, against reader: ByteReader) throws(ByteError) {
        let limit = minimumBits == 0 ? 1 << 32 : UInt64(reader.remaining) * 8 / UInt64(minimumBits)
        guard count <= limit else {
            throw reader.failure("\(count) rows in \(reader.remaining) bytes")
        }
    }
}

private func leafColumn(_ type: Any.Type) throws -> (Column)? {
    if let leaf = type as? any RowLeaf.Type { return try leaf.column() }
    func codable<Value: Codable>(_: Value.Type) -> Column { Column(CodableColumn<Value>()) }
    if let type = type as? any Codable.Type { return codable(type) }
    return nil
}

/// The elements of a tuple type, by its metadata {kind, count, labels, (type, offset)...}; nil for
/// other types.
func tupleElements(_ type: Any.Type) -> [(type: Any.Type, offset: Int)]? {
    let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
    let tupleKind = 0x301
    guard metadata.load(as: Int.self) == tupleKind else { return nil }
    let count = metadata.load(fromByteOffset: 8, as: Int.self)
    return (0..<count).map { index in
        let element = metadata + 24 + 16 * index
        return (
            element.load(as: Any.Type.self), Int(element.load(fromByteOffset: 8, as: UInt32.self))
        )
    }
}
