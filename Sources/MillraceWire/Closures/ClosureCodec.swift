import MillraceBase

/// Closures ⇄ bytes, between processes that run the same images.
public enum ClosureCodec {
    /// GNU build id (hex) of the executable: what the handshake compares.
    public static var buildIdentity: String { preconditionFailure("soon") }

    /// The closure as bytes. Throws `.notSerializable`, naming the capture that cannot travel.
    public static func encode<Function>(_ function: Function) throws -> [UInt8] {
        preconditionFailure("soon")
    }
    /// The closure again. Throws `.corruptData`, also when the bytes are of another build or of another function type.
    public static func decode<Function>(
        _: Function.Type = Function.self, from bytes: [UInt8]
    ) throws -> Function {
        preconditionFailure("soon")
    }
    /// Ships a probe closure to itself; an executor runs it at start-up. Throws what went wrong.
    public static func selfTest() throws { preconditionFailure("soon") }
}
