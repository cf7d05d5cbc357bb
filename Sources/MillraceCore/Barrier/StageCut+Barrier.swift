import MillraceBase

/// Which stages are barrier stages, and what may not stand in one.
///
/// A stage is one when an RDD in it is made by `barrier()`. Then all its tasks run at once, one for
/// each partition of every RDD in it; what would leave some of them out, or bring others in, is
/// refused. Same rules as Spark's `checkBarrierStageWithRDDChainPattern` (SPARK-24820,
/// SPARK-24821).
extension StageCut {
    /// By node, whether its partitions are computed by barrier tasks; empty when none are.
    static func barrierNodes(_ nodes: [LineageNode], _ position: (RDDID) -> Int?) -> [Bool] {
        guard nodes.contains(where: \.isBarrier) else { return [] }
        var isBarrier = nodes.map(\.isBarrier)
        for (place, node) in nodes.enumerated() {
            for case .narrow(let parent) in node.dependencies {
                if let above = position(parent), isBarrier[above] { isBarrier[place] = true }
            }
        }
        return isBarrier
    }

    /// Looks at every node of a barrier stage that ends with this one and has so many tasks.
    func checkBarrierStage(
        endingAt final: Int, tasks: Int, _ name: String
    ) throws(JobFailure) {
        var isSeen = [Bool](repeating: false, count: nodes.count)
        var stack = [final]
        isSeen[final] = true
        while let place = stack.popLast() {
            let node = nodes[place]
            guard node.partitionCount == tasks else {
                throw .invalid(
                    message: """
                        \(name) is a barrier stage of \(tasks) tasks, and \(node.id) in it has \
                        \(node.partitionCount) partitions; union, coalesce, first and take don't \
                        go with barrier(): collect() instead of take(), or a shuffle between them \
                        (SPARK-24820)
                        """)
            }
            var barrierParents = 0
            for case .narrow(let parent) in node.dependencies {
                let above = at(.narrow(parent))
                if barriers[above] { barrierParents += 1 }
                if !isSeen[above] {
                    isSeen[above] = true
                    stack.append(above)
                }
            }
            guard barrierParents <= 1 else {
                throw .invalid(
                    message: """
                        \(node.id) in \(name) depends on \(barrierParents) RDDs made by barrier(); \
                        put a shuffle between them (SPARK-24821)
                        """)
            }
        }
    }

    /// Tasks of the largest barrier stage that isn't complete already; 0 when there is none.
    func barrierTasks(_ outputs: MapOutputTracker) -> Int {
        guard !barriers.isEmpty else { return 0 }
        var most = 0
        for draft in drafts where draft.plan.isBarrier {
            if let output = draft.output, outputs.isComplete(output.shuffle) { continue }
            most = max(most, draft.partitionCount)
        }
        return most
    }
}
