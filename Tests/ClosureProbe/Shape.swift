import MillraceBase
import MillraceWire

/// One closure to send: its bytes, and what a rebuilt one answers.
struct Shape {
    let name: String
    let encode: () throws -> [UInt8]
    /// What the closure rebuilt from the bytes answers; throws if it cannot be rebuilt.
    let run: ([UInt8]) throws -> String
    /// What the original answers.
    let expected: () throws -> String
}

/// The list under construction.
struct Shapes {
    var list: [Shape] = []

    mutating func add<Function>(
        _ name: String, _ function: Function, _ call: @escaping (Function) throws -> String
    ) {
        list.append(
            Shape(
                name: name,
                encode: { try ClosureCodec.encode(function) },
                run: { try call(ClosureCodec.decode(Function.self, from: $0)) },
                expected: { try call(function) }))
    }

    /// The usual closure.
    mutating func add(_ name: String, _ function: @escaping @Sendable (Int) -> String) {
        add(name, function) { $0(5) }
    }

    /// A kernel over batches, held as operators hold it.
    mutating func add<Input, Output>(
        _ name: String, _ kernel: Shipped<@Sendable (inout [Input], inout [Output]) throws -> Void>,
        _ input: [Input]
    ) {
        let call:
            (Shipped<@Sendable (inout [Input], inout [Output]) throws -> Void>) throws -> String = {
                var rows = input
                var output: [Output] = []
                try $0.function(&rows, &output)
                return output.map { "\($0)" }.sorted().joined(separator: ";")
            }
        list.append(
            Shape(
                name: name,
                encode: { try BinaryEncoder().encode(kernel) },
                run: { try call(BinaryDecoder().decode(type(of: kernel), from: $0)) },
                expected: { try call(kernel) }))
    }
}
