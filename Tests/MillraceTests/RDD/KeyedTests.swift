import MillraceBase
import MillraceExecutor
import Testing

@testable import Millrace

/// Puts even numbers first.
private struct Parity: Partitioner {
    let numPartitions = 2
    func partition(for key: Int) -> Int { key & 1 }
    enum CodingKeys: CodingKey {}
}

private struct Place: Codable, Hashable, Comparable, Sendable {
    var row: Int
    var column: Int
    static func < (left: Place, right: Place) -> Bool {
        (left.row, left.column) < (right.row, right.column)
    }
}

private struct OutOfRange: Partitioner {
    let numPartitions: Int
    func partition(for key: Int) -> Int { key }
}

/// The runs of (partition, keys) of a dataset.
private func keysByPartition<Value>(_ dataset: RDD<(Int, Value)>) async throws -> [[Int]] {
    try await dataset.keys().glom().collect().map { $0.sorted() }
}

@Suite struct KeyedTests {
    let rows = (0..<4000).map { ("k\(($0 &* 7919) % 97)", $0) }
    var groups: [String: [Int]] { Dictionary(grouping: rows, by: \.0).mapValues { $0.map(\.1) } }

    @Test(arguments: partitionCounts)
    func aggregationsAreTheSameAsOnADictionary(partitions: Int) async throws {
        let context = serialContext()
        for reducers in [nil, 1, 5] {
            let dataset = context.parallelize(rows, partitions)
            let sums = groups.mapValues { $0.reduce(0, +) }
            let reduced = dataset.reduceByKey(numPartitions: reducers) { $0 + $1 }
            #expect(reduced.numPartitions == reducers ?? partitions)
            #expect(try await reduced.collect().count == 97)
            #expect(try await reduced.collectAsMap() == sums)
            let folded = dataset.foldByKey(0, numPartitions: reducers) { $0 + $1 }
            #expect(try await folded.collectAsMap() == sums)
            let counted = dataset.aggregateByKey(
                (0, 0), numPartitions: reducers, { ($0.0 + $1, $0.1 + 1) },
                { ($0.0 + $1.0, $0.1 + $1.1) })
            for (key, (sum, count)) in try await counted.collect() {
                #expect(sum == sums[key] && count == groups[key]?.count)
            }
            for combines in [true, false] {
                let lists = dataset.combineByKey(
                    numPartitions: reducers, mapSideCombine: combines, { [$0] }, { $0 + [$1] },
                    { $0 + $1 })
                let found = try await lists.mapValues { $0.sorted() }.collectAsMap()
                #expect(found == groups.mapValues { $0.sorted() })
            }
            let grouped = dataset.groupByKey(numPartitions: reducers).mapValues { $0.sorted() }
            #expect(try await grouped.collectAsMap() == groups.mapValues { $0.sorted() })
        }
    }

    @Test func countsComeToTheDriver() async throws {
        let dataset = serialContext().parallelize(rows, 4)
        #expect(try await dataset.countByKey() == groups.mapValues { $0.count })
        #expect(try await dataset.keys().countByValue() == groups.mapValues { $0.count })
    }

    @Test func keysAndValuesAreTheHalves() async throws {
        let dataset = serialContext().parallelize(rows, 4)
        #expect(try await dataset.keys().collect() == rows.map(\.0))
        #expect(try await dataset.values().collect() == rows.map(\.1))
        let doubled = try await dataset.flatMapValues { [$0, -$0] }.collect()
        #expect(doubled.map(\.1) == rows.flatMap { [$0.1, -$0.1] })
        let keyed = try await dataset.values().keyBy { $0 % 3 }.collect()
        #expect(keyed.map(\.0) == rows.map { $0.1 % 3 })
        let grouped = try await dataset.values().groupBy { $0 % 3 }.collect()
        #expect(grouped.map(\.1.count).reduce(0, +) == 4000 && grouped.count == 3)
    }

    @Test func equalKeysMeetWhateverTheirForm() async throws {
        let context = serialContext()
        let accents = context.parallelize([("caf\u{E9}", 1), ("cafe\u{301}", 2)], 2)
        #expect(try await accents.reduceByKey { $0 + $1 }.values().collect() == [3])
        let zeros = context.parallelize([(0.0, 1), (-0.0, 2)], 2)
        #expect(try await zeros.reduceByKey { $0 + $1 }.values().collect() == [3])
        let optionals = context.parallelize(
            [(1, 1), (nil, 2), (1, 3), (nil, 4)] as [(Int?, Int)], 3)
        let sums = try await optionals.reduceByKey { $0 + $1 }.collectAsMap()
        #expect(sums == [1: 4, nil: 6])
    }

    @Test func keysMayBePrivateStructs() async throws {
        let rows = (0..<100).map { (Place(row: $0 % 5, column: $0 % 2), $0) }
        let dataset = serialContext().parallelize(rows, 3)
        let sums = Dictionary(grouping: rows, by: \.0).mapValues { $0.reduce(0) { $0 + $1.1 } }
        #expect(try await dataset.reduceByKey { $0 + $1 }.collectAsMap() == sums)
        #expect(try await dataset.groupByKey().count() == 10)
        #expect(try await dataset.keys().distinct().count() == 10)
        #expect(try await dataset.join(dataset.reduceByKey { $0 + $1 }).count() == 100)
        #expect(try await dataset.sortByKey().keys().collect() == rows.map(\.0).sorted())
    }

    @Test func aPartitionerOfOnesOwnPlacesTheKeys() async throws {
        let context = serialContext()
        let dataset = context.parallelize((0..<20).map { ($0, $0) }, 3)
        let placed = dataset.partitionBy(Parity())
        let expected = [
            Array(stride(from: 0, to: 20, by: 2)), Array(stride(from: 1, to: 20, by: 2)),
        ]
        #expect(try await keysByPartition(placed) == expected)
        #expect(
            try await keysByPartition(dataset.reduceByKey(partitioner: Parity()) { $0 + $1 })
                == expected)
        #expect(
            try await keysByPartition(
                dataset.combineByKey(partitioner: Parity(), { [$0] }, { $0 + [$1] }, { $0 + $1 }))
                == expected)
        await #expect(throws: MillraceError.self) {
            try await dataset.partitionBy(OutOfRange(numPartitions: 3)).count()
        }
    }

    @Test func rowsThatAreInPlaceAreNotShuffledAgain() async throws {
        let runner = SerialJobRunner()
        let context = MillraceContext(runner: runner, defaultParallelism: 2)
        let placed = context.parallelize((0..<100).map { ($0 % 10, $0) }, 4)
            .partitionBy(HashPartitioner(3))
        let sums = placed.mapValues { $0 + 1 }.filter { $0.1 > 0 }.reduceByKey { $0 + $1 }
        let lists = placed.groupByKey(numPartitions: 3)
        let both = sums.cogroup(lists)
        #expect(try await both.count() == 10)
        #expect(runner.shuffleCount == 1)
        #expect(sums.numPartitions == 3 && both.numPartitions == 3)
        #expect(
            try await placed.partitionBy(HashPartitioner(3)).reduceByKey { $0 + $1 }.count() == 10)
        #expect(runner.shuffleCount == 1)
        // A map may change the key, so what comes behind it is shuffled.
        #expect(try await sums.map { $0 }.reduceByKey { $0 + $1 }.count() == 10)
    }

    @Test func keysByHashAreSpreadOverAllPartitions() async throws {
        let dataset = serialContext().range(0, 10_000, 1, 4).map { ($0, 0) }
        for count in [2, 7, 64] {
            let sizes = try await keysByPartition(dataset.partitionBy(HashPartitioner(count))).map(
                \.count)
            #expect(sizes.count == count)
            #expect(sizes.allSatisfy { $0 > 10_000 / count / 2 && $0 < 10_000 * 2 / count })
        }
    }
}
