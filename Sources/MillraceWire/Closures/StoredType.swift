import MillraceBase

/// A captured type whose metadata the optimiser has left out, told by its descriptor.
///
/// In an optimised program a type that isn't public, and that nothing asks for at run time, has a
/// descriptor but no metadata and no conformances. A struct of that kind travels by its stored
/// fields, an enum without payloads by its bytes.
indirect enum StoredType {
    struct Field {
        var name: String
        var type: StoredType
        var offset: Int
    }
    case value(Any.Type)
    case fields([Field], size: Int, alignment: Int)
    case bytes(Int)

    var sizeAndAlignment: (size: Int, alignment: Int) {
        switch self {
        case .value(let type): MillraceWire.sizeAndAlignment(type)
        case .fields(_, let size, let alignment): (size, alignment)
        case .bytes(let count): (count, 1)
        }
    }

    /// The type of that mangled name: what the runtime can resolve, or a plain reference to a
    /// descriptor.
    init?(mangled name: CaptureLayout.Name, depth: Int = 0) {
        if let type = _getTypeByMangledNameInContext(
            name.start, UInt(name.count), genericContext: nil, genericArguments: nil)
        {
            self = .value(type)
            return
        }
        guard depth < 16, let descriptor = Self.descriptor(name) else { return nil }
        let flags = descriptor.load(as: UInt32.self)
        let isGeneric = flags & 0x80 != 0
        guard !isGeneric else { return nil }
        switch flags & 0x1F {
        case 17: self.init(fieldsOf: descriptor, depth: depth)
        case 18: self.init(casesOf: descriptor)
        default: return nil
        }
    }

    /// A name that is a reference and nothing else: 1 and the distance, or 2 and the distance to a
    /// pointer.
    private static func descriptor(_ name: CaptureLayout.Name) -> UnsafeRawPointer? {
        guard name.count == 5, name.start[0] == 1 || name.start[0] == 2 else { return nil }
        let field = UnsafeRawPointer(name.start) + 1
        let target = field + Int(field.loadUnaligned(as: Int32.self))
        let descriptor = name.start[0] == 1 ? target : target.load(as: UnsafeRawPointer?.self)
        guard let descriptor, ImageTable.current.contains(descriptor) else { return nil }
        return descriptor
    }

    /// A struct's fields follow each other, each aligned. The records are {flags, type name, name}
    /// behind a header of 16.
    private init?(fieldsOf descriptor: UnsafeRawPointer, depth: Int) {
        guard let header = relative(descriptor, 16) else { return nil }
        let count = Int(header.load(fromByteOffset: 12, as: UInt32.self))
        let stride = Int(header.load(fromByteOffset: 10, as: UInt16.self))
        var (fields, offset, largest) = ([Field](), 0, 1)
        for index in 0..<count {
            let record = header + 16 + stride * index
            let mangled = CaptureLayout.Name(record + 4)
            guard !mangled.isWeak, let type = StoredType(mangled: mangled, depth: depth + 1),
                let text = relative(record, 8)
            else { return nil }
            let (size, alignment) = type.sizeAndAlignment
            offset = aligned(offset, alignment)
            let name = String(cString: text.assumingMemoryBound(to: CChar.self))
            fields.append(Field(name: name, type: type, offset: offset))
            offset += size
            largest = max(largest, alignment)
        }
        self = .fields(fields, size: offset, alignment: largest)
    }

    private init?(casesOf descriptor: UnsafeRawPointer) {
        let payloadCases = descriptor.load(fromByteOffset: 20, as: UInt32.self) & 0x00FF_FFFF
        let emptyCases = descriptor.load(fromByteOffset: 24, as: UInt32.self)
        guard payloadCases == 0, emptyCases <= 256 else { return nil }
        self = .bytes(emptyCases > 1 ? 1 : 0)
    }
}

extension ClosureEncoder {
    mutating func encodeStored(_ type: StoredType, at memory: UnsafeRawPointer) throws {
        switch type {
        case .value(let type): try encodeValue(type, at: memory)
        case .bytes(let count):
            shipping.writer.writeRaw(UnsafeRawBufferPointer(start: memory, count: count))
        case .fields(let fields, _, _):
            for field in fields {
                try within("field \(field.name)") {
                    try $0.encodeStored(field.type, at: memory + field.offset)
                }
            }
        }
    }
}

extension ClosureDecoder {
    /// Initialises the memory, or throws and leaves it uninitialised.
    mutating func decodeStored(_ type: StoredType, into memory: UnsafeMutableRawPointer) throws {
        switch type {
        case .value(let type): try decodeValue(type, into: memory)
        case .bytes(let count):
            memory.copyMemory(from: try shipping.reader.readRaw(count), byteCount: count)
        case .fields(let fields, _, _):
            var done = 0
            do {
                for field in fields {
                    try decodeStored(field.type, into: memory + field.offset)
                    done += 1
                }
            } catch {
                for field in fields[..<done] { destroy(field.type, memory + field.offset) }
                throw error
            }
        }
    }

    func destroy(_ type: StoredType, _ memory: UnsafeMutableRawPointer) {
        switch type {
        case .value(let type): destroy(type, memory)
        case .bytes: break
        case .fields(let fields, _, _):
            for field in fields { destroy(field.type, memory + field.offset) }
        }
    }
}
