import CLinux
import MillraceBase

/// Key paths travel by their components: stored fields as offsets, computed properties as the
/// addresses of their code.
///
/// A key path object is {metadata, reference count, shortcut} and a buffer {header, components...,
/// size of the largest value on the way}; behind each component but the last is the type of its
/// value. The shortcut is -1 - offset when all components are stored in structs. Components with
/// arguments (subscripts) cannot travel.
private enum KeyPathLayout {
    static let shortcutOffset = 16
    static let bufferOffset = 24
    static let componentsOffset = 32
    static let sizeMask: UInt32 = 0x00FF_FFFF
    static let trivialFlag: UInt32 = 0x8000_0000
    /// What a component's header says it is.
    static let kindMask: UInt32 = 0x7F00_0000
    static let structure: UInt32 = 0x0100_0000
    static let computed: UInt32 = 0x0200_0000
    static let object: UInt32 = 0x0300_0000
    static let optional: UInt32 = 0x0400_0000
    static let outOfLineOffset: UInt32 = 0x007F_FFFF
    static let settable: UInt32 = 0x0040_0000
    static let idIsNumber: UInt32 = 0x0020_0000 | 0x0010_0000
    static let hasArguments: UInt32 = 0x0008_0000
    static let maximumSize = 1 << 16
}

private enum WordTag {
    static let number: UInt8 = 0
    static let code: UInt8 = 1
    static let data: UInt8 = 2
}

extension ClosureEncoder {
    /// Writes the class of the key path and its components.
    mutating func encodeKeyPath(_ keyPath: AnyKeyPath) throws {
        let object = UnsafeRawPointer(Unmanaged.passUnretained(keyPath).toOpaque())
        try shipping.writeType(Swift.type(of: keyPath))
        let header = (object + KeyPathLayout.bufferOffset).load(as: UInt32.self)
        let size = Int(header & KeyPathLayout.sizeMask)
        shipping.writer.writeFixed(header)
        let components = object + KeyPathLayout.componentsOffset
        let shortcut = (object + KeyPathLayout.shortcutOffset).load(as: Int64.self)
        shipping.writer.writeSigned(min(shortcut, 0))
        shipping.writer.writeSigned((components + aligned(size, 8)).load(as: Int64.self))
        var offset = 0
        while true {
            offset = try encodeComponent(components, offset, size)
            if offset >= size { break }
            offset = aligned(offset, 8)
            let type = (components + offset).load(as: Any.Type.self)
            try shipping.writeType(type)
            offset += 8
        }
        guard offset == size else { throw keyPathRefusal("of an unknown layout") }
    }

    private func keyPathRefusal(_ what: String) -> MillraceError {
        refusal("a key path \(what)", "write it as a closure: { $0.property }")
    }

    /// Returns the offset behind the component.
    private mutating func encodeComponent(_ base: UnsafeRawPointer, _ start: Int, _ size: Int)
        throws -> Int
    {
        guard start + 4 <= size else { throw keyPathRefusal("of an unknown layout") }
        let header = (base + start).load(as: UInt32.self)
        var offset = start + 4
        shipping.writer.writeFixed(header)
        switch header & KeyPathLayout.kindMask {
        case KeyPathLayout.optional: return offset
        case KeyPathLayout.structure, KeyPathLayout.object:
            if header & KeyPathLayout.outOfLineOffset == KeyPathLayout.outOfLineOffset {
                shipping.writer.writeFixed((base + offset).load(as: UInt32.self))
                offset += 4
            }
            return offset
        case KeyPathLayout.computed:
            guard header & KeyPathLayout.hasArguments == 0 else {
                throw keyPathRefusal("with arguments (a subscript or a generic property)")
            }
            offset = start + 8
            let count = header & KeyPathLayout.settable != 0 ? 3 : 2
            for index in 0..<count {
                let isNumber = index == 0 && header & KeyPathLayout.idIsNumber != 0
                try encodeWord((base + offset).load(as: UInt.self), isNumber)
                offset += 8
            }
            return offset
        default: throw keyPathRefusal("with a component of unknown kind")
        }
    }

    private mutating func encodeWord(_ word: UInt, _ isNumber: Bool) throws {
        if !isNumber, let address = UnsafeRawPointer(bitPattern: word) {
            guard let found = ImageTable.current.find(address) else {
                throw keyPathRefusal("with code outside of the executable and its libraries")
            }
            shipping.writer.writeByte(found.segment.isExecutable ? WordTag.code : WordTag.data)
            _ = shipping.writeAddress(address)
        } else {
            shipping.writer.writeByte(WordTag.number)
            shipping.writer.writeVarint(UInt64(word))
        }
    }
}

extension ClosureDecoder {
    /// The key path of this class, whose components come next.
    mutating func decodeKeyPath(_ type: AnyKeyPath.Type) throws -> AnyKeyPath {
        let header: UInt32 = try shipping.reader.readFixed()
        let size = Int(header & KeyPathLayout.sizeMask)
        guard size > 0, size <= KeyPathLayout.maximumSize, header & KeyPathLayout.trivialFlag != 0
        else {
            throw ShippingReader.corrupted("a key path of \(size) bytes")
        }
        let shortcut = try shipping.reader.readSigned()
        let largest = try shipping.reader.readSigned()
        guard shortcut <= 0, (0..<(1 << 30)).contains(largest) else {
            throw ShippingReader.corrupted("a key path's sizes are wrong")
        }
        var bytes = ByteWriter(capacity: size)
        while true {
            try decodeComponent(into: &bytes)
            if bytes.count >= size { break }
            pad(&bytes, to: 8)
            bytes.writeFixed(UInt(bitPattern: MetadataKind.pointer(try shipping.readType())))
        }
        guard bytes.count == size else {
            throw ShippingReader.corrupted("a key path's size is wrong")
        }
        let end = KeyPathLayout.componentsOffset + aligned(size, 8)
        let total = end + 8
        let object = swift_allocObject(MetadataKind.pointer(type), total, 15)
        (object + 16).initializeMemory(as: UInt8.self, repeating: 0, count: total - 16)
        object.storeBytes(of: shortcut, toByteOffset: KeyPathLayout.shortcutOffset, as: Int64.self)
        object.storeBytes(of: largest, toByteOffset: end, as: Int64.self)
        object.storeBytes(of: header, toByteOffset: KeyPathLayout.bufferOffset, as: UInt32.self)
        bytes.bytes.withUnsafeBytes {
            (object + KeyPathLayout.componentsOffset).copyMemory(
                from: $0.baseAddress!, byteCount: size)
        }
        return Unmanaged<AnyKeyPath>.fromOpaque(object).takeRetainedValue()
    }

    private func pad(_ bytes: inout ByteWriter, to alignment: Int) {
        while bytes.count % alignment != 0 { bytes.writeByte(0) }
    }

    private mutating func decodeComponent(into bytes: inout ByteWriter) throws {
        let header: UInt32 = try shipping.reader.readFixed()
        bytes.writeFixed(header)
        switch header & KeyPathLayout.kindMask {
        case KeyPathLayout.optional: return
        case KeyPathLayout.structure, KeyPathLayout.object:
            if header & KeyPathLayout.outOfLineOffset == KeyPathLayout.outOfLineOffset {
                bytes.writeFixed(try shipping.reader.readFixed(UInt32.self))
            }
        case KeyPathLayout.computed where header & KeyPathLayout.hasArguments == 0:
            pad(&bytes, to: 8)
            for _ in 0..<(header & KeyPathLayout.settable != 0 ? 3 : 2) {
                bytes.writeFixed(try decodeWord())
            }
        default: throw ShippingReader.corrupted("a key path's component is of unknown kind")
        }
    }

    private mutating func decodeWord() throws -> UInt {
        switch try shipping.reader.readByte() {
        case WordTag.number: return UInt(try shipping.reader.readVarint())
        case WordTag.code:
            return UInt(bitPattern: try shipping.readAddress(count: 1, isExecutable: true))
        case WordTag.data:
            return UInt(bitPattern: try shipping.readAddress(count: 1, isExecutable: false))
        case let tag: throw ShippingReader.corrupted("\(tag) is no kind of word")
        }
    }
}
