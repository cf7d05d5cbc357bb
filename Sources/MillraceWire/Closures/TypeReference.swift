/// A type as a value: encodes a name that the same build resolves again, private and local types included.
///
/// Use it in place of `_mangledTypeName`/`_typeByName` (which cannot name private types across processes).
public struct TypeReference: Codable, @unchecked Sendable {
    public let type: Any.Type

    public init(_ type: Any.Type) { self.type = type }

    public init(from decoder: any Decoder) throws { preconditionFailure("soon") }
    public func encode(to encoder: any Encoder) throws { preconditionFailure("soon") }
}
