import MillraceBase

/// A container whose elements travel one by one when the whole isn't Codable: tuples, functions,
/// existentials inside.
protocol TravellingContainer {
    func encodeElements(_ encoder: inout ClosureEncoder) throws
    static func decodeElements(_ decoder: inout ClosureDecoder) throws -> Self
}

/// How a value of a type travels.
private enum Travel {
    case codable(any Codable.Type)
    case container(any TravellingContainer.Type)
    case tuple([(type: Any.Type, offset: Int)])
    case function
    /// An instance of the class or of a subclass, named.
    case instance
    /// A value of some concrete type, named.
    case existential
    case metatype
    case row(any RowLeaf.Type)
    case refused(String)

    init(_ type: Any.Type) {
        let kind = MetadataKind.of(type)
        if let elements = tupleElements(type) {
            self = .tuple(elements)
            return
        }
        if let function = FunctionType(type) {
            self =
                function.isAsync
                ? .refused("an async function \(type)")
                : function.isThick ? .function : .refused("a C function \(type)")
            return
        }
        switch kind {
        case MetadataKind.existential, MetadataKind.extendedExistential: self = .existential
        case MetadataKind.metatype, MetadataKind.existentialMetatype: self = .metatype
        case _ where MetadataKind.isClass(kind): self = .instance
        default:
            if let codable = type as? any Codable.Type, !holdsInstances(type) {
                self = .codable(codable)
            } else if let container = type as? any TravellingContainer.Type {
                self = .container(container)
            } else if let leaf = type as? any RowLeaf.Type {
                self = .row(leaf)
            } else {
                self = .refused("a \(type), which is not Codable")
            }
        }
    }
}

/// Arrays and Optionals of class instances: their own Codable would forget the subclass.
private func holdsInstances(_ type: Any.Type) -> Bool {
    guard type is any TravellingContainer.Type, let nominal = NominalType(type) else {
        return false
    }
    return nominal.arguments.contains {
        MetadataKind.isClass(MetadataKind.of($0)) || holdsInstances($0)
    }
}

// MARK: encode

extension ClosureEncoder {
    mutating func encodeValue(_ type: Any.Type, at memory: UnsafeRawPointer) throws {
        switch Travel(type) {
        case .refused(let what):
            throw refusal(
                what, "make it Codable, capture a Codable value in its place, or make it inside")
        case .codable: try encodeCodable(load(type, memory) as! any Encodable)
        case .container: try (load(type, memory) as! any TravellingContainer).encodeElements(&self)
        case .tuple(let elements):
            for (index, element) in elements.enumerated() {
                try within("element \(index) (of \(type))") {
                    try $0.encodeValue(element.type, at: memory + element.offset)
                }
            }
        case .function: try encode(memory.load(as: ThickFunction.self))
        case .instance:
            let object = memory.load(as: Unmanaged<AnyObject>.self).takeUnretainedValue()
            try encodeInstance(object)
        case .existential:
            let value = load(type, memory)
            let concrete: Any.Type = Swift.type(of: value)
            if case .existential = Travel(concrete) {
                throw refusal("a \(concrete)", "capture its value")
            }
            try shipping.writeType(concrete)
            // Not by opening `value`: from generic code it holds the existential, which holds the
            // value.
            func encode<Value>(_: Value.Type) throws {
                try withUnsafeBytes(of: value as! Value) {
                    try encodeValue(Value.self, at: $0.baseAddress ?? memory)
                }
            }
            try _openExistential(concrete, do: encode)
        case .metatype:
            guard let type = load(type, memory) as? Any.Type else {
                throw refusal("a metatype \(type)", "name the type inside the closure")
            }
            try shipping.writeType(type)
        case .row:
            let field = Strided(
                base: UnsafeMutableRawPointer(mutating: memory), stride: 0, count: 1)
            try RowShape(of: type).encode(field, into: &shipping.writer)
        }
    }

    /// By its own class, not by the type it was captured as.
    mutating func encodeInstance(_ object: AnyObject) throws {
        if let keyPath = object as? AnyKeyPath { return try encodeKeyPath(keyPath) }
        let type: Any.Type = Swift.type(of: object)
        guard let value = object as? any Encodable, object is any Decodable else {
            throw refusal(
                "an instance of class \(type), which is not Codable",
                "capture the values that are needed of it, make it inside the closure, or make it "
                    + "Codable (the other process gets a copy)")
        }
        try shipping.writeType(type)
        try encodeCodable(value)
    }

    private mutating func encodeCodable(_ value: any Encodable) throws {
        do {
            shipping.writer.writeBytes(try BinaryEncoder().encode(value))
        } catch let error as MillraceError where error.code == .notSerializable {
            throw error
        } catch {
            throw refusal(
                "a \(type(of: value)) that fails to encode (\(error))", "see its encode(to:)")
        }
    }

    private func load(_ type: Any.Type, _ memory: UnsafeRawPointer) -> Any {
        func load<Value>(_: Value.Type) -> Any {
            memory.assumingMemoryBound(to: Value.self).pointee
        }
        return _openExistential(type, do: load)
    }

    mutating func encodeElement<Element>(_ element: Element, _ index: Int) throws {
        try within("element \(index)") { encoder in
            try withUnsafeBytes(of: element) {
                try encoder.encodeValue(
                    Element.self, at: $0.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!)
            }
        }
    }
}

// MARK: decode

extension ClosureDecoder {
    /// Initialises the memory, or throws and leaves it uninitialised.
    mutating func decodeValue(_ type: Any.Type, into memory: UnsafeMutableRawPointer) throws {
        switch Travel(type) {
        case .refused(let what): throw ShippingReader.corrupted("it holds \(what)")
        case .codable(let codable): try store(decodeCodable(codable), as: type, memory)
        case .container(let container):
            func decode<Container: TravellingContainer>(_: Container.Type) throws {
                let value = try Container.decodeElements(&self)
                memory.initializeMemory(as: Container.self, to: value)
            }
            try decode(container)
        case .tuple(let elements):
            var done = 0
            do {
                for element in elements {
                    try decodeValue(element.type, into: memory + element.offset)
                    done += 1
                }
            } catch {
                for element in elements[..<done] { destroy(element.type, memory + element.offset) }
                throw error
            }
        case .function:
            memory.storeBytes(of: try decode(), as: ThickFunction.self)
        case .instance: try store(decodeInstance(), as: type, memory)
        case .existential: try store(decodeAny(), as: type, memory)
        case .metatype: try store(shipping.readType(), as: type, memory)
        case .row:
            let field = Strided(base: memory, stride: 0, count: 1)
            try RowShape(of: type).decode(from: &shipping.reader, into: field)
        }
    }

    mutating func decodeInstance() throws -> Any {
        let type = try shipping.readType()
        if let keyPath = type as? AnyKeyPath.Type { return try decodeKeyPath(keyPath) }
        guard let codable = type as? any Codable.Type, MetadataKind.isClass(MetadataKind.of(type))
        else {
            throw ShippingReader.corrupted("\(type) is no Codable class")
        }
        return try decodeCodable(codable)
    }

    private mutating func decodeAny() throws -> Any {
        let type = try shipping.readType()
        func decode<Value>(_: Value.Type) throws -> Any { try decodeElement(Value.self) }
        return try _openExistential(type, do: decode)
    }

    private mutating func decodeCodable(_ type: any Codable.Type) throws -> Any {
        let bytes = try shipping.reader.readBytes()
        func decode<Value: Codable>(_: Value.Type) throws -> Any {
            try BinaryDecoder().decode(Value.self, from: bytes)
        }
        return try decode(type)
    }

    private func store(_ value: Any, as type: Any.Type, _ memory: UnsafeMutableRawPointer) throws {
        func store<Value>(_: Value.Type) throws {
            guard let value = value as? Value else {
                throw ShippingReader.corrupted("a \(Swift.type(of: value)) is no \(Value.self)")
            }
            memory.initializeMemory(as: Value.self, to: value)
        }
        try _openExistential(type, do: store)
    }

    mutating func decodeElement<Element>(_: Element.Type) throws -> Element {
        guard depth < ClosureEncoder.maximumDepth else {
            throw ShippingReader.corrupted("it nests too deep")
        }
        depth += 1
        defer { depth -= 1 }
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: 1)
        defer { memory.deallocate() }
        try decodeValue(Element.self, into: UnsafeMutableRawPointer(memory))
        return memory.move()
    }

    func destroy(_ type: Any.Type, _ memory: UnsafeMutableRawPointer) {
        func destroy<Value>(_: Value.Type) {
            memory.assumingMemoryBound(to: Value.self).deinitialize(count: 1)
        }
        _openExistential(type, do: destroy)
    }
}

// MARK: containers

extension Optional: TravellingContainer {
    func encodeElements(_ encoder: inout ClosureEncoder) throws {
        encoder.shipping.writer.writeBool(self != nil)
        if let self { try encoder.encodeElement(self, 0) }
    }
    static func decodeElements(_ decoder: inout ClosureDecoder) throws -> Wrapped? {
        try decoder.shipping.reader.readBool() ? try decoder.decodeElement(Wrapped.self) : nil
    }
}

extension Array: TravellingContainer {
    func encodeElements(_ encoder: inout ClosureEncoder) throws {
        encoder.shipping.writer.writeCount(count)
        for (index, element) in enumerated() { try encoder.encodeElement(element, index) }
    }
    static func decodeElements(_ decoder: inout ClosureDecoder) throws -> [Element] {
        // Nothing is reserved: the count is only believed as far as there are bytes for it.
        let count = try decoder.shipping.reader.readVarint()
        guard count <= UInt64(decoder.shipping.reader.remaining) || MemoryLayout<Element>.size == 0,
            count < 1 << 32
        else { throw ShippingReader.corrupted("an array is cut off") }
        var result: [Element] = []
        for _ in 0..<count { result.append(try decoder.decodeElement(Element.self)) }
        return result
    }
}

extension Dictionary: TravellingContainer {
    /// In the order of the encoded keys, so that equal closures give equal bytes.
    func encodeElements(_ encoder: inout ClosureEncoder) throws {
        encoder.shipping.writer.writeCount(count)
        var pairs: [(order: [UInt8], key: Key, value: Value)] = []
        for (index, pair) in enumerated() {
            var probe = ClosureEncoder()
            probe.trail = encoder.trail
            try probe.encodeElement(pair.key, index)
            pairs.append((Array(probe.shipping.finish().dropFirst(8)), pair.key, pair.value))
        }
        pairs.sort { precedes($0.order, $1.order) }
        for (index, pair) in pairs.enumerated() {
            try encoder.encodeElement(pair.key, index)
            try encoder.encodeElement(pair.value, index)
        }
    }
    static func decodeElements(_ decoder: inout ClosureDecoder) throws -> [Key: Value] {
        let count = try decoder.shipping.reader.readCount()
        var result: [Key: Value] = [:]
        for _ in 0..<count {
            let key = try decoder.decodeElement(Key.self)
            result[key] = try decoder.decodeElement(Value.self)
        }
        return result
    }
}
