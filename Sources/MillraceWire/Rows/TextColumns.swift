import MillraceBase

/// Writes the lengths of variable-size values: a width of 1, 2, 4 or 8 bytes, then the lengths.
@inline(__always)
func writeLengths(_ count: Int, into writer: inout ByteWriter, _ length: (Int) -> Int) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { lengths in
        for index in 0..<count { lengths[index] = length(index) }
        let field = Strided(
            base: UnsafeMutableRawPointer(lengths.baseAddress!), stride: MemoryLayout<Int>.stride,
            count: count)
        IntegerColumn<Int>().encode(field, into: &writer)
    }
}

/// Hands out what `writeLengths` wrote with the sum, each length checked to be 0 or more and the
/// sum not to overflow.
func withLengths<Result>(
    _ count: Int, from reader: inout ByteReader,
    _ body: (UnsafeMutableBufferPointer<Int>, Int, inout ByteReader) throws -> Result
) throws -> Result {
    try withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { lengths in
        let field = Strided(
            base: UnsafeMutableRawPointer(lengths.baseAddress!), stride: MemoryLayout<Int>.stride,
            count: count)
        try IntegerColumn<Int>().decode(from: &reader, into: field)
        var sum = 0
        for length in lengths {
            let (next, overflow) = sum.addingReportingOverflow(length)
            guard length >= 0, !overflow else { throw reader.failure("a length of \(length)") }
            sum = next
        }
        return try body(lengths, sum, &reader)
    }
}

/// Strings: their lengths, then all their UTF-8.
struct StringColumn: ColumnBody {
    var minimumBits: Int { 8 }

    func encode(_ field: Strided, into writer: inout ByteWriter) {
        var total = 0
        writeLengths(field.count, into: &writer) {
            let length = field.pointer($0, as: String.self).pointee.utf8.count
            total += length
            return length
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(total, 1)) { text in
            var start = 0
            for index in 0..<field.count {
                field.pointer(index, as: String.self).pointee.withUTF8 { utf8 in
                    guard let source = utf8.baseAddress else { return }
                    (text.baseAddress! + start).update(from: source, count: utf8.count)
                    start += utf8.count
                }
            }
            writer.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[..<start]))
        }
    }

    func decode(from reader: inout ByteReader, into field: Strided) throws {
        try withLengths(field.count, from: &reader) { lengths, sum, reader in
            let failure = reader.failure("a string is not UTF-8")
            try reader.withRaw(sum) { raw in
                let text = raw.bindMemory(to: UInt8.self)
                let isASCII = StableBytes.isASCII(text)
                var start = 0
                for index in 0..<field.count {
                    let bytes = UnsafeBufferPointer(rebasing: text[start..<start + lengths[index]])
                    guard
                        let string = isASCII
                            ? String(decoding: bytes, as: UTF8.self)
                            : String(validating: bytes, as: UTF8.self)
                    else {
                        Strided(base: field.base, stride: field.stride, count: index)
                            .destroy(String.self)
                        throw failure
                    }
                    field.pointer(index, as: String.self).initialize(to: string)
                    start += lengths[index]
                }
            }
        }
    }

    func destroy(_ field: Strided) { field.destroy(String.self) }
}

/// A column of values that travel as values of another type, for instance a Character as a String.
struct ConvertedColumn<Value, Carrier>: ColumnBody {
    let carrier: Column
    let convert: @Sendable (Value) -> Carrier
    let restore: @Sendable (Carrier) -> Value?

    var minimumBits: Int { carrier.minimumBits }

    func encode(_ field: Strided, into writer: inout ByteWriter) throws {
        var carriers = (0..<field.count).map {
            convert(field.pointer($0, as: Value.self).pointee)
        }
        try withField(&carriers) { try carrier.encode($0, &writer) }
    }

    func decode(from reader: inout ByteReader, into field: Strided) throws {
        let carriers = try decodeDense(Carrier.self, field.count, from: &reader) {
            try carrier.decode(&$0, $1)
        }
        for (index, value) in carriers.enumerated() {
            guard let value = restore(value) else {
                Strided(base: field.base, stride: field.stride, count: index).destroy(Value.self)
                throw reader.failure("a value is no \(Value.self)")
            }
            field.pointer(index, as: Value.self).initialize(to: value)
        }
    }

    func destroy(_ field: Strided) { field.destroy(Value.self) }
}

func withField<Value, Result>(
    _ values: inout [Value], _ body: (Strided) throws -> Result
) rethrows -> Result {
    try values.withUnsafeMutableBufferPointer { buffer in
        // An empty array has no base; no column looks at an empty field's.
        let base = buffer.baseAddress.map { UnsafeMutableRawPointer($0) }
        return try body(
            Strided(
                base: base ?? UnsafeMutableRawPointer(bitPattern: 16)!,
                stride: MemoryLayout<Value>.stride,
                count: buffer.count))
    }
}

/// Decodes into a new array. The caller has checked `count` against the bytes left.
func decodeDense<Value>(
    _: Value.Type, _ count: Int, from reader: inout ByteReader,
    _ decode: (inout ByteReader, Strided) throws -> Void
) throws -> [Value] {
    if count == 0 { return [] }
    return try [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
        let base = UnsafeMutableRawPointer(buffer.baseAddress!)
        try decode(&reader, Strided(base: base, stride: MemoryLayout<Value>.stride, count: count))
        initialized = count
    }
}

extension String: RowLeaf { static func column() -> Column { Column(StringColumn()) } }
extension Substring: RowLeaf {
    static func column() -> Column {
        Column(
            ConvertedColumn<Substring, String>(
                carrier: Column(StringColumn()), convert: { String($0) }, restore: { Substring($0) }
            ))
    }
}
extension Character: RowLeaf {
    static func column() -> Column {
        Column(
            ConvertedColumn<Character, String>(
                carrier: Column(StringColumn()), convert: { String($0) },
                restore: { $0.count == 1 ? $0.first : nil }))
    }
}
extension Duration: RowLeaf {
    static func column() throws -> Column {
        let carrier = Column(ShapeColumn(shape: try RowShape(of: (Int64, Int64).self)))
        return Column(
            ConvertedColumn<Duration, (Int64, Int64)>(
                carrier: carrier, convert: { $0.components },
                restore: { seconds, attoseconds in
                    guard abs(attoseconds) < 1_000_000_000_000_000_000 else { return nil }
                    return Duration(secondsComponent: seconds, attosecondsComponent: attoseconds)
                }))
    }
}
