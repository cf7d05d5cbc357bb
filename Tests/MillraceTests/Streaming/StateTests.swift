import MillraceBase
import MillraceExecutor
import MillraceWire
import Testing

@testable import Millrace
@testable import MillraceExecutor

@Suite struct StateTests {
    private func add(_ keys: some Sequence<Int>, to table: StateTable<Int, Int>) throws {
        let hasher = try KeyHasher<Int>()
        for key in keys {
            table.update(key, hash: try hasher.hash(key), insert: { 1 }, merge: { $0 += 1 })
        }
    }
    private func content(_ table: StateTable<Int, Int>) -> [Int: Int] {
        Dictionary(uniqueKeysWithValues: (0..<table.count).map { table[$0] })
    }

    @Test func aTableTakesBackABatchAndKnowsWhatItChanged() throws {
        let table = StateTable<Int, Int>()
        table.begin()
        try add(0..<500, to: table)
        #expect(table.changedCount == 500)
        table.begin()
        try add(490..<700, to: table)
        try add([495, 650], to: table)
        #expect(table.count == 700)
        #expect(table.changedCount == 210)
        let changed = (0..<table.changedCount).map { table[table.changedEntry($0)].0 }
        #expect(changed.sorted() == Array(490..<700))
        table.rollBack()
        #expect(content(table) == Dictionary(uniqueKeysWithValues: (0..<500).map { ($0, 1) }))
        try add(490..<700, to: table)
        #expect(table.count == 700)
        #expect(content(table)[495] == 2)
        #expect(content(table)[650] == 1)
    }

    /// One partition as its tasks see it, batch after batch.
    private final class Fixture {
        let folder = TemporaryFolder()
        let kernels: StateKernels<Int, Int> = RunningAggregate.kernels { $0 += $1 }

        func partition() throws -> StatePartition<Int, Int> {
            let input = StateInput(
                root: folder.path, operatorID: "0", runID: "r", run: 0, keyGroups: 16,
                partitions: 1, minDeltasForSnapshot: 3, emitsAll: false, version: 0)
            #expect(try StateInput(decoding: input.encode()) == input)
            return try StatePartition(input, partition: 0, kernels)
        }

        func rows(_ rows: [(Int, Int)]) -> Cursor<(Int, Int)> {
            var left = [rows]
            return PullCursor { chunk in
                chunk.append(contentsOf: left.popLast() ?? [])
                return !chunk.isEmpty
            }
        }

        func run(_ version: Int, _ state: StatePartition<Int, Int>) throws {
            _ = try state.open(at: version)
            try state.merge(rows([(1, 1), (version + 10, 5)]))
            _ = try state.commit(minDeltas: 3)
        }
    }

    @Test func aRepeatedBatchStartsFromTheVersionBefore() throws {
        let fixture = Fixture()
        let state = try fixture.partition()
        for version in 0..<7 { try fixture.run(version, state) }
        try fixture.run(6, state)  // committed, and asked for again
        _ = try state.open(at: 7)
        try state.merge(fixture.rows([(1, 100)]))  // never committed
        try fixture.run(7, state)
        #expect(content(state.table)[1] == 8)
        #expect(content(state.table).count == 9)
    }

    @Test func whoHasNotTheVersionReadsItFromTheFiles() throws {
        let fixture = Fixture()
        let state = try fixture.partition()
        for version in 0..<9 { try fixture.run(version, state) }
        for version in [9, 4, 1, 0] {
            let other = try fixture.partition()
            #expect(try other.open(at: version) == (version > 0))
            #expect(content(other.table)[1] == (version > 0 ? version : nil))
            #expect(other.table.count == (version > 0 ? version + 1 : 0))
        }
        // An older copy that comes back to a newer version reads, too.
        let stale = try fixture.partition()
        try fixture.run(0, stale)
        #expect(try stale.open(at: 5))
        #expect(content(stale.table)[1] == 5)
    }
}
