import MillraceExecutor
import Testing

@testable import Millrace

@Suite struct JoinTests {
    /// Keys 0…29 here and 20…49 there, some several times, some never.
    let left = (0..<90).map { (($0 * 7) % 30, "l\($0)") }.filter { $0.0 % 7 != 0 }
    let right = (0..<60).map { (($0 * 11) % 30 + 20, "r\($0)") }.filter { $0.0 % 5 != 0 }

    private func oracle(
        keepsLeft: Bool, keepsRight: Bool
    ) -> [String] {
        var rows: [String] = []
        for key in 0..<50 {
            let lefts = left.filter { $0.0 == key }.map(\.1)
            let rights = right.filter { $0.0 == key }.map(\.1)
            for one in lefts { for two in rights { rows.append("\(key) \(one) \(two)") } }
            if keepsLeft, rights.isEmpty { rows += lefts.map { "\(key) \($0) nil" } }
            if keepsRight, lefts.isEmpty { rows += rights.map { "\(key) nil \($0)" } }
        }
        return rows.sorted()
    }

    @Test(arguments: partitionCounts)
    func joinsPairWhatTheOraclePairs(partitions: Int) async throws {
        let context = serialContext()
        let one = context.parallelize(left, partitions)
        let two = context.parallelize(right, 2)
        for reducers in [nil, 1, 4] {
            let inner = try await one.join(two, numPartitions: reducers)
                .map { "\($0.0) \($0.1.0) \($0.1.1)" }.collect().sorted()
            #expect(inner == oracle(keepsLeft: false, keepsRight: false))
            let outerLeft = try await one.leftOuterJoin(two, numPartitions: reducers)
                .map { "\($0.0) \($0.1.0) \($0.1.1 ?? "nil")" }.collect().sorted()
            #expect(outerLeft == oracle(keepsLeft: true, keepsRight: false))
            let outerRight = try await one.rightOuterJoin(two, numPartitions: reducers)
                .map { "\($0.0) \($0.1.0 ?? "nil") \($0.1.1)" }.collect().sorted()
            #expect(outerRight == oracle(keepsLeft: false, keepsRight: true))
            let full = try await one.fullOuterJoin(two, numPartitions: reducers)
                .map { "\($0.0) \($0.1.0 ?? "nil") \($0.1.1 ?? "nil")" }.collect().sorted()
            #expect(full == oracle(keepsLeft: true, keepsRight: true))
        }
    }

    @Test func joinedRowsCanBeCollectedAsTheyAre() async throws {
        let context = serialContext()
        let one = context.parallelize([(1, "a"), (2, "b")], 2)
        let two = context.parallelize([(2, 2.5), (3, 3.5)], 2)
        let rows = try await one.fullOuterJoin(two).collect().sorted { $0.0 < $1.0 }
        #expect(rows.map(\.0) == [1, 2, 3])
        #expect(rows.map(\.1.0) == ["a", "b", nil] && rows.map(\.1.1) == [nil, 2.5, 3.5])
        let groups = try await one.cogroup(two).collect().sorted { $0.0 < $1.0 }
        #expect(
            groups.map(\.1.0) == [["a"], ["b"], []] && groups.map(\.1.1) == [[], [2.5], [3.5]])
    }

    @Test func aSideMayBeEmptyOrTheDatasetItself() async throws {
        let context = serialContext()
        let one = context.parallelize([(1, 1), (1, 2), (2, 3)], 3)
        let none: RDD<(Int, Int)> = context.emptyRDD()
        #expect(try await one.join(none).count() == 0)
        #expect(try await none.join(one).count() == 0)
        #expect(try await one.leftOuterJoin(none).count() == 3)
        #expect(try await one.join(one).count() == 5)
        let summed = one.reduceByKey { $0 + $1 }
        #expect(try await summed.join(summed).count() == 2)
        #expect(try await none.join(none).count() == 0)
    }

    @Test func aSkewedJoinIsPairedLazily() async throws {
        let context = serialContext()
        let many = context.range(0, 300, 1, 2).map { (1, $0) }
        #expect(try await many.join(many).count() == 90_000)
        #expect(try await many.join(many).take(3).count == 3)
    }
}
