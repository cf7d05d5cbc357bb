import MillraceBase
import MillraceCore

/// Jobs of the shapes that tests need.
enum Jobs {
    /// Stages in a row: `counts` are their task counts, the last one is the final stage; a shuffle
    /// between each two. The final stage reads the shuffles after the stages `also` too.
    static func chain(
        _ id: Int, _ counts: [Int], shuffles: [Int] = [], partitions: [Int]? = nil,
        preferred: [Int] = [], hosts: [String] = [], ownsState: Bool = false,
        persisted: [Int] = [], copies: Int = 1,
        properties: JobProperties = JobProperties(), hasInputs: Bool = false,
        indeterminate: [Int] = [], barrier: [Int] = [], also: [Int] = []
    ) -> JobDescription {
        var nodes: [LineageNode] = []
        for (place, count) in counts.enumerated() {
            let isFinal = place == counts.count - 1
            let parents = (place > 0 ? [place - 1] : []) + (isFinal ? also : [])
            let dependencies = parents.map { parent in
                var map = plan(parent, counts, shuffles, hasInputs)
                map.isIndeterminate = indeterminate.contains(parent)
                return Dependency.shuffle(
                    ShuffleDependency(
                        shuffle: ShuffleID(shuffles[parent]), parent: RDDID(parent),
                        reducerCount: counts[parent + 1], map: map))
            }
            nodes.append(
                LineageNode(
                    id: RDDID(place), partitionCount: count, dependencies: dependencies,
                    preferredExecutors: isFinal
                        ? preferred.map { $0 < 0 ? [] : [ExecutorID($0)] } : [],
                    preferredHosts: isFinal ? hosts.map { $0 == "-" ? [] : [$0] } : [],
                    ownsState: ownsState,
                    storageLevel: persisted.contains(place)
                        ? .memoryOnly.replicated(copies) : nil,
                    isBarrier: barrier.contains(place)))
        }
        return JobDescription(
            id: JobID(id), lineage: Lineage(nodes: nodes), finalRDD: RDDID(counts.count - 1),
            partitions: partitions, final: plan(counts.count - 1, counts, shuffles, hasInputs),
            properties: properties)
    }

    /// Two map stages read by one final stage.
    static func join(_ id: Int, _ left: Int, _ right: Int, _ final: Int, shuffles: [Int])
        -> JobDescription
    {
        let sides = [left, right].enumerated().map { side, count in
            ShuffleDependency(
                shuffle: ShuffleID(shuffles[side]), parent: RDDID(side), reducerCount: final,
                map: StagePlan(plan: PlanHash(high: 1, low: UInt64(side))))
        }
        let nodes = [
            LineageNode(id: RDDID(0), partitionCount: left),
            LineageNode(id: RDDID(1), partitionCount: right),
            LineageNode(
                id: RDDID(2), partitionCount: final, dependencies: sides.map { .shuffle($0) }),
            LineageNode(
                id: RDDID(3), partitionCount: final, dependencies: [.narrow(RDDID(2))]),
        ]
        return JobDescription(
            id: JobID(id), lineage: Lineage(nodes: nodes), finalRDD: RDDID(3),
            final: StagePlan(
                plan: PlanHash(high: 1, low: 2), inputShuffles: shuffles.map { ShuffleID($0) }))
    }

    /// One stage of an RDD computed from others in the same tasks.
    static func narrow(
        _ id: Int, _ parents: [Int], count: Int, barrier: [Int]
    ) -> JobDescription {
        var nodes = parents.enumerated().map { place, count in
            LineageNode(
                id: RDDID(place), partitionCount: count, isBarrier: barrier.contains(place))
        }
        let final = RDDID(parents.count)
        nodes.append(
            LineageNode(
                id: final, partitionCount: count, dependencies: nodes.map { .narrow($0.id) }))
        return JobDescription(
            id: JobID(id), lineage: Lineage(nodes: nodes), finalRDD: final,
            final: StagePlan(plan: PlanHash(high: 2, low: 0)))
    }

    private static func plan(
        _ place: Int, _ counts: [Int], _ shuffles: [Int], _ hasInputs: Bool
    ) -> StagePlan {
        StagePlan(
            plan: PlanHash(high: 0, low: UInt64(place)),
            inputShuffles: place > 0 ? [ShuffleID(shuffles[place - 1])] : [],
            inputs: TaskInputs(
                hasInputs ? (0..<counts[place]).map { [UInt8(truncatingIfNeeded: $0)] } : []))
    }
}
