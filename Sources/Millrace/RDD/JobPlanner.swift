import MillraceBase
import MillraceCore
import MillraceExecutor
import Synchronization

/// From lineage nodes to a `JobRequest`: cuts at shuffles, encodes a plan for each stage, collects
/// each task's input.
///
/// Whatever doesn't change between two jobs over the same node is kept with the node
/// (`RDDNode.plans`) or the shuffle.
struct JobPlanner {
    let context: MillraceContext

    /// A job that runs `sink` over `partitions` of `node` (nil: all). A sink with a `cacheKey` is
    /// the same for each job over this node, so that its plan is encoded once. Throws
    /// `MillraceError.notSerializable` for a row type without a codec and a capture that cannot
    /// travel.
    func request(
        _ node: RDDNode, sink: any PlanSink, cacheKey: String?, partitions: [Int]?,
        properties: JobProperties
    ) throws -> JobRequest {
        let stage: PlannedJobStage
        let epoch = context.storageEpoch
        if let cacheKey, let kept = node.plans.withLock({ $0[cacheKey] }), kept.epoch == epoch {
            stage = kept
        } else {
            stage = try plan(node, sink: sink)
            if let cacheKey { node.plans.withLock { $0[cacheKey] = stage } }
        }
        var lineage = LineageBuilder(planner: self)
        try lineage.add(node)
        lineage.plans.append(stage.stage)
        let job = JobDescription(
            id: context.nextJob(), lineage: Lineage(nodes: lineage.nodes), finalRDD: node.id,
            partitions: partitions,
            final: MillraceCore.StagePlan(
                plan: stage.stage.hash, inputShuffles: stage.shuffles.map(\.id),
                inputs: try inputs(stage, of: node, partitions: partitions),
                persisted: stage.persisted, isIndeterminate: lineage.level(node) == .indeterminate),
            properties: properties)
        return JobRequest(job: job, plans: lineage.plans)
    }

    /// The plan of the stage that ends with `sink` over `node`.
    private func plan(_ node: RDDNode, sink: any PlanSink) throws -> PlannedJobStage {
        var builder = StageBuilder()
        let epoch = context.storageEpoch
        try builder.add(node)
        let bytes = try PlanTree(nodes: builder.nodes, sink: sink).encode()
        return PlannedJobStage(
            stage: PlannedStage(hash: PlanHash(of: bytes), bytes: bytes),
            shuffles: builder.shuffles, sources: builder.sources, persisted: builder.persisted,
            epoch: epoch)
    }

    /// The map stage of a shuffle with its inputs, made once.
    fileprivate func mapStage(_ shuffle: RDDShuffle) throws -> (
        MillraceCore.StagePlan, PlannedJobStage
    ) {
        if let kept = shuffle.plan.withLock({ $0 }), kept.1.epoch == context.storageEpoch {
            return kept
        }
        try shuffle.check()
        let stage = try plan(shuffle.parent, sink: shuffle.sink)
        let core = MillraceCore.StagePlan(
            plan: stage.stage.hash, inputShuffles: stage.shuffles.map(\.id),
            inputs: try inputs(stage, of: shuffle.parent, partitions: nil),
            persisted: stage.persisted)
        shuffle.plan.withLock { $0 = (core, stage) }
        return (core, stage)
    }

    /// `TaskInput` bytes by partition; only those of `partitions` are made.
    private func inputs(
        _ stage: PlannedJobStage, of node: RDDNode, partitions: [Int]?
    ) throws -> TaskInputs {
        if stage.sources.isEmpty { return [] }
        var inputs = TaskInputs()
        inputs.reserveCapacity(node.partitions)
        let wanted = partitions.map(Set.init)
        var collector = InputCollector(sources: stage.sources)
        for partition in 0..<node.partitions {
            if wanted?.contains(partition) ?? true { try collector.collect(node, partition) }
            collector.writer.endTask(into: &inputs)
        }
        return inputs
    }
}

/// The bytes of one task after the other, from the sources of its stage.
private struct InputCollector {
    let sources: [PlannedJobStage.Source]
    /// By source, once it was met: to ask a node costs an allocation. A struct of its own, because
    /// an array of closures wraps each that is taken out.
    private struct Known {
        var input: RDDNode.Input?
    }
    private var known: [Known]
    var writer = TaskInputWriter()

    init(sources: [PlannedJobStage.Source]) {
        self.sources = sources
        known = Array(repeating: Known(), count: sources.count)
    }

    /// Finds the source partitions that `partition` of `node` is computed from, within its stage.
    mutating func collect(_ node: RDDNode, _ partition: Int) throws {
        if let place = sources.firstIndex(where: { $0.node == ObjectIdentifier(node) }) {
            if known[place].input == nil { known[place].input = node.input }
            let number = sources[place].number
            if let input = known[place].input, !writer.contains(node: number, partition: partition)
            {
                try writer.append(node: number, partition: partition) { try input(partition, &$0) }
            }
        }
        for dependency in node.dependencies {
            switch dependency {
            case .oneToOne(let parent): try collect(parent, partition)
            case .range(let parent, let from):
                if partition >= from, partition < from + parent.partitions {
                    try collect(parent, partition - from)
                }
            case .groups(let parent, let starts):
                for part in starts[partition]..<starts[partition + 1] {
                    try collect(parent, part)
                }
            case .shuffle: break
            }
        }
    }
}

/// Numbers the nodes of one stage, children before parents.
private struct StageBuilder {
    var nodes: [PlanTree.Node] = []
    var shuffles: [RDDShuffle] = []
    var sources: [PlannedJobStage.Source] = []
    var persisted: [PersistedRDD] = []
    private var numbers: [ObjectIdentifier: Int] = [:]

    @discardableResult mutating func add(_ node: RDDNode) throws -> Int {
        if let number = numbers[ObjectIdentifier(node)] { return number }
        try node.check?()
        var children: [Int] = []
        var shuffleInput: Int?
        for dependency in node.dependencies {
            switch dependency {
            case .oneToOne(let parent), .range(let parent, _), .groups(let parent, _):
                children.append(try add(parent))
            case .shuffle(let shuffle):
                precondition(node.dependencies.count == 1, "a node reads a shuffle or has children")
                shuffleInput = shuffles.count
                shuffles.append(shuffle)
            }
        }
        let number = nodes.count
        nodes.append(try PlanTree.Node(node.op, children: children, shuffleInput: shuffleInput))
        if node.input != nil {
            sources.append(.init(number: number, node: ObjectIdentifier(node)))
        }
        let top = try addPersistence(of: node, over: number)
        numbers[ObjectIdentifier(node)] = top
        return top
    }
}

extension StageBuilder {
    /// Puts the operator on top that keeps the node's rows, if they are to be kept. Returns the
    /// number of the topmost operator.
    private mutating func addPersistence(of node: RDDNode, over number: Int) throws -> Int {
        let persistence = node.persistence.withLock { $0 }
        guard let (level, rows) = try persistence.kept() else { return number }
        nodes.append(try PlanTree.Node(rows(persisted.count), children: [number]))
        persisted.append(PersistedRDD(rdd: node.id, level: level))
        return nodes.count - 1
    }
}

/// The scheduler's view of all nodes behind a final one, parents first, and the plans of all map
/// stages.
private struct LineageBuilder {
    let planner: JobPlanner
    var nodes: [LineageNode] = []
    var plans: [PlannedStage] = []
    private var seen: Set<RDDID> = []
    private var levels: [RDDID: OutputDeterminism] = [:]

    init(planner: JobPlanner) { self.planner = planner }

    /// Of a node that was added.
    func level(_ node: RDDNode) -> OutputDeterminism { levels[node.id] ?? .determinate }

    mutating func add(_ node: RDDNode) throws {
        guard seen.insert(node.id).inserted else { return }
        var dependencies: [Dependency] = []
        for dependency in node.dependencies {
            switch dependency {
            case .oneToOne(let parent), .range(let parent, _), .groups(let parent, _):
                try add(parent)
                dependencies.append(.narrow(parent.id))
            case .shuffle(let shuffle):
                try add(shuffle.parent)
                var (core, stage) = try planner.mapStage(shuffle)
                core.isIndeterminate =
                    OutputDeterminism.written(to: shuffle, level(shuffle.parent)) == .indeterminate
                plans.append(stage.stage)
                dependencies.append(
                    .shuffle(
                        ShuffleDependency(
                            shuffle: shuffle.id, parent: shuffle.parent.id,
                            reducerCount: shuffle.reducers, map: core)))
            }
        }
        levels[node.id] = OutputDeterminism(of: node) { level($0) }
        nodes.append(
            LineageNode(
                id: node.id, partitionCount: node.partitions, dependencies: dependencies,
                storageLevel: node.persistence.withLock { $0.level },
                isBarrier: node.isBarrier))
    }
}
