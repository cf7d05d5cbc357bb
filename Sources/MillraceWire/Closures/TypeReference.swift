import MillraceBase

/// A type as a value: encodes what another process of the same build resolves to the same type,
/// private and local types included.
///
/// Use it in place of `_mangledTypeName` and `_typeByName`: for private types these give names with
/// addresses in them, which mean nothing elsewhere and differ in each run.
public struct TypeReference: Codable, @unchecked Sendable {
    public let type: Any.Type

    public init(_ type: Any.Type) { self.type = type }

    /// Throws `.corruptData` for damaged bytes and for types that this build doesn't have.
    public init(from decoder: any Decoder) throws {
        var reader = try ShippingReader(try decoder.singleValueContainer().decode([UInt8].self))
        type = try reader.readType()
        try reader.reader.expectEnd()
    }

    /// Throws `.notSerializable` for the few types that cannot be named (a private protocol's
    /// existential, say).
    public func encode(to encoder: any Encoder) throws {
        var writer = ShippingWriter()
        try writer.writeType(type)
        var container = encoder.singleValueContainer()
        try container.encode(writer.finish())
    }
}

private enum TypeTag {
    static let name: UInt8 = 1
    static let nominal: UInt8 = 2
    static let tuple: UInt8 = 3
    static let function: UInt8 = 4
    static let kind: UInt8 = 5
}

private let maximumTypeDepth = 32

/// The type's mangled name, if it means the same in every process: names of private contexts (`XZ`)
/// hold addresses.
func stableName(_ type: Any.Type) -> String? {
    guard let name = _mangledTypeName(type), !name.contains("XZ") else { return nil }
    return name
}

extension ShippingWriter {
    mutating func writeType(_ type: Any.Type) throws {
        let refusal = MillraceError(
            .notSerializable,
            "type \(type) cannot be named in another process: make it internal or public, at file "
                + "level"
        )
        if let name = stableName(type), let found = _typeByName(name), found == type {
            writer.writeByte(TypeTag.name)
            writer.writeString(name)
        } else if let elements = tupleElements(type) {
            writer.writeByte(TypeTag.tuple)
            writer.writeCount(elements.count)
            for (element, label) in zip(elements, tupleLabels(type, elements.count)) {
                writer.writeString(label)
                try writeType(element.type)
            }
        } else if let nominal = NominalType(type) {
            writer.writeByte(TypeTag.nominal)
            guard writeAddress(nominal.descriptor) else { throw refusal }
            writer.writeCount(nominal.levels.count)
            for level in nominal.levels { writer.writeCount(level) }
            for argument in nominal.arguments { try writeType(argument) }
            let rebuilt = GenericEnvironment.type(
                nominal.descriptor, levels: nominal.levels, nominal.arguments)
            guard rebuilt == type else { throw refusal }
        } else {
            throw refusal
        }
    }

    /// Bytes that are equal for equal types, also for types that cannot be rebuilt.
    mutating func describeType(_ type: Any.Type) {
        if let name = stableName(type) {
            writer.writeByte(TypeTag.name)
            writer.writeString(name)
        } else if let elements = tupleElements(type) {
            writer.writeByte(TypeTag.tuple)
            writer.writeCount(elements.count)
            for element in elements { describeType(element.type) }
        } else if let function = FunctionType(type) {
            writer.writeByte(TypeTag.function)
            writer.writeVarint(UInt64(function.flags))
            for type in function.parameters + [function.result] { describeType(type) }
        } else if let nominal = NominalType(type) {
            writer.writeByte(TypeTag.nominal)
            _ = writeAddress(nominal.descriptor)
            for argument in nominal.arguments { describeType(argument) }
        } else {
            writer.writeByte(TypeTag.kind)
            writer.writeVarint(UInt64(MetadataKind.of(type)))
        }
    }
}

extension ShippingReader {
    mutating func readType(depth: Int = 0) throws -> Any.Type {
        guard depth < maximumTypeDepth else { throw Self.corrupted("its types nest too deep") }
        switch try reader.readByte() {
        case TypeTag.name:
            let name = try reader.readString()
            guard name.utf8.count < 1 << 16, let type = _typeByName(name) else {
                throw Self.corrupted("this build has no type \(name)")
            }
            return type
        case TypeTag.tuple:
            let count = try reader.readCount()
            var (labels, elements): ([String], [Any.Type]) = ([], [])
            for _ in 0..<count {
                labels.append(try reader.readString())
                elements.append(try readType(depth: depth + 1))
            }
            guard let type = GenericEnvironment.tuple(elements, labels: labels) else {
                throw Self.corrupted("a tuple type cannot be made")
            }
            return type
        case TypeTag.nominal:
            let descriptor = try readAddress(count: 28, isExecutable: false)
            var (levels, total) = ([Int](), 0)
            for _ in 0..<(try reader.readCount()) {
                levels.append(try reader.readCount())
                total += levels.last!
            }
            guard total <= 64 else { throw Self.corrupted("a type has \(total) arguments") }
            let arguments = try (0..<total).map { _ in try readType(depth: depth + 1) }
            guard let type = GenericEnvironment.type(descriptor, levels: levels, arguments) else {
                throw Self.corrupted("a type cannot be made")
            }
            return type
        case let tag: throw Self.corrupted("\(tag) is no kind of type")
        }
    }
}

/// The labels of a tuple's elements: one string in the metadata, each label ended by a space.
private func tupleLabels(_ type: Any.Type, _ count: Int) -> [String] {
    let none = [String](repeating: "", count: count)
    let metadata = MetadataKind.pointer(type)
    guard let text = metadata.load(fromByteOffset: 16, as: UnsafePointer<CChar>?.self) else {
        return none
    }
    let labels = String(cString: text).split(separator: " ", omittingEmptySubsequences: false)
    return labels.count >= count ? labels.prefix(count).map(String.init) : none
}
