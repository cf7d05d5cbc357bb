import MillraceBase
import MillraceStore
import MillraceWire
import Testing

@testable import MillraceExecutor

/// Aggregation by key in less memory than its keys take, beside a dictionary.
@Suite struct ExternalCombineTests {
    /// Keys in no order, each several times.
    private static let rows = (0..<30_000).map { row in
        (String(repeating: "k", count: row % 30) + "\((row &* 7919) % 10_000)", row)
    }

    private static func add(
        _ rows: [(String, Int)], to combine: ExternalCombineTable<String, Int>
    ) throws {
        let hasher = try KeyHasher<String>()
        for start in stride(from: 0, to: rows.count, by: Chunk.rows) {
            let chunk = RowBuffer(rows[start..<min(start + Chunk.rows, rows.count)])
            try combine.prepare(for: chunk.count)
            try combine.table.update(
                moving: chunk, hasher: hasher, insert: { $0 }, merge: { $0 += $1 })
        }
    }

    private static func expected(_ rows: [(String, Int)]) -> [String: Int] {
        Dictionary(rows, uniquingKeysWith: +)
    }

    @Test(
        "sums are exact however little memory there is",
        arguments: [(1 << 40, 0), (2 << 20, 1), (1 << 20, 3)])
    func sums(limit: Int, spills: Int) throws {
        let task = LimitedTask(bytes: limit)
        try task.run {
            let combine = ExternalCombineTable<String, Int>()
            try Self.add(Self.rows, to: combine)
            #expect(task.spilled.count >= spills)
            #expect(task.manager.executionUsed <= limit)
            let output = RowBuffer<(String, Int)>()
            while try combine.pull(into: output, merge: { $0 += $1 }) {}
            #expect(output.count == Self.expected(Self.rows).count, "every key once")
            #expect(Dictionary(uniqueKeysWithValues: output) == Self.expected(Self.rows))
        }
        #expect(task.spilled.isEmpty && task.manager.executionUsed == 0)
    }

    @Test(
        "a disk that is full in a table's spill is said so, and nothing is left",
        arguments: [0, 1, 20_000, 150_000])
    func fullDisk(room: Int) throws {
        let task = LimitedTask(bytes: 1 << 20, fileSystem: SmallDisk(room: room))
        let error = #expect(throws: LocalDiskFull.self) {
            try task.run {
                let combine = ExternalCombineTable<String, Int>()
                try Self.add(Self.rows, to: combine)
                let output = RowBuffer<(String, Int)>()
                while try combine.pull(into: output, merge: { $0 += $1 }) {}
            }
        }
        let text = try #require(error).description
        let words =
            #/^no room in /\S+ for a spill of a combine table: \d{5,} bytes wanted, No space left/#
        #expect(text.firstMatch(of: words) != nil, "\(text)")
        #expect(text.hasSuffix("or set millrace.local.dir to a folder on a larger disk"))
        #expect(task.spilled.isEmpty && task.manager.executionUsed == 0)
    }

    @Test("a table gives way to who needs its memory, while it fills and while it is read")
    func givesWay() throws {
        let task = LimitedTask(bytes: 8 << 20)
        try task.run {
            let other = task.context.memory.consumer("another")
            for takesEarly in [true, false] {
                let combine = ExternalCombineTable<String, Int>()
                try Self.add(Array(Self.rows[..<10_000]), to: combine)
                if takesEarly {
                    #expect(try other.grow(to: 7 << 20))
                    other.shrink(to: 0)
                }
                try Self.add(Array(Self.rows[10_000..<20_000]), to: combine)
                let output = RowBuffer<(String, Int)>()
                _ = try combine.pull(into: output, merge: { $0 += $1 })
                if !takesEarly { #expect(try other.grow(to: 7 << 20)) }
                #expect(!task.spilled.isEmpty)
                while try combine.pull(into: output, merge: { $0 += $1 }) {}
                #expect(
                    Dictionary(output.map { $0 }, uniquingKeysWith: { _, _ in -1 })
                        == Self.expected(Array(Self.rows[..<20_000])))
                other.shrink(to: 0)
            }
        }
    }

    @Test("groups are whole, one of them larger than the others together")
    func groups() throws {
        let task = LimitedTask(bytes: 2 << 20)
        try task.run {
            let groups = ExternalCombineTable<Int, [Int]>()
            let footprint = GroupFootprint<Int, Int>()
            let hasher = try KeyHasher<Int>()
            for start in stride(from: 0, to: 60_000, by: 1000) {
                let chunk = RowBuffer((start..<start + 1000).map { ($0 % 3 == 0 ? $0 : 1, $0) })
                try groups.prepare(for: chunk.count, keeping: footprint.bytes(of: chunk))
                try groups.table.update(
                    moving: chunk, hasher: hasher, insert: { [$0] }, merge: { $0.append($1) })
            }
            #expect(!task.spilled.isEmpty)
            let output = RowBuffer<(Int, [Int])>()
            while try groups.pull(into: output, merge: { $0.append(contentsOf: $1) }) {}
            #expect(output.count == 20_000 + 1)
            for (key, values) in output where key != 1 { #expect(values == [key]) }
            let large = output.first { $0.0 == 1 }?.1 ?? []
            #expect(large.sorted() == (0..<60_000).filter { $0 % 3 != 0 })
        }
    }

    @Test("keys whose hashes collide stay apart when runs are merged")
    func collisions() throws {
        let task = LimitedTask(bytes: 1 << 20)
        try task.run {
            let combine = ExternalCombineTable<String, Int>()
            let other = task.context.memory.consumer("another")
            for _ in 0..<3 {
                try combine.prepare(for: 100)
                for key in 0..<100 {
                    combine.table.update("k\(key)", hash: 7, insert: { 1 }, merge: { $0 += 1 })
                }
                #expect(try other.grow(to: 900_000))
                other.shrink(to: 0)
            }
            #expect(task.spilled.count == 3)
            let output = RowBuffer<(String, Int)>()
            while try combine.pull(into: output, merge: { $0 += $1 }) {}
            #expect(output.count == 100 && output.allSatisfy { $0.1 == 3 })
        }
    }

    /// No codec knows it.
    private final class Opaque { var sum = 0 }

    @Test("values that cannot become bytes fail the task, with the ledger, when memory is full")
    func cannotSpill() throws {
        let task = LimitedTask(bytes: 1 << 20)
        task.run {
            let combine = ExternalCombineTable<Int, Opaque>()
            #expect {
                for start in stride(from: 0, to: 30_000, by: 1000) {
                    try combine.prepare(for: 1000)
                    for key in start..<start + 1000 {
                        combine.table.update(
                            key, hash: StableBytes.hash(key), insert: { Opaque() },
                            merge: { _ in })
                    }
                }
            } throws: { error in
                "\(error)".hasPrefix("out of memory: combine of task 7 wants")
            }
        }
    }

    @Test("map side: what has no room goes on as it is, and combining ends when it is useless")
    func mapSide() throws {
        for (keys, combines) in [(10_000, true), (1_000_000, false)] {
            let task = LimitedTask(bytes: 1 << 20)
            try task.run {
                let combine = PartialCombine<Int, Int>()
                let hasher = try KeyHasher<Int>()
                var sums: [Int: Int] = [:]
                var emitted = 0
                func emit(_ key: Int, _ value: Int, _ hash: UInt64) {
                    sums[key, default: 0] += value
                    emitted += 1
                }
                var expected: [Int: Int] = [:]
                for start in stride(from: 0, to: 60_000, by: 1000) {
                    // Each key three times, soon after one another.
                    let chunk = RowBuffer(
                        (start..<start + 1000).map { row in
                            ((combines ? row / 3 : row) % keys, row)
                        })
                    for (key, value) in chunk { expected[key, default: 0] += value }
                    if try combine.prepare(for: chunk.count, emit: emit) {
                        try combine.table.update(
                            moving: chunk, hasher: hasher, insert: { $0 }, merge: { $0 += $1 })
                    } else {
                        chunk.moveEach { emit($0.0, $0.1, 0) }
                    }
                }
                try combine.finish(emit: emit)
                #expect(sums == expected)
                #expect(combines ? emitted < 30_000 : emitted > 59_000)
            }
            #expect(task.spilled.isEmpty && task.manager.executionUsed == 0)
        }
    }
}
