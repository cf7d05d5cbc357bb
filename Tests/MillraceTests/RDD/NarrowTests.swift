import MillraceBase
import MillraceExecutor
import Testing

@testable import Millrace

private struct Reading: Codable, Sendable, Hashable {
    var sensor: String
    var value: Double
}

@Suite struct NarrowTests {
    @Test(arguments: partitionCounts)
    func parallelizeKeepsRowsInOrderAndSlicesEvenly(partitions: Int) async throws {
        let rows = Array(0..<17)
        let dataset = serialContext().parallelize(rows, partitions)
        #expect(dataset.numPartitions == partitions)
        #expect(try await dataset.collect() == rows)
        #expect(try await dataset.count() == 17)
        let sizes = try await dataset.glom().map { $0.count }.collect()
        #expect(sizes.max()! - sizes.min()! <= 1)
    }

    @Test func aDatasetWithoutRowsGivesNothing() async throws {
        let context = serialContext()
        let none = context.parallelize([Int](), 4)
        #expect(try await none.map { $0 + 1 }.filter { $0 > 0 }.collect() == [])
        #expect(try await none.count() == 0)
        let empty: RDD<String> = context.emptyRDD()
        #expect(try await empty.collect() == [])
        #expect(try await empty.count() == 0)
    }

    @Test(arguments: [(0, 10, 1), (10, 0, -3), (5, 5, 1), (3, 100_000, 7), (-5, 5, 2), (5, 0, 1)])
    func rangeIsStride(start: Int, end: Int, step: Int) async throws {
        let context = serialContext()
        for partitions in partitionCounts {
            let rows = try await context.range(start, end, step, partitions).collect()
            #expect(rows == Array(stride(from: start, to: end, by: step)))
        }
    }

    @Test func rangeOverAllIntegersHasNoOverflow() async throws {
        let slices = try await serialContext().range(Int.min, Int.max, Int.max, 2).collect()
        #expect(slices == Array(stride(from: Int.min, to: Int.max, by: Int.max)))
    }

    @Test(arguments: partitionCounts)
    func aChainOfNarrowOperatorsIsTheSameAsOnAnArray(partitions: Int) async throws {
        let rows = (0..<5000).map { $0 &* 7919 % 1000 }
        let factor = 3
        let result = try await serialContext().parallelize(rows, partitions)
            .map { $0 * factor }
            .filter { $0 % 2 == 0 }
            .flatMap { [$0, $0 + 1] }
            .map { "n\($0)" }
            .collect()
        let oracle = rows.map { $0 * factor }.filter { $0 % 2 == 0 }.flatMap { [$0, $0 + 1] }
            .map { "n\($0)" }
        #expect(result == oracle)
    }

    @Test func rowsMayBeStructsTuplesAndPrivateTypes() async throws {
        let rows = (0..<100).map { Reading(sensor: "s\($0 % 3)", value: Double($0)) }
        let context = serialContext()
        #expect(try await context.parallelize(rows, 3).collect() == rows)
        let pairs = try await context.parallelize(rows, 3).map { ($0.sensor, ($0.value, $0)) }
            .collect()
        #expect(pairs.count == 100)
        #expect(pairs[7].0 == "s1" && pairs[7].1.0 == 7 && pairs[7].1.1 == rows[7])
    }

    @Test func flatMapConsumesLongSequencesLazily() async throws {
        let dataset = serialContext().parallelize([3, 0, 100_000, 1], 2)
        let rows = try await dataset.flatMap { 0..<$0 }.collect()
        #expect(rows == [3, 0, 100_000, 1].flatMap { 0..<$0 })
        // An endless sequence is fine as long as no more is asked for.
        let endless = dataset.flatMap { start in sequence(first: start) { $0 + 1 } }
        #expect(try await endless.take(5) == [3, 4, 5, 6, 7])
    }

    @Test(arguments: partitionCounts)
    func mapPartitionsSeesEachPartitionOnce(partitions: Int) async throws {
        let dataset = serialContext().parallelize(Array(0..<5000), partitions)
        let sums = try await dataset.mapPartitions { rows in [rows.reduce(0, +)] }.collect()
        #expect(sums.count == partitions)
        #expect(sums.reduce(0, +) == 5000 * 4999 / 2)
        let lazy = try await dataset.mapPartitionsWithIndex { index, rows in
            rows.lazy.map { (index, $0) }
        }.collect()
        #expect(lazy.map(\.1) == Array(0..<5000))
        #expect(Set(lazy.map(\.0)).count == min(partitions, 5000))
    }

    @Test func anErrorOfTheSourceIsNotTakenForTheEnd() async throws {
        struct Broken: Error {}
        let dataset = serialContext().parallelize(Array(0..<5000), 2).map { row -> Int in
            if row == 4000 { throw Broken() }
            return row
        }
        await #expect(throws: Broken.self) {
            try await dataset.mapPartitions { rows in [rows.reduce(0, +)] }.collect()
        }
        await #expect(throws: Broken.self) {
            try await dataset.mapPartitions { rows in rows.lazy.map { $0 } }.count()
        }
        await #expect(throws: Broken.self) { try await dataset.collect() }
    }

    @Test func unionKeepsTheOrderOfPartitions() async throws {
        let context = serialContext()
        let one = context.parallelize([1, 2, 3], 2)
        let two = context.range(10, 13, 1, 3).map { $0 * 2 }
        let all = one.union(two).union(one)
        #expect(all.numPartitions == 7)
        #expect(try await all.collect() == [1, 2, 3, 20, 22, 24, 1, 2, 3])
        #expect(try await context.union([one, context.emptyRDD(), one]).count() == 6)
    }

    @Test(arguments: [1, 2, 5, 12, 20])
    func coalesceKeepsOrderAndNeverAddsPartitions(count: Int) async throws {
        let context = serialContext()
        let dataset = context.parallelize(Array(0..<100), 12).union(context.range(100, 130, 1, 4))
        let fewer = dataset.coalesce(count)
        #expect(fewer.numPartitions == min(count, 16))
        #expect(try await fewer.collect() == Array(0..<130))
    }

    @Test(arguments: [1, 2, 5, 50])
    func repartitionSpreadsEvenly(count: Int) async throws {
        let dataset = serialContext().parallelize(Array(0..<1000), 4).repartition(count)
        #expect(try await dataset.collect().sorted() == Array(0..<1000))
        let sizes = try await dataset.glom().map { $0.count }.collect()
        #expect(sizes.count == count)
        #expect(sizes.max()! - sizes.min()! <= 4)
    }

    @Test(arguments: partitionCounts)
    func zipWithIndexNumbersOverPartitions(partitions: Int) async throws {
        let dataset = serialContext().parallelize(Array(0..<3000), partitions).filter {
            $0 % 3 != 0
        }
        let rows = try await dataset.zipWithIndex().collect()
        #expect(rows.map(\.0) == (0..<3000).filter { $0 % 3 != 0 })
        #expect(rows.map(\.1) == Array(0..<2000))
    }

    @Test func sampleIsDeterministicAndNearItsFraction() async throws {
        let dataset = serialContext().parallelize(Array(0..<100_000), 8)
        let some = try await dataset.sample(fraction: 0.1, seed: 7).collect()
        #expect(abs(some.count - 10_000) < 500)
        #expect(try await dataset.sample(fraction: 0.1, seed: 7).collect() == some)
        #expect(try await dataset.sample(fraction: 0.1, seed: 8).collect() != some)
        let drawn = try await dataset.sample(withReplacement: true, fraction: 2.5, seed: 1).count()
        #expect(abs(drawn - 250_000) < 3000)
        #expect(try await dataset.sample(fraction: 1).count() == 100_000)
        #expect(try await dataset.sample(fraction: 0).count() == 0)
    }

    @Test(arguments: partitionCounts)
    func distinctKeepsEachRowOnce(partitions: Int) async throws {
        let rows = (0..<2000).map { "w\($0 % 137)" }
        let dataset = serialContext().parallelize(rows, partitions).distinct(numPartitions: 3)
        #expect(try await dataset.collect().sorted() == Set(rows).sorted())
    }
}
