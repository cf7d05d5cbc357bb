import MillraceBase
import MillraceStore
import MillraceWire
import Testing

@testable import MillraceExecutor

/// Sorting in memory and through runs on disk, beside the standard library's sort.
@Suite struct RowSortTests {
    private func check<Key: Comparable>(_ keys: [Key], _ what: String) {
        for ascending in [true, false] {
            let rows = RowBuffer(keys.enumerated().map { ($0.element, $0.offset) })
            RowSort.sort(rows, ascending: ascending)
            let found = rows.map(\.0)
            #expect(found == keys.sorted { ascending ? $0 < $1 : $1 < $0 }, "\(what)")
            #expect(Set(rows.map(\.1)).count == keys.count, "\(what): every row once")
        }
    }

    @Test func keysOfEveryTypeAreSorted() {
        var random = SplitMix64(seed: 5)
        let words = (0..<3000).map { _ in random.next() >> UInt64(random.next() % 60) }
        check(words.map { Int(bitPattern: UInt($0)) }, "Int")
        check(words.map { Int32(truncatingIfNeeded: $0) }, "Int32")
        check(words, "UInt64")
        check(words.map { Double(Int64(bitPattern: $0)) / 3 } + [0, -0.0, .infinity], "Double")
        check(words.map { String($0, radix: 36) }, "String")
        check(words.map { Bytes(Array("common prefix \($0 % 100)".utf8)) }, "Bytes")
        check(words.map { UInt8(truncatingIfNeeded: $0) }, "a type without prefix")
    }

    @Test func textIsOrderedAsSwiftOrdersIt() {
        var random = SplitMix64(seed: 6)
        let letters: [Character] = ["a", "e", "z", "é", "e\u{301}", "漢", "\u{1F600}", "f"]
        for _ in 0..<30 {
            let kinds = Int.random(in: 1...letters.count, using: &random)
            let keys = (0..<200).map { _ in
                String(
                    (0..<Int.random(in: 0...12, using: &random)).map { _ in
                        letters[Int.random(in: 0..<kinds, using: &random)]
                    })
            }
            check(keys, "\(kinds) letters")
        }
    }

    @Test(
        "a sort that is refused memory spills and gives the same rows",
        arguments: [(1 << 40, false), (3 << 20, true), (1 << 20, true)])
    func spills(limit: Int, spills: Bool) throws {
        let task = LimitedTask(bytes: limit)
        var random = SplitMix64(seed: 7)
        let rows = (0..<30_000).map { _ in
            (Int(random.next() % 50_000), "value \(random.next())")
        }
        try task.run {
            let cursor = try sorted(rows, task)
            let chunk = RowBuffer<(Int, String)>()
            var found: [(Int, String)] = []
            var mostSpills = 0
            while try cursor.next(into: chunk) {
                found.append(contentsOf: chunk)
                mostSpills = max(mostSpills, task.spilled.count)
            }
            #expect(zip(found, found.dropFirst()).allSatisfy { $0.0 <= $1.0 })
            #expect(found.map { "\($0)" }.sorted() == rows.map { "\($0)" }.sorted())
            #expect((mostSpills > 0) == spills)
        }
        #expect(task.spilled.isEmpty && task.manager.executionUsed == 0)
    }

    @Test("sorted rows give way to who needs their memory, and come from disk then")
    func spillsWhenSorted() throws {
        let task = LimitedTask(bytes: 4 << 20)
        let rows = (0..<20_000).map { (($0 * 7919) % 20_000, "value of \($0)") }
        try task.run {
            let cursor = try sorted(rows, task)
            let chunk = RowBuffer<(Int, String)>()
            var found: [Int] = []
            _ = try cursor.next(into: chunk)
            found += chunk.map(\.0)
            let other = task.context.memory.consumer("another")
            #expect(try other.grow(to: 4 << 20))
            #expect(task.spilled.count == 1)
            while try cursor.next(into: chunk) { found += chunk.map(\.0) }
            #expect(found == Array(0..<20_000))
        }
    }

    @Test(
        "a disk that is full in a spill is said so, and nothing is left",
        arguments: [0, 1, 20_000, 400_000, 700_000])
    func fullDisk(room: Int) throws {
        let task = LimitedTask(bytes: 1 << 20, fileSystem: SmallDisk(room: room))
        var random = SplitMix64(seed: 7)
        let rows = (0..<30_000).map { _ in (Int(random.next() % 50_000), "value \(random.next())") }
        let error = #expect(throws: LocalDiskFull.self) {
            try task.run {
                let cursor = try sorted(rows, task)
                let chunk = RowBuffer<(Int, String)>()
                while try cursor.next(into: chunk) {}
            }
        }
        let text = try #require(error).description
        let words = #/^no room in /\S+ for a spill of a sort: \d{5,} bytes wanted, No space left/#
        #expect(text.firstMatch(of: words) != nil, "\(text)")
        #expect(text.hasSuffix("or set millrace.local.dir to a folder on a larger disk"))
        #expect(task.spilled.isEmpty && task.manager.executionUsed == 0)
    }

    private func sorted(
        _ rows: [(Int, String)], _ task: LimitedTask
    ) throws -> Cursor<(Int, String)> {
        SortCursor<Int, String>(
            child: ArrayCursor(rows, task: task.context),
            sort: { RowSort.sort($0, ascending: true) },
            merge: { try $0.pull($1, into: $2) { $0 < $1 } }, codec: try RowCodec(),
            task: task.context)
    }
}
