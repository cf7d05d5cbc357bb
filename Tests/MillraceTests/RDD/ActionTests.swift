import Glibc
import MillraceBase
import MillraceExecutor
import Testing

@testable import Millrace

@Suite struct ActionTests {
    @Test(arguments: partitionCounts)
    func foldsAreTheSameAsOnAnArray(partitions: Int) async throws {
        let rows = (0..<3000).map { ($0 &* 7919) % 1009 }
        let dataset = serialContext().parallelize(rows, partitions)
        #expect(try await dataset.reduce { $0 + $1 } == rows.reduce(0, +))
        #expect(try await dataset.fold(0) { $0 + $1 } == rows.reduce(0, +))
        #expect(try await dataset.sum() == rows.reduce(0, +))
        #expect(try await dataset.max() == rows.max())
        #expect(try await dataset.min() == rows.min())
        let (sum, count) = try await dataset.aggregate(
            (0, 0), { ($0.0 + $1, $0.1 + 1) }, { ($0.0 + $1.0, $0.1 + $1.1) })
        #expect(sum == rows.reduce(0, +) && count == rows.count)
        #expect(try await dataset.takeOrdered(10) == Array(rows.sorted().prefix(10)))
        #expect(try await dataset.top(10) == Array(rows.sorted(by: >).prefix(10)))
        #expect(try await dataset.top(5000) == rows.sorted(by: >))
        #expect(try await dataset.top(2, by: { $0 % 10 < $1 % 10 }).map { $0 % 10 } == [9, 9])
    }

    @Test(arguments: [0, 1, 5, 999, 1000, 5000])
    func takeGivesTheFirstRows(limit: Int) async throws {
        for partitions in partitionCounts {
            let dataset = serialContext().parallelize(Array(0..<1000), partitions)
            #expect(try await dataset.take(limit) == Array((0..<1000).prefix(limit)))
            let sparse = dataset.filter { $0 >= 990 }
            #expect(try await sparse.take(limit) == Array((990..<1000).prefix(limit)))
        }
    }

    @Test func actionsThatNeedARowSaySoWithoutOne() async throws {
        let none = serialContext().parallelize([Int](), 3)
        #expect(try await none.isEmpty())
        #expect(try await none.sum() == 0)
        await #expect(throws: MillraceError.self) { try await none.first() }
        await #expect(throws: MillraceError.self) { try await none.reduce { $0 + $1 } }
        await #expect(throws: MillraceError.self) { try await none.max() }
        let some = serialContext().parallelize([4, 5], 3)
        #expect(try await some.first() == 4)
        #expect(try await some.isEmpty() == false)
    }

    @Test func foreachReachesEveryRow() async throws {
        let folder = TemporaryFolder()
        let path = folder.path
        let dataset = serialContext().parallelize(Array(0..<20), 4)
        try await dataset.foreach { row in
            guard creat(path + "/\(row)", 0o644) >= 0 else { throw MillraceError(.system, "creat") }
        }
        #expect(folder.names() == (0..<20).map(String.init).sorted())
        try await dataset.foreachPartition { rows in
            for row in rows { unlink(path + "/\(row)") }
        }
        #expect(folder.names() == [])
    }

    @Test func anErrorOfUserCodeReachesTheCaller() async throws {
        struct Refused: Error, Equatable { var row: Int }
        let dataset = serialContext().parallelize(Array(0..<10), 2)
        await #expect(throws: Refused(row: 7)) {
            try await dataset.map { row -> Int in
                if row == 7 { throw Refused(row: row) }
                return row
            }.collect()
        }
    }

    @Test func theSameProgramHasTheSamePlan() async throws {
        let runner = SerialJobRunner()
        let context = MillraceContext(runner: runner, defaultParallelism: 2)
        for _ in 0..<5 {
            #expect(try await context.parallelize([1, 2], 2).collect() == [1, 2])
        }
        #expect(runner.planCount == 1)
        for offset in [1, 1, 1] {
            #expect(
                try await context.parallelize([1, 2], 2).map { ($0 % 2, $0 + offset) }
                    .reduceByKey(numPartitions: 2) { $0 + $1 }.count() == 2)
        }
        #expect(runner.planCount == 3)
    }

    @Test func aShuffleIsReleasedWithItsLastDataset() async throws {
        let runner = SerialJobRunner()
        let context = MillraceContext(runner: runner, defaultParallelism: 2)
        var dataset: RDD<(Int, Int)>? = context.parallelize([1, 2, 3], 2).map { ($0 % 2, $0) }
            .reduceByKey { $0 + $1 }
        #expect(try await dataset!.count() == 2)
        #expect(try await dataset!.mapValues { $0 + 1 }.count() == 2)
        #expect(runner.shuffleCount == 1)
        dataset = nil
        #expect(runner.shuffleCount == 0)
    }
}
