import MillraceBase
import MillraceCore
import MillraceExecutor

/// A streaming query's stages, planned once: their plans' bytes and hashes, and where each batch's
/// inputs go.
///
/// A batch is then a job with fresh shuffle ids, its input bytes and its number. A stage is one
/// node of the lineage: its operators are narrow, so the scheduler need not see more.
struct StreamingPlan: Sendable {
    /// One stage, parents before children.
    private struct Stage: Sendable {
        var plan: PlannedStage
        var node: RDDID
        /// Its leaves: number in the plan, number of the source.
        var sources: [(number: Int, source: Int)] = []
        var stateful: [(number: Int, index: Int)] = []
        /// The stages whose output it reads, in the order of the plan's local numbers.
        var parents: [Int] = []
        /// Reduce partitions it writes for; nil for the last.
        var reducers: Int?
        var isIndeterminate = false
    }

    private let stages: [Stage]
    private let context: MillraceContext

    /// Throws `MillraceError.notSerializable` for a row type without a codec and a capture that
    /// cannot travel, and `invalidArgument` for an operation that a stream cannot have.
    init(
        _ node: RDDNode, sink: any PlanSink, stream: StreamLineage, context: MillraceContext
    ) throws {
        self.context = context
        var planner = Planner(stream: stream, context: context)
        _ = try planner.stage(node, sink: sink, reducers: nil)
        stages = planner.stages
    }

    /// The job of one batch. `inputs` has the tasks' bytes by source, `state` by stateful operator
    /// the bytes that all its tasks get.
    func request(
        inputs: [[[UInt8]]], state: [[UInt8]], preferred: [[ExecutorID]],
        properties: JobProperties
    ) -> (request: JobRequest, shuffles: [ShuffleID]) {
        let counts = inputs.map(\.count)
        var nodes: [LineageNode] = []
        var shuffles: [ShuffleID] = []
        var cores: [StagePlan] = []
        for (index, stage) in stages.enumerated() {
            let tasks = tasks(stage, counts)
            let core = StagePlan(
                plan: stage.plan.hash, inputShuffles: stage.parents.map { shuffles[$0] },
                inputs: taskInputs(stage, tasks, inputs, state),
                isIndeterminate: stage.isIndeterminate)
            let dependencies = stage.parents.map { parent in
                Dependency.shuffle(
                    ShuffleDependency(
                        shuffle: shuffles[parent], parent: stages[parent].node,
                        reducerCount: stages[parent].reducers ?? 0, map: cores[parent]))
            }
            let isLast = index == stages.count - 1
            nodes.append(
                LineageNode(
                    id: stage.node, partitionCount: tasks, dependencies: dependencies,
                    preferredExecutors: isLast && preferred.count == tasks ? preferred : [],
                    ownsState: true))
            cores.append(core)
            if !isLast { shuffles.append(context.nextShuffle()) }
        }
        let last = stages.count - 1
        let job = JobDescription(
            id: context.nextJob(), lineage: Lineage(nodes: nodes), finalRDD: stages[last].node,
            final: cores[last], properties: properties)
        return (JobRequest(job: job, plans: stages.map(\.plan)), shuffles)
    }

    private func tasks(_ stage: Stage, _ counts: [Int]) -> Int {
        if let parent = stage.parents.first { return stages[parent].reducers ?? 0 }
        return stage.sources.reduce(0) { $0 + counts[$1.source] }
    }

    private func taskInputs(
        _ stage: Stage, _ tasks: Int, _ inputs: [[[UInt8]]], _ state: [[UInt8]]
    ) -> TaskInputs {
        var packed = TaskInputs()
        if stage.sources.isEmpty && stage.stateful.isEmpty { return packed }
        var writer = TaskInputWriter()
        for task in 0..<tasks {
            for leaf in stage.sources {
                writer.append(node: leaf.number, partition: task) {
                    $0.writeRaw(inputs[leaf.source][task])
                }
            }
            for op in stage.stateful {
                writer.append(node: op.number, partition: task) { $0.writeRaw(state[op.index]) }
            }
            writer.endTask(into: &packed)
        }
        return packed
    }

    /// Walks the lineage and cuts it at shuffles.
    private struct Planner {
        let stream: StreamLineage
        let context: MillraceContext
        var stages: [Stage] = []

        mutating func stage(
            _ node: RDDNode, sink: any PlanSink, reducers: Int?
        ) throws -> Int {
            var stage = Stage(
                plan: PlannedStage(hash: PlanHash(high: 0, low: 0), bytes: []),
                node: context.nextRDD(), reducers: reducers)
            var nodes: [PlanTree.Node] = []
            _ = try add(node, to: &nodes, &stage)
            let bytes = try PlanTree(nodes: nodes, sink: sink).encode()
            stage.plan = PlannedStage(hash: PlanHash(of: bytes), bytes: bytes)
            stages.append(stage)
            return stages.count - 1
        }

        private mutating func add(
            _ node: RDDNode, to nodes: inout [PlanTree.Node], _ stage: inout Stage
        ) throws -> Int {
            try node.check?()
            var children: [Int] = []
            var shuffleInput: Int?
            for dependency in node.dependencies {
                switch dependency {
                case .oneToOne(let parent): children.append(try add(parent, to: &nodes, &stage))
                case .shuffle(let shuffle):
                    try shuffle.check()
                    shuffleInput = stage.parents.count
                    let map = try self.stage(
                        shuffle.parent, sink: shuffle.sink, reducers: shuffle.reducers)
                    let level = OutputDeterminism.of(shuffle.parent)
                    stages[map].isIndeterminate =
                        OutputDeterminism.written(to: shuffle, level) == .indeterminate
                    stage.parents.append(map)
                case .range, .groups:
                    throw MillraceError(
                        .invalidArgument, "\(node.name) is not supported on a streaming Dataset")
                }
            }
            let number = nodes.count
            nodes.append(try PlanTree.Node(node.op, children: children, shuffleInput: shuffleInput))
            if let source = stream.sources.firstIndex(where: { $0.node === node }) {
                stage.sources.append((number, source))
            } else if let index = stream.stateful.firstIndex(where: { $0.node === node }) {
                stage.stateful.append((number, index))
            } else if node.input != nil {
                throw MillraceError(
                    .invalidArgument, "\(node.name) is not supported on a streaming Dataset")
            }
            return number
        }
    }
}
