import MillraceBase

/// What two batches of a query must have in common to run under one grant: stages, their plans,
/// their partitions, and what their tasks are told.
///
/// A job has a shape when it is one result per partition of stages that are one lineage node each,
/// with one reader each, in the order in which they are read, as a streaming query's are. Others go
/// the ordinary way. (`StageCut` counts its stages in that order; so a batch that is taken back
/// keeps its numbers.)
struct GrantShape: Hashable, Sendable {
    struct Stage: Hashable, Sendable {
        var node: RDDID
        var plan: PlanHash
        var taskCount: Int
        var reducerCount = 0
        var parents: [Int] = []
    }

    /// A batch of more tasks isn't a micro-batch, and its grant no small message.
    static let taskLimit = 4_096
    static let stageLimit = 16

    private(set) var stages: [Stage] = []
    private let localProperties: [LocalProperty]
    /// By stage but for the last, the shuffle that this batch writes. Not part of the shape.
    private(set) var shuffles: [ShuffleID] = []
    private var latestRead = -1

    /// Nil for a job without a shape.
    init?(_ job: JobDescription) {
        let nodes = job.lineage.nodes
        guard job.partitions == nil, nodes.count <= GrantShape.stageLimit,
            nodes.last?.id == job.finalRDD
        else { return nil }
        localProperties = job.properties.localProperties
        shuffles = [ShuffleID](repeating: ShuffleID(-1), count: nodes.count - 1)
        for node in nodes {
            guard node.partitionCount > 0, !node.isBarrier else { return nil }
            stages.append(
                Stage(node: node.id, plan: job.final.plan, taskCount: node.partitionCount))
        }
        guard taskCount <= GrantShape.taskLimit else { return nil }
        for place in nodes.indices where !addParents(place, job) { return nil }
        guard latestRead == stages.count - 2, Self.fits(job.final.inputs, stages.last) else {
            return nil
        }
    }

    var taskCount: Int { stages.reduce(0) { $0 + $1.taskCount } }

    static func == (left: GrantShape, right: GrantShape) -> Bool {
        left.stages == right.stages && left.localProperties == right.localProperties
    }
    func hash(into hasher: inout Hasher) { hasher.combine(stages) }

    private mutating func addParents(_ place: Int, _ job: JobDescription) -> Bool {
        let node = job.lineage.nodes[place]
        var read: [ShuffleID] = []
        for dependency in node.dependencies {
            guard case .shuffle(let shuffle) = dependency,
                let parent = stages[..<place].firstIndex(where: { $0.node == shuffle.parent }),
                parent == latestRead + 1, shuffle.reducerCount == node.partitionCount,
                Self.fits(shuffle.map.inputs, stages[parent])
            else { return false }
            latestRead = parent
            shuffles[parent] = shuffle.shuffle
            stages[parent].plan = shuffle.map.plan
            stages[parent].reducerCount = shuffle.reducerCount
            read.append(shuffle.shuffle)
        }
        let inputs = place == stages.count - 1 ? job.final.inputShuffles : mapInputs(place, job)
        guard inputs.count == read.count else { return false }
        for shuffle in inputs {
            guard read.contains(shuffle), let parent = shuffles.firstIndex(of: shuffle) else {
                return false
            }
            stages[place].parents.append(parent)
        }
        return true
    }

    /// What a map stage reads: its plan stands at its reader.
    private func mapInputs(_ place: Int, _ job: JobDescription) -> [ShuffleID] {
        GrantShape.mapPlan(of: stages[place].node, in: job)?.inputShuffles ?? []
    }

    private static func fits(_ inputs: TaskInputs, _ stage: Stage?) -> Bool {
        inputs.isEmpty || inputs.count == stage?.taskCount
    }

    static func mapPlan(of node: RDDID, in job: JobDescription) -> StagePlan? {
        for reader in job.lineage.nodes {
            for case .shuffle(let shuffle) in reader.dependencies where shuffle.parent == node {
                return shuffle.map
            }
        }
        return nil
    }

    /// The tasks' bytes as a grant counts tasks; empty when no stage has any.
    func inputs(of job: JobDescription) -> [[UInt8]] {
        var inputs: [[UInt8]] = []
        var areThereAny = false
        for (place, stage) in stages.enumerated() {
            let plan =
                place == stages.count - 1
                ? job.final : GrantShape.mapPlan(of: stage.node, in: job) ?? job.final
            if plan.inputs.isEmpty {
                for _ in 0..<stage.taskCount { inputs.append([]) }
            } else {
                areThereAny = true
                inputs += (0..<plan.inputs.count).map { Array(plan.inputs[$0]) }
            }
        }
        return areThereAny ? inputs : []
    }
}
