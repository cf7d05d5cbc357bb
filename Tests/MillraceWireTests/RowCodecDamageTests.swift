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
        Self.living.add(1, ordering: .relaxed)
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
    deinit { Self.living.subtract(1, ordering: .relaxed) }
}

@Suite(.serialized) struct RowCodecDamageTests {
    private func bombard<Row>(_ rows: [Row], seed: UInt64, rounds: Int = 4_000) throws {
        let codec = try RowCodec<Row>()
        var writer = ByteWriter()
        try codec.encode(rows, into: &writer)
        var generator = SeededGenerator(seed)
        for _ in 0..<rounds {
            var reader = ByteReader(generator.mutated(writer.bytes))
            var result: [Row] = []
            do {
                try codec.decode(from: &reader, into: &result)
                _ = result.map { "\($0)" }
            } catch {
                #expect(result.isEmpty && reader.position == 0)
            }
        }
    }

    @Test func damagedBatchesThrowOrDecode() throws {
        try bombard((0..<20).map { ("word \($0)", $0) }, seed: 1)
        typealias Mixed = (String?, [Int], Double, Bool)
        let mixed = (0..<20).map { index -> Mixed in
            (index % 3 == 0 ? "é\(index)" : nil, [index, 1], Double(index), index % 2 == 0)
        }
        try bombard(mixed, seed: 2)
        try bombard((0..<9).map { [UInt8](repeating: 7, count: $0) }, seed: 3)
        typealias Keyed = ([String: Int], Character, Duration)
        try bombard((0..<9).map { index -> Keyed in (["k": index], "c", .seconds(index)) }, seed: 4)
        let deep: [[[(String, Int)]]] = [[[("a", 1)], []], [], [[("b", 2), ("c", 3)]]]
        try bombard(deep, seed: 5)
    }

    @Test func whatWasDecodedBeforeTheDamageIsReleased() throws {
        let before = Counted.living.load(ordering: .relaxed)
        try bombard(
            (0..<6).map { index -> (String, Counted, [Counted], String) in
                ("s\(index)", Counted(index), [Counted(-index)], "t")
            }, seed: 6)
        #expect(Counted.living.load(ordering: .relaxed) == before)
    }

    /// A few bytes may not call for gigabytes.
    @Test func countsAreBoundedByTheBytesThatAreThere() throws {
        for count in [1 << 20, 1 << 40, UInt64.max] {
            var writer = ByteWriter()
            writer.writeVarint(count)
            writer.writeRaw([UInt8](repeating: 0, count: 64))
            func expectRefusal<Row>(_: Row.Type) throws {
                var reader = ByteReader(writer.bytes)
                var rows: [Row] = []
                #expect(throws: ByteError.self) {
                    try RowCodec<Row>().decode(from: &reader, into: &rows)
                }
            }
            try expectRefusal(Int.self)
            try expectRefusal((String, Int).self)
            try expectRefusal([Int].self)
            try expectRefusal(Bool.self)
            try expectRefusal(Int?.self)
        }
    }
}
