import MillraceBase
import MillraceCore
import MillraceExecutor
import Synchronization

/// One dataset of a lineage, without its element type: the operator that computes it, what it
/// depends on, and, for sources, the bytes for each partition.
///
/// Immutable but for the cache of encoded plans, where its rows are kept (`persistence`), and its
/// past, which a checkpoint cuts off once. `JobPlanner` walks nodes and cuts at shuffles.
public final class RDDNode: Sendable {
    /// Writes the bytes that a task needs for a partition (`PlanInputs.input`).
    public typealias Input = @Sendable (Int, inout ByteWriter) throws -> Void

    public let id: RDDID
    /// The API call that made it, for the UI: "map", "textFile".
    public let name: String
    public let partitions: Int
    /// How the keys of the rows are placed, when known. Spark's `rdd.partitioner`.
    public let partitioner: AnyPartitioner?
    /// Whether a row's place among the others decides what becomes of it.
    let isOrderSensitive: Bool
    /// Whether its tasks run all at once and wait for each other (`barrier()`).
    let isBarrier: Bool
    /// Throws when rows of this dataset cannot be encoded where they have to be; asked when a job
    /// is submitted.
    public let check: (@Sendable () throws -> Void)?
    let plans = Mutex<[String: PlannedJobStage]>([:])
    let persistence = Mutex(RDDPersistence())
    let checkpoint = Mutex(RDDCheckpoint.none)
    private let origin: Mutex<RDDOrigin>
    private let runner: any JobRunner

    public init(
        context: MillraceContext, name: String, partitions: Int, op: any PlanOperator,
        dependencies: [RDDDependency] = [], partitioner: AnyPartitioner? = nil,
        input: Input? = nil, isOrderSensitive: Bool = false, isBarrier: Bool = false,
        check: (@Sendable () throws -> Void)? = nil
    ) {
        precondition(partitions >= 0)
        id = context.nextRDD()
        runner = context.runner
        self.name = name
        self.partitions = partitions
        self.partitioner = partitioner
        self.isOrderSensitive = isOrderSensitive
        self.isBarrier = isBarrier
        self.check = check
        origin = Mutex(RDDOrigin(op: op, dependencies: dependencies, input: input))
    }

    deinit { if persistence.withLock({ $0.isKept }) { runner.unpersist(id) {} } }

    public var dependencies: [RDDDependency] { origin.withLock { $0.dependencies } }
    /// Opened on executors; its children are `dependencies` in order. A shuffle dependency is no
    /// child: a node with one has exactly this dependency and its operator reads the shuffle.
    public var op: any PlanOperator { origin.withLock { $0.op } }
    /// Only of sources.
    public var input: Input? { origin.withLock { $0.input } }

    /// From now on the rows come from `origin`.
    func cutLineage(_ origin: RDDOrigin) { self.origin.withLock { $0 = origin } }
}

/// Where the rows of a node come from.
struct RDDOrigin: Sendable {
    var op: any PlanOperator
    var dependencies: [RDDDependency] = []
    var input: RDDNode.Input?
}

/// How partitions of a node come from partitions of its parent.
public enum RDDDependency: Sendable {
    /// Partition p from the parent's p.
    case oneToOne(RDDNode)
    /// Partitions `from ..< from + parent.partitions` from the parent's 0, 1, …; the others not at
    /// all (union).
    case range(RDDNode, from: Int)
    /// Partition p from the parent's `starts[p] ..< starts[p + 1]`, in this order (coalesce).
    case groups(RDDNode, starts: [Int])
    /// Each partition from all of the parent's.
    case shuffle(RDDShuffle)
}

/// A shuffle between two nodes: the parent's rows written by `sink` for `reducers` partitions.
public final class RDDShuffle: Sendable {
    public let id: ShuffleID
    public let parent: RDDNode
    public let sink: any PlanSink
    public let reducers: Int
    /// Whether a row's place among the others decides where it is written.
    let isOrderSensitive: Bool
    /// Throws when the rows cannot be encoded.
    public let check: @Sendable () throws -> Void
    let plan = Mutex<(StagePlan, PlannedJobStage)?>(nil)
    private let runner: any JobRunner

    public init(
        context: MillraceContext, parent: RDDNode, sink: any PlanSink, reducers: Int,
        isOrderSensitive: Bool = false, check: @escaping @Sendable () throws -> Void
    ) {
        id = context.nextShuffle()
        self.parent = parent
        self.sink = sink
        self.reducers = reducers
        self.isOrderSensitive = isOrderSensitive
        self.check = check
        runner = context.runner
    }

    deinit { runner.release(id) }
}

/// A stage of a node as it is kept between jobs.
struct PlannedJobStage: Sendable {
    var stage: PlannedStage
    /// Shuffles in the order of the plan's local numbers.
    var shuffles: [RDDShuffle]
    /// Nodes with per-partition bytes, by their number in the plan.
    var sources: [Source]
    /// Nodes whose rows are kept, in the order of the plan's local numbers.
    var persisted: [PersistedRDD]
    /// `MillraceContext.storageEpoch` when it was made: with another one it may be another plan.
    var epoch: Int

    struct Source: Sendable {
        var number: Int
        var node: ObjectIdentifier
    }
}
