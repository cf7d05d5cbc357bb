import MillraceWire
import Testing

@testable import MillraceExecutor

@Suite struct CombineTableTests {
    @Test(arguments: [0, 1, 15, 16, 17, 5000, 200_000])
    func holdsWhatADictionaryHolds(rows: Int) throws {
        let table = CombineTable<Int, Int>(minimumCapacity: 1)
        var oracle: [Int: Int] = [:]
        for row in 0..<rows {
            let key = (row &* 7919) % max(rows / 3, 1)
            table.update(key, hash: StableBytes.hash(key), insert: { row }, merge: { $0 += row })
            oracle[key, default: 0] += row
        }
        #expect(table.count == oracle.count)
        let drained = RowBuffer<(Int, Int)>()
        while table.pull(into: drained) {}
        #expect(Dictionary(uniqueKeysWithValues: drained) == oracle)
    }

    @Test(arguments: [0, 1, 127, 128, 129, 5000, 200_000])
    func rowsInBatchesAreThoseOneByOne(rows: Int) throws {
        let table = CombineTable<String, Int>(minimumCapacity: 1)
        var oracle: [String: Int] = [:]
        let input = (0..<rows).map { row in
            (String(repeating: "k", count: row % 20) + "\((row &* 7919) % max(rows / 3, 1))", row)
        }
        for (key, value) in input { oracle[key, default: 0] += value }
        try table.update(
            moving: RowBuffer(input), hasher: KeyHasher(), insert: { $0 }, merge: { $0 += $1 })
        let drained = RowBuffer<(String, Int)>()
        while table.pull(into: drained) {}
        #expect(Dictionary(uniqueKeysWithValues: drained) == oracle)
    }

    @Test func stringsAreHashedTheSameHoweverTheyAreKept() throws {
        let hasher = try KeyHasher<String>()
        for count in 0...40 {
            let text = String(repeating: "xyz", count: 14).prefix(count)
            var large = String(text)
            large.reserveCapacity(100)  // takes memory of its own
            #expect(try hasher.hash(String(text)) == StableBytes.hash(String(text)))
            #expect(try hasher.hash(large) == StableBytes.hash(String(text)))
        }
    }

    @Test func keysWhoseHashesCollideStayApart() {
        let table = CombineTable<String, [Int]>(minimumCapacity: 1)
        for row in 0..<300 {
            table.update("k\(row % 100)", hash: 7, insert: { [row] }, merge: { $0.append(row) })
        }
        let rows = RowBuffer<(String, [Int])>()
        while table.pull(into: rows) {}
        #expect(rows.count == 100)
        #expect(rows.allSatisfy { $0.1.count == 3 })
        #expect(rows.map(\.0) == (0..<100).map { "k\($0)" })
    }

    @Test func anErrorInAMergeLeavesTheTableWhole() {
        struct Refused: Error {}
        let table = CombineTable<Int, [Int]>()
        func add(_ key: Int, fails: Bool) throws {
            try table.update(
                key, hash: StableBytes.hash(key),
                insert: {
                    if fails { throw Refused() }
                    return [key]
                },
                merge: { _ in if fails { throw Refused() } })
        }
        #expect(throws: Never.self) { try add(1, fails: false) }
        #expect(throws: Refused.self) { try add(1, fails: true) }
        #expect(throws: Refused.self) { try add(2, fails: true) }
        #expect(table.count == 1)
    }

    /// Counts its living copies.
    private final class Token {
        nonisolated(unsafe) static var living = 0
        init() { Token.living += 1 }
        deinit { Token.living -= 1 }
    }

    @Test func releasesWhatIsLeftInIt() {
        do {
            let table = CombineTable<Int, Token>(minimumCapacity: 1)
            for key in 0..<100 {
                table.update(key, hash: StableBytes.hash(key), insert: { Token() }, merge: { _ in })
            }
            #expect(table.drain(30) { _, _, _ in } == 30)
            #expect(Token.living == 70)
        }
        #expect(Token.living == 0)
    }
}
