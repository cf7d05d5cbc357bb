import CLinux
import MillraceBase

/// A Swift function value: code, and the context with its captures (nil for none).
struct ThickFunction {
    var code: UnsafeRawPointer?
    var context: UnsafeRawPointer?
}

/// What follows a context's place.
enum ContextTag {
    static let none: UInt8 = 0
    static let box: UInt8 = 1
    static let array: UInt8 = 2
    static let dictionary: UInt8 = 3
    static let set: UInt8 = 4
    static let object: UInt8 = 5
    static let emptyArray: UInt8 = 6
    static let emptyDictionary: UInt8 = 7
    static let emptySet: UInt8 = 8
}

/// What follows a binding's place in a generic closure's context.
enum BindingTag {
    static let type: UInt8 = 1
    /// A witness table in an image.
    static let witness: UInt8 = 2
    /// The witness table of a bound type for a protocol, made at run time.
    static let conformance: UInt8 = 3
    /// The same of a type that is no binding: the closure gets it from one of its arguments.
    static let namedConformance: UInt8 = 4
}

/// Reads closures out of memory. Knows where it is, so that a refusal names the capture.
struct ClosureEncoder {
    static let maximumDepth = 64

    var shipping = ShippingWriter()
    /// From the outermost closure to the value under way: "capture 2 of 3", "element 0"...
    var trail: [String] = []

    func refusal(_ what: String, _ advice: String) -> MillraceError {
        let place = trail.isEmpty ? "it" : trail.joined(separator: ", ")
        return MillraceError(
            .notSerializable,
            "the closure cannot be sent to another process: \(place) is \(what); \(advice)")
    }

    mutating func within<Result>(
        _ step: String, _ body: (inout ClosureEncoder) throws -> Result
    ) throws -> Result {
        guard trail.count < Self.maximumDepth else {
            throw refusal("nested too deep", "captures may nest \(Self.maximumDepth) levels")
        }
        trail.append(step)
        let result = try body(&self)
        trail.removeLast()
        return result
    }

    mutating func encode(_ function: ThickFunction) throws {
        guard let code = function.code, let found = ImageTable.current.find(code) else {
            throw refusal(
                "code outside of the executable and its libraries",
                "it may be of a library opened later")
        }
        guard found.segment.isExecutable else {
            throw refusal(
                "an async function", "kernels run synchronously: use a closure without async")
        }
        _ = shipping.writeAddress(code)
        guard let context = function.context else {
            return shipping.writer.writeByte(ContextTag.none)
        }
        let metadata = context.load(as: UnsafeRawPointer.self)
        let kind = metadata.load(as: UInt.self)
        if kind == MetadataKind.heapLocalVariable {
            try encodeBox(context, metadata)
        } else if MetadataKind.isClass(kind) {
            try encodeObject(context)
        } else {
            throw refusal(
                "a closure over a context of unknown kind \(kind)",
                "capture plain Codable values instead")
        }
    }

    // MARK: a context with a capture descriptor

    private mutating func encodeBox(_ context: UnsafeRawPointer, _ metadata: UnsafeRawPointer)
        throws
    {
        shipping.writer.writeByte(ContextTag.box)
        guard let layout = CaptureLayout(metadata: metadata), shipping.writeAddress(metadata) else {
            throw refusal(
                "a closure whose captures have no description",
                "capture concrete Codable values, not values of an opened `any` type")
        }
        // A parameter with another source (the class of one of the closure's arguments, say) isn't
        // in the context; it matters only when a capture's type mentions it, and that capture is
        // refused below.
        let environment = try encodeBindings(context, layout)
        var offset = layout.firstOffset + 8 * layout.bindingCount
        for index in 0..<layout.captureCount {
            let capture = layout.capture(index, in: environment)
            let place = "capture \(index + 1) of \(layout.captureCount)"
            try within(place) { encoder in
                switch capture {
                case .refused(let what):
                    throw encoder.refusal(what, "capture a Codable value in its place")
                case .function, .optionalFunction:
                    offset = aligned(offset, 8)
                    let function = (context + offset).load(as: ThickFunction.self)
                    try encoder.encodeFunctionCapture(function, capture)
                    offset += 16
                case .stored(let type):
                    let (size, alignment) = type.sizeAndAlignment
                    offset = aligned(offset, alignment)
                    try encoder.encodeStored(type, at: context + offset)
                    offset += size
                case .value(let type):
                    let (size, alignment) = sizeAndAlignment(type)
                    offset = aligned(offset, alignment)
                    try encoder.encodeValue(type, at: context + offset)
                    offset += size
                }
            }
        }
    }

    private mutating func encodeFunctionCapture(
        _ function: ThickFunction, _ capture: CaptureLayout.Capture
    ) throws {
        if case .optionalFunction = capture {
            shipping.writer.writeBool(function.code != nil)
            if function.code == nil { return }
        }
        try encode(function)
    }

    private mutating func encodeBindings(
        _ context: UnsafeRawPointer, _ layout: CaptureLayout
    ) throws -> GenericEnvironment {
        let words = (0..<layout.bindingCount).map {
            context.load(fromByteOffset: layout.firstOffset + 8 * $0, as: UnsafeRawPointer.self)
        }
        var types: [GenericEnvironment.Parameter: Any.Type] = [:]
        for (binding, parameter) in layout.parameters where binding < words.count {
            types[parameter] = MetadataKind.type(words[binding])
        }
        for (binding, word) in words.enumerated() {
            if layout.parameters[binding] != nil {
                shipping.writer.writeByte(BindingTag.type)
                try shipping.writeType(MetadataKind.type(word))
            } else {
                try encodeWitness(word, layout, words)
            }
        }
        return GenericEnvironment(types)
    }

    private mutating func encodeWitness(
        _ table: UnsafeRawPointer, _ layout: CaptureLayout, _ words: [UnsafeRawPointer]
    ) throws {
        if ImageTable.current.contains(table) {
            shipping.writer.writeByte(BindingTag.witness)
            _ = shipping.writeAddress(table)
            return
        }
        let conformance = table.load(as: UnsafeRawPointer.self)
        if ImageTable.current.contains(conformance),
            let description = relativeIndirectable(conformance, 0)
        {
            for (binding, word) in words.enumerated() where layout.parameters[binding] != nil {
                guard swift_conformsToProtocol(word, description) == table else { continue }
                shipping.writer.writeByte(BindingTag.conformance)
                shipping.writer.writeCount(binding)
                if shipping.writeAddress(description) { return }
            }
            if let type = conformingType(conformance),
                swift_conformsToProtocol(MetadataKind.pointer(type), description) == table
            {
                shipping.writer.writeByte(BindingTag.namedConformance)
                try shipping.writeType(type)
                if shipping.writeAddress(description) { return }
            }
        }
        throw refusal(
            "a generic closure that needs a conformance made at run time",
            "make the closure where its types are concrete")
    }

    /// The type of a conformance descriptor {protocol, type, witnesses, flags}; nil for a generic
    /// one.
    private func conformingType(_ conformance: UnsafeRawPointer) -> Any.Type? {
        let field = conformance + 4
        var descriptor: UnsafeRawPointer? = field + Int(field.load(as: Int32.self))
        switch (conformance.load(fromByteOffset: 12, as: UInt32.self) >> 3) & 7 {
        case 0: break
        case 1: descriptor = descriptor?.load(as: UnsafeRawPointer?.self)
        default: return nil
        }
        guard let descriptor, descriptor.load(as: UInt32.self) & 0x80 == 0 else { return nil }
        return GenericEnvironment.type(descriptor, levels: [], [])
    }

    // MARK: a context that is the only capture itself

    private mutating func encodeObject(_ context: UnsafeRawPointer) throws {
        if context == EmptyStorage.array { return shipping.writer.writeByte(ContextTag.emptyArray) }
        if context == EmptyStorage.dictionary {
            return shipping.writer.writeByte(ContextTag.emptyDictionary)
        }
        if context == EmptyStorage.set { return shipping.writer.writeByte(ContextTag.emptySet) }
        let object = Unmanaged<AnyObject>.fromOpaque(context).takeUnretainedValue()
        let nominal = NominalType(Swift.type(of: object))
        try within("its only capture") { encoder in
            if let nominal, let tag = EmptyStorage.tag(nominal.descriptor) {
                encoder.shipping.writer.writeByte(tag)
                let container = try encoder.containerType(tag, nominal.arguments)
                for argument in nominal.arguments { try encoder.shipping.writeType(argument) }
                // An Array, Dictionary or Set is a pointer to this object.
                try withUnsafeBytes(of: context) {
                    try encoder.encodeValue(container, at: $0.baseAddress!)
                }
            } else {
                encoder.shipping.writer.writeByte(ContextTag.object)
                try encoder.encodeInstance(object)
            }
        }
    }

    private func containerType(_ tag: UInt8, _ arguments: [Any.Type]) throws -> Any.Type {
        guard let type = EmptyStorage.containerType(tag, arguments) else {
            throw refusal("a collection of unknown kind", "capture it together with another value")
        }
        return type
    }
}

/// The objects behind collections: those of empty ones are shared, those of others are of these
/// classes.
enum EmptyStorage {
    nonisolated(unsafe) static let array = unsafeBitCast([Int](), to: UnsafeRawPointer.self)
    nonisolated(unsafe) static let dictionary = unsafeBitCast(
        [Int: Int](), to: UnsafeRawPointer.self)
    nonisolated(unsafe) static let set = unsafeBitCast(Set<Int>(), to: UnsafeRawPointer.self)

    private static func descriptor<Value>(_ value: Value) -> UnsafeRawPointer? {
        NominalType(type(of: unsafeBitCast(value, to: AnyObject.self)))?.descriptor
    }
    nonisolated(unsafe) private static let classes: [(descriptor: UnsafeRawPointer?, tag: UInt8)] =
        [
            (
                descriptor([Int](repeating: 0, count: CommandLine.arguments.count + 1)),
                ContextTag.array
            ),
            (descriptor([1: 1]), ContextTag.dictionary),
            (descriptor(Set([1])), ContextTag.set),
        ]

    static func tag(_ descriptor: UnsafeRawPointer) -> UInt8? {
        classes.first { $0.descriptor == descriptor }?.tag
    }

    /// The type whose storage has these arguments.
    static func containerType(_ tag: UInt8, _ arguments: [Any.Type]) -> Any.Type? {
        var result: Any.Type?
        func openArray<Element>(_: Element.Type) { result = [Element].self }
        func openSet<Element: Hashable>(_: Element.Type) { result = Set<Element>.self }
        func openValue<Key: Hashable>(_: Key.Type) {
            func openPair<Value>(_: Value.Type) { result = [Key: Value].self }
            _openExistential(arguments[1], do: openPair)
        }
        switch (tag, arguments.count) {
        case (ContextTag.array, 1...): _openExistential(arguments[0], do: openArray)
        case (ContextTag.dictionary, 2...):
            if let key = arguments[0] as? any Hashable.Type { openValue(key) }
        case (ContextTag.set, 1...):
            if let element = arguments[0] as? any Hashable.Type { openSet(element) }
        default: break
        }
        return result
    }
}

func aligned(_ offset: Int, _ alignment: Int) -> Int { (offset + alignment - 1) & ~(alignment - 1) }

func sizeAndAlignment(_ type: Any.Type) -> (size: Int, alignment: Int) {
    var result = (size: 0, alignment: 1)
    func measure<Value>(_: Value.Type) {
        result = (MemoryLayout<Value>.size, MemoryLayout<Value>.alignment)
    }
    _openExistential(type, do: measure)
    return result
}
