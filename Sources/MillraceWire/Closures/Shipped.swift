/// A Swift closure as a value that can be stored, encoded and rebuilt in another process of the
/// same build.
///
/// Operators hold their kernels in it. Encoding reads the closure's captures and throws
/// `MillraceError.notSerializable` when one cannot travel; decoding rebuilds the closure. Works
/// with every `Encoder` (the closure becomes bytes).
public struct Shipped<Function>: Codable, @unchecked Sendable {
    public let function: Function

    @inlinable public init(_ function: Function) { self.function = function }

    public init(from decoder: any Decoder) throws {
        let bytes = try decoder.singleValueContainer().decode([UInt8].self)
        self.init(try ClosureCodec.decode(Function.self, from: bytes))
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(try ClosureCodec.encode(function))
    }
}
