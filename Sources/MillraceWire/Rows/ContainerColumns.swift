import MillraceBase

/// A whole shape as one column.
struct ShapeColumn: ColumnBody {
    let shape: RowShape
    var minimumBits: Int { shape.minimumBits }
    func encode(_ field: Strided, into writer: inout ByteWriter) throws {
        try shape.encode(field, into: &writer)
    }
    func decode(from reader: inout ByteReader, into field: Strided) throws {
        try shape.decode(from: &reader, into: field)
    }
    func destroy(_ field: Strided) { shape.destroy(field) }
}

/// Optionals: one bit per row that says whether there is a value, then the values that are there.
struct OptionalColumn<Wrapped>: ColumnBody {
    let shape: RowShape
    var minimumBits: Int { 1 }

    func encode(_ field: Strided, into writer: inout ByteWriter) throws {
        var values: [Wrapped] = []
        values.reserveCapacity(field.count)
        writeBits(field.count, into: &writer) { index in
            guard let value = field.pointer(index, as: Wrapped?.self).pointee else { return false }
            values.append(value)
            return true
        }
        if values.isEmpty { return }
        try withField(&values) { try shape.encode($0, into: &writer) }
    }

    func decode(from reader: inout ByteReader, into field: Strided) throws {
        var present = [Bool](repeating: false, count: field.count)
        var count = 0
        try readBits(field.count, from: &reader) { index, bit in
            present[index] = bit
            if bit { count += 1 }
        }
        try shape.check(UInt64(count), against: reader)
        let values = try decodeDense(Wrapped.self, count, from: &reader) {
            try shape.decode(from: &$0, into: $1)
        }
        var next = 0
        for index in 0..<field.count {
            let place = field.pointer(index, as: Wrapped?.self)
            if present[index] {
                place.initialize(to: values[next])
                next += 1
            } else {
                place.initialize(to: nil)
            }
        }
    }

    func destroy(_ field: Strided) { field.destroy(Wrapped?.self) }
}

/// Arrays: their lengths, then all their elements.
struct ArrayColumn<Element>: ColumnBody {
    let shape: RowShape
    var minimumBits: Int { 8 }

    func encode(_ field: Strided, into writer: inout ByteWriter) throws {
        writeLengths(field.count, into: &writer) {
            field.pointer($0, as: [Element].self).pointee.count
        }
        var elements: [Element] = []
        for index in 0..<field.count {
            elements.append(contentsOf: field.pointer(index, as: [Element].self).pointee)
        }
        if elements.isEmpty { return }
        try withField(&elements) { try shape.encode($0, into: &writer) }
    }

    func decode(from reader: inout ByteReader, into field: Strided) throws {
        try withLengths(field.count, from: &reader) { lengths, sum, reader in
            try shape.check(UInt64(sum), against: reader)
            let elements = try decodeDense(Element.self, sum, from: &reader) {
                try shape.decode(from: &$0, into: $1)
            }
            var start = 0
            for index in 0..<field.count {
                let end = start + lengths[index]
                field.pointer(index, as: [Element].self).initialize(
                    to: Array(elements[start..<end]))
                start = end
            }
        }
    }

    func destroy(_ field: Strided) { field.destroy([Element].self) }
}

/// `[UInt8]`: lengths, then all bytes.
struct BytesColumn: ColumnBody {
    var minimumBits: Int { 8 }

    func encode(_ field: Strided, into writer: inout ByteWriter) {
        writeLengths(field.count, into: &writer) {
            field.pointer($0, as: [UInt8].self).pointee.count
        }
        for index in 0..<field.count {
            writer.bytes.append(contentsOf: field.pointer(index, as: [UInt8].self).pointee)
        }
    }

    func decode(from reader: inout ByteReader, into field: Strided) throws {
        try withLengths(field.count, from: &reader) { lengths, sum, reader in
            try reader.withRaw(sum) { raw in
                var start = 0
                for index in 0..<field.count {
                    let end = start + lengths[index]
                    field.pointer(index, as: [UInt8].self).initialize(to: Array(raw[start..<end]))
                    start = end
                }
            }
        }
    }

    func destroy(_ field: Strided) { field.destroy([UInt8].self) }
}

/// Any other Codable type, by the binary coder. Field names are written once per batch.
struct CodableColumn<Value: Codable>: ColumnBody {
    var minimumBits: Int { 8 }

    func encode(_ field: Strided, into writer: inout ByteWriter) throws {
        let session = EncoderSession(isCanonical: false)
        for index in 0..<field.count {
            try session.write(field.pointer(index, as: Value.self).pointee, key: nil)
        }
        writer.writeBytes(try session.assembled())
    }

    func decode(from reader: inout ByteReader, into field: Strided) throws {
        let size = try reader.readCount()
        let session = DecoderSession(
            reader.storage, from: reader.position, to: reader.position + size, userInfo: [:])
        var done = 0
        do {
            while done < field.count {
                let value = try session.read(Value.self, key: nil)
                field.pointer(done, as: Value.self).initialize(to: value)
                done += 1
            }
            guard session.position == session.end else {
                throw session.corrupted("bytes left over")
            }
        } catch {
            Strided(base: field.base, stride: field.stride, count: done).destroy(Value.self)
            throw error
        }
        try reader.skip(size)
    }

    func destroy(_ field: Strided) { field.destroy(Value.self) }
}

extension Optional: RowLeaf {
    static func column() throws -> Column {
        let shape = try RowShape(of: Wrapped.self)
        // The commonest are specialised.
        if Wrapped.self == Int.self { return Column(OptionalColumn<Int>(shape: shape)) }
        if Wrapped.self == Int64.self { return Column(OptionalColumn<Int64>(shape: shape)) }
        if Wrapped.self == Double.self { return Column(OptionalColumn<Double>(shape: shape)) }
        if Wrapped.self == String.self { return Column(OptionalColumn<String>(shape: shape)) }
        return Column(OptionalColumn<Wrapped>(shape: shape))
    }
}

extension Array: RowLeaf {
    static func column() throws -> Column {
        if Element.self == UInt8.self { return Column(BytesColumn()) }
        let shape = try RowShape(of: Element.self)
        if Element.self == Int.self { return Column(ArrayColumn<Int>(shape: shape)) }
        if Element.self == Double.self { return Column(ArrayColumn<Double>(shape: shape)) }
        if Element.self == String.self { return Column(ArrayColumn<String>(shape: shape)) }
        return Column(ArrayColumn<Element>(shape: shape))
    }
}
