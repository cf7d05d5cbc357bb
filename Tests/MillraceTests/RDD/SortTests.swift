import MillraceExecutor
import Testing

@testable import Millrace

@Suite struct SortTests {
    @Test(arguments: partitionCounts)
    func sortByOrdersOverAllPartitions(partitions: Int) async throws {
        let rows = (0..<6000).map { ($0 &* 7919) % 1709 - 300 }
        let dataset = serialContext().parallelize(rows, partitions)
        for reducers in [nil, 1, 6] {
            #expect(
                try await dataset.sortBy(numPartitions: reducers) { $0 }.collect() == rows.sorted())
            let down = try await dataset.sortBy(ascending: false, numPartitions: reducers) {
                "\($0)"
            }
            .collect().map(String.init)
            #expect(down == rows.map(String.init).sorted(by: >))
        }
    }

    @Test func partitionsOfASortAreOfNearlyEqualSize() async throws {
        let rows = (0..<20_000).map { ($0 &* 7919) % 20_011 }
        let sorted = try await serialContext().parallelize(rows, 5).map { ($0, 0) }
            .sortByKey(numPartitions: 8)
        let sizes = try await sorted.glom().map { $0.count }.collect()
        #expect(sizes.count == 8)
        #expect(sizes.allSatisfy { $0 > 1000 && $0 < 5000 })
    }

    @Test func oneLargePartitionIsSampledAgain() async throws {
        let rows = Array(0..<20_000)
        let context = serialContext()
        let skewed = context.parallelize(rows, 1).union(context.parallelize([5, 6, 7], 30))
        let sorted = try await skewed.map { ($0, 0) }.sortByKey(numPartitions: 4)
        let sizes = try await sorted.glom().map { $0.count }.collect()
        #expect(sizes.allSatisfy { $0 > 2000 })
        #expect(try await sorted.keys().collect() == (rows + [5, 6, 7]).sorted())
    }

    @Test func fewDistinctKeysAndNoRowsSortToo() async throws {
        let context = serialContext()
        let same = try await context.parallelize(Array(repeating: 4, count: 50), 5).sortBy { $0 }
        #expect(try await same.collect() == Array(repeating: 4, count: 50))
        #expect(try await context.parallelize([Int](), 5).sortBy { $0 }.collect() == [])
        #expect(try await context.emptyRDD(Int.self).sortBy { $0 }.collect() == [])
    }

    @Test func repartitionAndSortSortsWithinEachPartition() async throws {
        let dataset = serialContext().parallelize((0..<500).map { (($0 * 37) % 500, $0) }, 4)
        let parts = try await dataset.repartitionAndSortWithinPartitions(HashPartitioner(3)).keys()
            .glom().collect()
        #expect(parts.count == 3)
        #expect(parts.allSatisfy { $0 == $0.sorted() })
        #expect(parts.joined().sorted() == Array(0..<500))
        let down =
            try await dataset
            .repartitionAndSortWithinPartitions(HashPartitioner(2)) { $0 > $1 }.keys().glom()
            .collect()
        #expect(down.allSatisfy { $0 == $0.sorted(by: >) })
    }

    @Test func rangePartitionerPlacesBoundsInclusively() {
        let up = RangePartitioner(bounds: [10, 20])
        #expect([5, 10, 11, 20, 21].map(up.partition) == [0, 0, 1, 1, 2])
        let down = RangePartitioner(bounds: [10, 20], ascending: false)
        #expect([5, 10, 11, 20, 21].map(down.partition) == [2, 2, 1, 1, 0])
    }
}
