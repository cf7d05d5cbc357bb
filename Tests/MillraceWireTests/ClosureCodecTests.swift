import ClosureShapes
import Foundation
import MillraceBase
import MillraceWire
import Synchronization
import Testing

/// Counts its living instances.
private final class Counted: Codable, Sendable {
    static let living = Atomic<Int>(0)
    let value: Int
    init(_ value: Int) {
        self.value = value
        Self.living.add(1, ordering: .relaxed)
    }
    init(from decoder: any Decoder) throws {
        value = try decoder.singleValueContainer().decode(Int.self)
        // Before the throw, which still ends the life of an initialised object.
        Self.living.add(1, ordering: .relaxed)
        guard value >= 0 else { throw MillraceError(.corruptData, "negative") }
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
    deinit { Self.living.subtract(1, ordering: .relaxed) }
}

private struct Secret: Codable, Hashable { var id: Int }
private protocol Mark {}

@Suite(.serialized) struct ClosureCodecTests {
    typealias Body = @Sendable (Int) -> String

    @Test func theProbeComesBack() throws {
        try ClosureCodec.selfTest()
        #expect(ClosureCodec.buildIdentity.count >= 32)
    }

    @Test func capturesAreReleasedExactlyOnce() throws {
        let before = Counted.living.load(ordering: .relaxed)
        do {
            let counted = Counted(3)
            let more = [Counted(1), Counted(2)]
            let inner: Body = { "\($0 + counted.value)" }
            let outer: Body = { "\(inner($0)) \(more.count) \(counted.value)" }
            let alone: Body = { "\($0) \(more.map(\.value))" }
            for closure in [inner, outer, alone] {
                let bytes = try ClosureCodec.encode(closure)
                for _ in 0..<100 {
                    let copy: Body = try ClosureCodec.decode(from: bytes)
                    let another = copy
                    #expect(another(5) == closure(5))
                }
            }
        }
        #expect(Counted.living.load(ordering: .relaxed) == before)
    }

    @Test func aFailedDecodeReleasesWhatItHadMade() throws {
        let before = Counted.living.load(ordering: .relaxed)
        do {
            let (good, bad, text) = (Counted(1), Counted(-1), "t")
            let closure: Body = { "\($0) \(good.value) \(text) \(bad.value)" }
            let bytes = try ClosureCodec.encode(closure)
            let tuple: @Sendable () -> [(Counted, Counted)] = { [pairs = [(good, bad)]] in pairs }
            let others = try ClosureCodec.encode(tuple)
            for _ in 0..<10 {
                #expect(throws: MillraceError.self) {
                    try ClosureCodec.decode(Body.self, from: bytes)
                }
                #expect(throws: MillraceError.self) {
                    try ClosureCodec.decode(type(of: tuple), from: others)
                }
            }
        }
        #expect(Counted.living.load(ordering: .relaxed) == before)
    }

    @Test func damagedBytesThrow() throws {
        let (numbers, words) = ([1, 2, 3], ["a", "b"])
        let inner: Body = { "\(numbers) \($0)" }
        let closure: Body = { "\(inner($0)) \(words) \(numbers.count)" }
        let bytes = try ClosureCodec.encode(closure)
        for length in 0..<bytes.count {
            #expect(throws: MillraceError.self) {
                try ClosureCodec.decode(Body.self, from: Array(bytes[..<length]))
            }
        }
        var generator = SeededGenerator(5)
        for _ in 0..<3_000 {
            let damaged = generator.mutated(bytes)
            if damaged == bytes { continue }
            #expect(throws: MillraceError.self) {
                try ClosureCodec.decode(Body.self, from: damaged)
            }
        }
    }

    /// Behind a right checksum: the references are checked one by one. Rebuilt closures are not
    /// run.
    @Test func forgedBytesThrowOrGiveAClosure() throws {
        let numbers = [1, 2, 3]
        let closure: Body = { [count = numbers.count] in "\(numbers) \($0) \(count)" }
        let bytes = try ClosureCodec.encode(closure)
        let images = 1 + 1 + 20
        var generator = SeededGenerator(6)
        for _ in 0..<3_000 {
            let content = generator.mutated(Array(bytes.dropFirst(8)))
            var writer = ByteWriter()
            writer.writeFixed(content.withUnsafeBytes { StableBytes.hash($0) })
            writer.writeRaw(content)
            // Only what leaves code and metadata references alone is decoded to the end here; the
            // rest must throw.
            if content.prefix(images + 60) == bytes.dropFirst(8).prefix(images + 60) {
                _ = try? ClosureCodec.decode(Body.self, from: writer.bytes)
            }
        }
    }

    @Test func anotherFunctionTypeIsRefused() throws {
        let closure: Body = { "\($0)" }
        let bytes = try ClosureCodec.encode(closure)
        let error = #expect(throws: MillraceError.self) {
            try ClosureCodec.decode((@Sendable (String) -> Int).self, from: bytes)
        }
        #expect(error?.code == .corruptData)
    }

    @Test func anotherBuildIsRefusedByItsIdentity() throws {
        let closure: Body = { "\($0)" }
        var content = Array(try ClosureCodec.encode(closure).dropFirst(8))
        content[2] ^= 0xFF
        var writer = ByteWriter()
        writer.writeFixed(content.withUnsafeBytes { StableBytes.hash($0) })
        writer.writeRaw(content)
        let error = #expect(throws: MillraceError.self) {
            try ClosureCodec.decode(Body.self, from: writer.bytes)
        }
        #expect(error?.message.contains(ClosureCodec.buildIdentity) == true)
    }

    @Test func whatIsNoClosureIsRefused() throws {
        let error = #expect(throws: MillraceError.self) { try ClosureCodec.encode(5) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func shippedWorksWithOtherCoders() throws {
        let offset = CommandLine.arguments.count
        let shipped = Shipped<Body> { "\($0 + offset)" }
        let data = try JSONEncoder().encode(["f": shipped])
        let back = try JSONDecoder().decode([String: Shipped<Body>].self, from: data)
        #expect(back["f"]?.function(5) == "\(5 + offset)")
    }

    @Test func kernelsOfPrivateTypesKeepTheirBytes() throws {
        let secret = Secret(id: 4)
        let kernel = Dataset(Secret.self).map { ($0.id + secret.id, [secret]) }
        let (first, second) = (
            try BinaryEncoder().encode(kernel), try BinaryEncoder().encode(kernel)
        )
        #expect(first == second)
        let copy = try BinaryDecoder().decode(type(of: kernel), from: first)
        var (input, output) = ([Secret(id: 1)], [(Int, [Secret])]())
        try copy.function(&input, &output)
        #expect(output.count == 1 && output[0].0 == 5 && output[0].1 == [secret])
        #expect(try BinaryEncoder().encode(copy) == first)
    }

    @Test func typesAreNamedPrivateOnesToo() throws {
        struct Local<Value> { enum Inner<Other> { case none } }
        let types: [Any.Type] = [
            Int.self, [Secret].self, Secret?.self, (Int, label: Secret).self, Local<Secret>.self,
            Local<Int>.Inner<[Secret: Local<Secret>]>.self, Counted.self, (any Error).self,
            Dataset<Secret>.self,
            Void.self, Source<(Secret, Int)>.self, ((Int) -> String).self, Set<Secret>.self,
        ]
        for type in types {
            let bytes = try BinaryEncoder().encode(TypeReference(type))
            #expect(try BinaryDecoder().decode(TypeReference.self, from: bytes).type == type)
        }
        #expect(throws: MillraceError.self) {
            try BinaryEncoder().encode(TypeReference((any Mark).self))
        }
    }

    @Test func damagedTypesThrow() throws {
        let bytes = try BinaryEncoder().encode(TypeReference([Secret: (Int, [String])].self))
        var generator = SeededGenerator(9)
        for _ in 0..<2_000 {
            let damaged = generator.mutated(bytes)
            if damaged == bytes { continue }
            #expect(throws: (any Error).self) {
                try BinaryDecoder().decode(TypeReference.self, from: damaged)
            }
        }
    }
}
