import MillraceBase

/// Closures ⇄ bytes, between processes that run the same images.
///
/// A closure is {code, context}. Code and the description of the context are named by image (GNU
/// build id) and offset, so they mean the same wherever the loader put the image. The captures are
/// read through that description: Codable values (also inside tuples, Optionals, Arrays and
/// existentials) by `BinaryEncoder`, functions by this codec again. Whatever cannot travel is
/// refused here, on the sending side.
///
/// The bytes are code by reference: take them only from a peer that is allowed to run code here. A
/// checksum and checks of every reference protect against damage, not against a peer that means
/// harm.
///
/// Not seen: a captured `var` that is the closure's only capture looks like a constant and travels
/// as its value at that moment. The API's closures are `@Sendable`, for which the compiler refuses
/// such captures.
public enum ClosureCodec {
    /// GNU build id (hex) of the executable: what the handshake compares.
    public static var buildIdentity: String { hex(ImageTable.current.images[0].identity) }

    /// The closure as bytes; the same closure with equal captures gives equal bytes in every
    /// process.
    ///
    /// Throws `.notSerializable`, naming the capture that cannot travel, its place and what to do.
    public static func encode<Function>(_ function: Function) throws -> [UInt8] {
        try check(Function.self)
        var encoder = ClosureEncoder()
        encoder.shipping.describeType(Function.self)
        try withUnsafeBytes(of: function) { try encoder.encode($0.load(as: ThickFunction.self)) }
        return encoder.shipping.finish()
    }

    /// The closure again. Throws `.corruptData`, also when the bytes are of another build or of
    /// another function type.
    public static func decode<Function>(
        _: Function.Type = Function.self, from bytes: [UInt8]
    ) throws -> Function {
        try check(Function.self)
        do {
            var decoder = try ClosureDecoder(bytes)
            try decoder.expectType(Function.self)
            let function = try decoder.decode()
            let memory = UnsafeMutablePointer<Function>.allocate(capacity: 1)
            defer { memory.deallocate() }
            UnsafeMutableRawPointer(memory).storeBytes(of: function, as: ThickFunction.self)
            let result = memory.move()
            try decoder.shipping.reader.expectEnd()
            return result
        } catch let error as MillraceError {
            throw error
        } catch {
            throw MillraceError(.corruptData, "the bytes of a closure are damaged", cause: error)
        }
    }

    private static func check(_ type: Any.Type) throws {
        guard let function = FunctionType(type), function.isThick else {
            throw MillraceError(.invalidArgument, "\(type) is no type of Swift closure")
        }
        guard !function.isAsync else {
            throw MillraceError(
                .notSerializable,
                "a closure of type \(type) cannot be sent to another process: kernels run "
                    + "synchronously, use a closure without async")
        }
    }

    /// Ships a probe closure to itself; an executor runs it at start-up. Throws what went wrong.
    public static func selfTest() throws {
        let offset = CommandLine.arguments.count
        let words = ["probe", String(offset)]
        let inner: @Sendable (Int) -> Int = { $0 &* 3 &+ offset }
        let probe: @Sendable (Int) -> String = { "\(inner($0)) \(words)" }
        let copy: @Sendable (Int) -> String = try decode(from: try encode(probe))
        guard copy(14) == probe(14) else {
            throw MillraceError(
                .notSerializable,
                "closures cannot be sent between processes of this build: a probe closure came "
                    + "back wrong"
            )
        }
    }
}

extension ClosureDecoder {
    /// The description of the function type that both sides must agree on.
    fileprivate mutating func expectType(_ type: Any.Type) throws {
        var expected = ShippingWriter()
        expected.describeType(type)
        let found = try shipping.reader.readRaw(
            min(expected.writer.count, shipping.reader.remaining))
        guard found == expected.writer.bytes else {
            throw ShippingReader.corrupted("it is not of type \(type)")
        }
    }
}
