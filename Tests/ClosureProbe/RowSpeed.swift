import Glibc
import MillraceBase
import MillraceWire

/// `ClosureProbe speed`: nanoseconds per row of the row codec and of the stable hash, best of
/// several runs over batches of 1024 rows. Only a release build's numbers mean anything.
enum RowSpeed {
    static let rowCount = 1024
    static let rounds = 500

    static func run() throws {
        let words = (0..<rowCount).map { "word\($0 % 700)" }
        let lines = (0..<rowCount).map { "a line of text, number \($0)" }
        try measure("(Int, Int)", (0..<rowCount).map { ($0 &* 7919, $0) })
        try measure("(String, Int), short", words.map { ($0, 1) })
        try measure("(String, Int), long", lines.map { ($0, 1) })
        try measure("Double?", (0..<rowCount).map { $0 % 4 == 0 ? nil : Double($0) })
        try measure("struct (Codable)", words.map { Point(x: 1, name: $0) })
        measureHash("String, short", words)
        measureHash("String, long", lines)
        measureHash("Int", Array(0..<rowCount))
        try measureHasher("(String, Int)", words.map { ($0, 1) })
        try measureHasher("struct (Codable)", words.map { Point(x: 1, name: $0) })
    }

    private static func best(_ work: () throws -> Void) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<7 {
            // Processor time: the machine may be busy.
            let start = clock()
            for _ in 0..<rounds { try work() }
            let time = Double(clock() - start) / Double(CLOCKS_PER_SEC) * 1e9
            best = min(best, time / Double(rounds * rowCount))
        }
        return (best * 10).rounded() / 10
    }

    @inline(never)
    private static func measure<Row>(_ name: String, _ rows: [Row]) throws {
        let codec = try RowCodec<Row>()
        var writer = ByteWriter()
        let encoding = try best {
            writer.bytes.removeAll(keepingCapacity: true)
            try codec.encode(rows, into: &writer)
        }
        let decoding = try best {
            var reader = ByteReader(writer.bytes)
            var result: [Row] = []
            try codec.decode(from: &reader, into: &result)
            precondition(result.count == rows.count)
        }
        let size = Double(writer.count * 10 / rowCount) / 10
        print("rows \(name): encode \(encoding) ns, decode \(decoding) ns, \(size) bytes a row")
    }

    @inline(__always)
    private static func measureHash<Key>(_ name: String, _ keys: [Key]) {
        var sum: UInt64 = 0
        let time = best { for key in keys { sum ^= (try? stableHash(key)) ?? 0 } }
        print("hash \(name): \(time) ns\(sum == 1 ? " " : "")")
    }

    @inline(never)
    private static func measureHasher<Key>(_ name: String, _ keys: [Key]) throws {
        let hasher = try StableHasher<Key>()
        var sum: UInt64 = 0
        let time = try best { for key in keys { sum ^= try hasher.hash(key) } }
        print("hash \(name): \(time) ns\(sum == 1 ? " " : "")")
    }
}
