import CLinux
import MillraceBase

/// Rebuilds closures. Every function it makes owns its context: who takes it releases it, once.
struct ClosureDecoder {
    var shipping: ShippingReader
    var depth = 0

    init(_ bytes: [UInt8]) throws { shipping = try ShippingReader(bytes) }

    mutating func decode() throws -> ThickFunction {
        guard depth < ClosureEncoder.maximumDepth else {
            throw ShippingReader.corrupted("it nests too deep")
        }
        depth += 1
        defer { depth -= 1 }
        let code = try shipping.readAddress(count: 1, isExecutable: true)
        return ThickFunction(code: code, context: try decodeContext())
    }

    private mutating func decodeContext() throws -> UnsafeRawPointer? {
        switch try shipping.reader.readByte() {
        case ContextTag.none: return nil
        case ContextTag.box: return try decodeBox()
        case ContextTag.object:
            return UnsafeRawPointer(
                Unmanaged.passRetained(try decodeInstance() as AnyObject).toOpaque())
        case ContextTag.emptyArray: return EmptyStorage.array
        case ContextTag.emptyDictionary: return EmptyStorage.dictionary
        case ContextTag.emptySet: return EmptyStorage.set
        case let tag where tag <= ContextTag.set: return try decodeCollection(tag)
        case let tag: throw ShippingReader.corrupted("\(tag) is no kind of context")
        }
    }

    private mutating func decodeCollection(_ tag: UInt8) throws -> UnsafeRawPointer {
        let count = tag == ContextTag.dictionary ? 2 : 1
        let arguments = try (0..<count).map { _ in try shipping.readType() }
        guard let type = EmptyStorage.containerType(tag, arguments) else {
            throw ShippingReader.corrupted("a collection's type cannot be made")
        }
        var storage: UnsafeRawPointer?
        // The collection is this one pointer; it is kept without being released.
        try withUnsafeMutableBytes(of: &storage) { try decodeValue(type, into: $0.baseAddress!) }
        return storage!
    }

    // MARK: a context with a capture descriptor

    private mutating func decodeBox() throws -> UnsafeRawPointer {
        let metadata = try shipping.readAddress(count: 24, isExecutable: false)
        guard UInt(bitPattern: metadata) % 8 == 0,
            metadata.load(as: UInt.self) == MetadataKind.heapLocalVariable,
            let layout = CaptureLayout(metadata: metadata)
        else {
            throw ShippingReader.corrupted("there is no context description where it should be")
        }
        let (words, environment) = try decodeBindings(layout)
        var slots: [(capture: CaptureLayout.Capture, offset: Int)] = []
        var offset = layout.firstOffset + 8 * layout.bindingCount
        var largest = 16
        for index in 0..<layout.captureCount {
            let capture = layout.capture(index, in: environment)
            var (size, alignment) = (16, 8)
            if case .value(let type) = capture { (size, alignment) = sizeAndAlignment(type) }
            if case .stored(let type) = capture { (size, alignment) = type.sizeAndAlignment }
            offset = aligned(offset, alignment)
            slots.append((capture, offset))
            offset += size
            largest = max(largest, alignment)
        }
        let image = UnsafeMutableRawPointer.allocate(byteCount: offset, alignment: largest)
        defer { image.deallocate() }
        for (binding, word) in words.enumerated() {
            image.storeBytes(
                of: word, toByteOffset: layout.firstOffset + 8 * binding, as: UnsafeRawPointer.self)
        }
        try decodeCaptures(slots, into: image)
        // Nothing can fail any more: move the captures into an object.
        let object = swift_allocObject(metadata, offset, largest - 1)
        let header = layout.firstOffset
        (object + header).copyMemory(from: image + header, byteCount: offset - header)
        return UnsafeRawPointer(object)
    }

    private mutating func decodeCaptures(
        _ slots: [(capture: CaptureLayout.Capture, offset: Int)],
        into image: UnsafeMutableRawPointer
    ) throws {
        var done = 0
        do {
            for slot in slots {
                try decodeCapture(slot.capture, into: image + slot.offset)
                done += 1
            }
        } catch {
            for slot in slots[..<done] {
                switch slot.capture {
                case .value(let type): destroy(type, image + slot.offset)
                case .stored(let type): destroy(type, image + slot.offset)
                default:
                    let function = (image + slot.offset).load(as: ThickFunction.self)
                    if let context = function.context {
                        Unmanaged<AnyObject>.fromOpaque(context).release()
                    }
                }
            }
            throw error
        }
    }

    private mutating func decodeCapture(
        _ capture: CaptureLayout.Capture, into memory: UnsafeMutableRawPointer
    ) throws {
        switch capture {
        case .refused(let what): throw ShippingReader.corrupted("it captures \(what)")
        case .value(let type): try decodeValue(type, into: memory)
        case .stored(let type): try decodeStored(type, into: memory)
        case .function: memory.storeBytes(of: try decode(), as: ThickFunction.self)
        case .optionalFunction:
            let isThere = try shipping.reader.readBool()
            let function = isThere ? try decode() : ThickFunction(code: nil, context: nil)
            memory.storeBytes(of: function, as: ThickFunction.self)
        }
    }

    private mutating func decodeBindings(
        _ layout: CaptureLayout
    ) throws -> ([UnsafeRawPointer], GenericEnvironment) {
        var words: [UnsafeRawPointer?] = []
        var conformances: [(binding: Int, of: Int, to: UnsafeRawPointer)] = []
        var types: [GenericEnvironment.Parameter: Any.Type] = [:]
        for binding in 0..<layout.bindingCount {
            switch (try shipping.reader.readByte(), layout.parameters[binding]) {
            case (BindingTag.type, let parameter?):
                let type = try shipping.readType()
                types[parameter] = type
                words.append(MetadataKind.pointer(type))
            case (BindingTag.witness, nil):
                words.append(try shipping.readAddress(count: 8, isExecutable: false))
            case (BindingTag.conformance, nil):
                let source = try shipping.reader.readCount(minimumSize: 0)
                conformances.append(
                    (binding, source, try shipping.readAddress(count: 8, isExecutable: false)))
                words.append(nil)
            case (BindingTag.namedConformance, nil):
                let type = try shipping.readType()
                let description = try shipping.readAddress(count: 8, isExecutable: false)
                guard let table = swift_conformsToProtocol(MetadataKind.pointer(type), description)
                else { throw ShippingReader.corrupted("a conformance is missing") }
                words.append(table)
            default: throw ShippingReader.corrupted("a generic argument is of the wrong kind")
            }
        }
        for conformance in conformances {
            guard layout.parameters[conformance.of] != nil, let type = words[conformance.of],
                let table = swift_conformsToProtocol(type, conformance.to)
            else { throw ShippingReader.corrupted("a conformance is missing") }
            words[conformance.binding] = table
        }
        return (words.map { $0! }, GenericEnvironment(types))
    }
}
