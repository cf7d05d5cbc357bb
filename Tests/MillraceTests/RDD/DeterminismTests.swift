import MillraceCore
import MillraceExecutor
import Testing

@testable import Millrace

/// Which stages the scheduler must not compute in parts: those that looked at the order in which
/// shuffled rows came.
@Suite struct DeterminismTests {
    /// By stage, map stages first: whether it's indeterminate.
    private func stages<Element>(_ rdd: RDD<Element>) throws -> [Bool] {
        let job = try JobPlanner(context: rdd.context).request(
            rdd.node, sink: CountSink<Element>(), cacheKey: nil, partitions: nil,
            properties: JobProperties()
        ).job
        var flags: [Bool] = []
        for node in job.lineage.nodes {
            for case .shuffle(let shuffle) in node.dependencies {
                flags.append(shuffle.map.isIndeterminate)
            }
        }
        return flags + [job.final.isIndeterminate]
    }

    private let numbers = serialContext().parallelize(Array(0..<20), 4)

    @Test func `rows of a source are dealt out the same way again`() throws {
        #expect(try stages(numbers.repartition(3)) == [false, false])
        #expect(try stages(numbers.sample(fraction: 0.5)) == [false])
    }

    @Test func `rows that came through a shuffle are not`() throws {
        let sums = numbers.map { ($0 % 5, $0) }.reduceByKey(numPartitions: 3, +)
        #expect(try stages(sums) == [false, false])
        #expect(try stages(sums.repartition(2)) == [false, true, true])
        #expect(try stages(sums.sample(fraction: 0.5)) == [false, true])
        #expect(
            try stages(sums.sample(fraction: 0.5).reduceByKey(numPartitions: 2, +))
                == [false, true, true])
    }

    @Test func `who reads an indeterminate dataset is indeterminate, by whatever way`() throws {
        let dealt = numbers.repartition(3).repartition(2)
        let other = numbers.map { $0 }
        #expect(try stages(dealt.union(other)) == [false, true, true])
        #expect(try stages(dealt.map { ($0, 1) }.reduceByKey(numPartitions: 2, +)).last == true)
        #expect(try stages(dealt.coalesce(1)).last == true)
    }

    @Test func `numbering shuffled rows looks at their order`() async throws {
        #expect(try stages(try await numbers.zipWithIndex()) == [false])
        #expect(try stages(try await numbers.repartition(3).zipWithIndex()) == [false, true])
    }
}
