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
        arguments: [1 << 40, 32 << 20, 9 << 20])
    func spills(limit: Int) throws {
        let folder = TemporaryTestFolder()
        let spills = SpillFolder(PosixFileSystem(), folder.path, .lz4)
        let manager = MemoryManager(
            limit: MemoryLimit(bytes: limit, source: .setting), total: limit, storageRegion: 0)
        let task = TaskContext(
            partition: 0, shuffle: SpillingEnvironment(spills),
            memory: TaskMemory(manager: manager, task: TaskID(1)))
        var random = SplitMix64(seed: 7)
        let rows = (0..<300_000).map { _ in (Int(random.next() % 50_000), "value \(random.next())")
        }
        let cursor = SortCursor<Int, String>(
            child: ArrayCursor(rows, task: task), sort: { RowSort.sort($0, ascending: true) },
            merge: { try $0.pull(Chunk.rows, into: $1) { $0 < $1 } }, codec: try RowCodec(),
            task: task)
        let chunk = RowBuffer<(Int, String)>()
        var found: [(Int, String)] = []
        var mostSpills = 0
        while try cursor.next(into: chunk) {
            found.append(contentsOf: chunk)
            mostSpills = max(mostSpills, folder.names.count)
        }
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.0 <= $1.0 })
        #expect(found.map { "\($0)" }.sorted() == rows.map { "\($0)" }.sorted())
        #expect((mostSpills > 0) == (limit < 1 << 30))
    }
}

/// Nothing but a place to spill.
private final class SpillingEnvironment: ShuffleEnvironment {
    let spills: SpillFolder?
    let compression: CompressionCodec? = .lz4
    init(_ spills: SpillFolder) { self.spills = spills }
    func blocks(shuffleInput: Int, reduce: Int) throws -> any ShuffleBlocks { MemoryBlocks([]) }
    func mapOutputWriter(reducers: Int, memory: TaskMemory) throws -> any MapOutputWriter {
        throw PlanError("no output here")
    }
}
