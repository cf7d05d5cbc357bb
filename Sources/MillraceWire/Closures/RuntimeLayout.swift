/// The memory of Swift's metadata (ABI of Swift 5 and 6 on 64-bit Linux), as far as closures and
/// types need it.
enum MetadataKind {
    static let structure: UInt = 0x200
    static let enumeration: UInt = 0x201
    static let optional: UInt = 0x202
    static let tuple: UInt = 0x301
    static let function: UInt = 0x302
    static let existential: UInt = 0x303
    static let metatype: UInt = 0x304
    static let existentialMetatype: UInt = 0x306
    static let extendedExistential: UInt = 0x307
    /// The metadata of contexts with a capture descriptor.
    static let heapLocalVariable: UInt = 0x400
    /// Above it, and 0, are classes.
    static let last: UInt = 0x7FF

    static func of(_ type: Any.Type) -> UInt { pointer(type).load(as: UInt.self) }
    static func isClass(_ kind: UInt) -> Bool { kind == 0 || kind > last }
    static func pointer(_ type: Any.Type) -> UnsafeRawPointer {
        unsafeBitCast(type, to: UnsafeRawPointer.self)
    }
    static func type(_ pointer: UnsafeRawPointer) -> Any.Type {
        unsafeBitCast(pointer, to: Any.Type.self)
    }
}

/// A struct's, enum's or class's descriptor and the type arguments found in its metadata.
struct NominalType {
    var descriptor: UnsafeRawPointer
    /// Number of type arguments at each level of nesting that adds some, outermost first.
    var levels: [Int] = []
    var arguments: [Any.Type] = []

    /// Nil for other types, and for generics beyond plain type parameters.
    init?(_ type: Any.Type) {
        let metadata = MetadataKind.pointer(type)
        let kind = MetadataKind.of(type)
        let isValue =
            kind == MetadataKind.structure || kind == MetadataKind.enumeration
            || kind == MetadataKind.optional
        guard isValue || MetadataKind.isClass(kind) else { return nil }
        let descriptorOffset = isValue ? 8 : 40
        guard
            let pointer = metadata.load(
                fromByteOffset: descriptorOffset, as: UnsafeRawPointer?.self)
        else { return nil }
        descriptor = pointer
        guard let levels = genericLevels(descriptor) else { return nil }
        self.levels = levels
        let total = levels.reduce(0, +)
        if total == 0 { return }
        let start = isValue ? 16 : classArgumentsOffset(descriptor)
        arguments = (0..<total).map {
            metadata.load(fromByteOffset: start + 8 * $0, as: Any.Type.self)
        }
    }
}

/// Where a relative pointer leads; nil for none.
func relative(_ base: UnsafeRawPointer, _ offset: Int) -> UnsafeRawPointer? {
    let field = base + offset
    let distance = Int(field.load(as: Int32.self))
    return distance == 0 ? nil : field + distance
}

/// A relative pointer whose lowest bit says that it leads to the pointer.
func relativeIndirectable(_ base: UnsafeRawPointer, _ offset: Int) -> UnsafeRawPointer? {
    let field = base + offset
    let distance = Int(field.load(as: Int32.self))
    if distance == 0 { return nil }
    if distance & 1 == 0 { return field + distance }
    return (field + (distance & ~1)).load(as: UnsafeRawPointer?.self)
}

/// Generic parameters of a context by level; nil when one has no metadata of its own or is a pack.
private func genericLevels(_ descriptor: UnsafeRawPointer) -> [Int]? {
    let flags = descriptor.load(as: UInt32.self)
    let isGeneric = flags & 0x80 != 0
    var levels: [Int] = []
    if let parent = relativeIndirectable(descriptor, 4) {
        guard let outer = genericLevels(parent) else { return nil }
        levels = outer
    }
    guard isGeneric else { return levels }
    let header: Int
    switch flags & 0x1F {
    case 1: return nil  // an extension's own parameters repeat the extended type's
    case 2: header = 8
    case 16: header = 44 + 8
    case 17, 18: header = 28 + 8
    default: return nil
    }
    let count = Int((descriptor + header).load(as: UInt16.self))
    let parameters = descriptor + header + 8
    for index in 0..<count where (parameters + index).load(as: UInt8.self) != 0x80 { return nil }
    let inherited = levels.reduce(0, +)
    guard count >= inherited else { return nil }
    if count > inherited { levels.append(count - inherited) }
    return levels
}

/// Where a class's own type arguments are in its metadata.
private func classArgumentsOffset(_ descriptor: UnsafeRawPointer) -> Int {
    let flags = descriptor.load(as: UInt32.self)
    let hasResilientSuperclass = flags & (1 << (16 + 13)) != 0
    if hasResilientSuperclass, let bounds = relative(descriptor, 24) {
        return bounds.load(as: Int.self)
    }
    let positiveSize = Int(descriptor.load(fromByteOffset: 28, as: UInt32.self))
    let members = Int(descriptor.load(fromByteOffset: 32, as: UInt32.self))
    return (positiveSize - members) * 8
}

/// A function type's flags, result and parameters.
struct FunctionType {
    let flags: UInt
    let result: Any.Type
    let parameters: [Any.Type]

    /// Nil when it is no function type.
    init?(_ type: Any.Type) {
        guard MetadataKind.of(type) == MetadataKind.function else { return nil }
        let metadata = MetadataKind.pointer(type)
        flags = metadata.load(fromByteOffset: 8, as: UInt.self)
        result = metadata.load(fromByteOffset: 16, as: Any.Type.self)
        parameters = (0..<Int(flags & 0xFFFF)).map {
            metadata.load(fromByteOffset: 24 + 8 * $0, as: Any.Type.self)
        }
    }
    /// {code, context}, as against C functions and blocks.
    var isThick: Bool { flags & 0xFF_0000 == 0 }
    var isAsync: Bool { flags & 0x2000_0000 != 0 }
}
