import MillraceBase

/// What values hold outside of their rows: for those who reserve memory before they keep rows.
enum HeldBytes {
    /// An allocation's header and Swift's own, and what malloc rounds up.
    static let allocation = 48
    /// Text and byte strings up to this size lie in the value itself.
    static let inlineCount = 15

    @inline(__always)
    static func sum<Value>(
        _ field: Strided, _: Value.Type, _ held: (borrowing Value) -> Int
    ) -> Int {
        var sum = 0
        for index in 0..<field.count { sum += held(field.pointer(index, as: Value.self).pointee) }
        return sum
    }

    static func bytes(_ count: Int) -> Int { count > inlineCount ? count + allocation : 0 }
}

extension StringColumn {
    func held(_ field: Strided) -> Int {
        HeldBytes.sum(field, String.self) { HeldBytes.bytes($0.utf8.count) }
    }
}

extension ByteStringColumn {
    func held(_ field: Strided) -> Int {
        HeldBytes.sum(field, Bytes.self) { HeldBytes.bytes($0.count) }
    }
}

extension BytesColumn {
    func held(_ field: Strided) -> Int {
        HeldBytes.sum(field, [UInt8].self) {
            $0.capacity == 0 ? 0 : $0.capacity + HeldBytes.allocation
        }
    }
}

extension ArrayColumn {
    func held(_ field: Strided) -> Int {
        HeldBytes.sum(field, [Element].self) { array in
            if array.capacity == 0 { return 0 }
            let own = HeldBytes.allocation + array.capacity * MemoryLayout<Element>.stride
            if _isPOD(Element.self) { return own }
            return own
                + array.withUnsafeBufferPointer { elements in
                    guard let base = elements.baseAddress else { return 0 }
                    return shape.held(
                        Strided(
                            base: UnsafeMutableRawPointer(mutating: base),
                            stride: MemoryLayout<Element>.stride, count: elements.count))
                }
        }
    }
}

extension OptionalColumn {
    func held(_ field: Strided) -> Int {
        if _isPOD(Wrapped.self) { return 0 }
        var values = (0..<field.count).compactMap { field.pointer($0, as: Wrapped?.self).pointee }
        return values.isEmpty ? 0 : withField(&values) { shape.held($0) }
    }
}

extension ShapeColumn {
    func held(_ field: Strided) -> Int { shape.held(field) }
}

extension ConvertedColumn {
    func held(_ field: Strided) -> Int {
        if _isPOD(Value.self) { return 0 }
        var carriers = (0..<field.count).map {
            convert(field.pointer($0, as: Value.self).pointee)
        }
        return withField(&carriers) { carrier.held($0) }
    }
}

extension CodableColumn {
    /// Nobody knows but the type: its encoded size, and an allocation for each.
    func held(_ field: Strided) -> Int {
        if _isPOD(Value.self) { return 0 }
        var writer = ByteWriter()
        let isEncoded = (try? encode(field, into: &writer)) != nil
        return (isEncoded ? writer.count : 0) + field.count * HeldBytes.allocation
    }
}
