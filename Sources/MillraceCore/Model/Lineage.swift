import MillraceBase

/// What a dataset is computed from, as the scheduler sees it: RDD nodes and their dependencies, no
/// code.
///
/// Written by the API layer when an action runs, read once by the `DAGScheduler`, which cuts it at
/// its shuffles.
public struct Lineage: Sendable {
    /// Parents before children. A node that the job's final RDD doesn't reach is ignored.
    public var nodes: [LineageNode]

    public init(nodes: [LineageNode]) { self.nodes = nodes }
}

/// One RDD of a lineage.
public struct LineageNode: Sendable {
    public var id: RDDID
    public var partitionCount: Int
    public var dependencies: [Dependency]
    public var preferred: PreferredLocations
    /// Set when its rows are kept: where they are kept already, that is where its partitions are
    /// best computed, and what they were computed from is not needed.
    public var storageLevel: StorageLevel?
    /// Made by `barrier()`: the tasks of its stage need each other.
    public var isBarrier: Bool

    public init(
        id: RDDID, partitionCount: Int, dependencies: [Dependency] = [],
        preferredExecutors: [[ExecutorID]] = [], preferredHosts: [[String]] = [],
        ownsState: Bool = false, storageLevel: StorageLevel? = nil, isBarrier: Bool = false
    ) {
        self.id = id
        self.partitionCount = partitionCount
        self.dependencies = dependencies
        preferred = PreferredLocations(
            executors: preferredExecutors, hosts: preferredHosts, ownsState: ownsState)
        self.storageLevel = storageLevel
        self.isBarrier = isBarrier
    }
}

/// How an RDD depends on another one.
public enum Dependency: Sendable {
    /// Computed in the same task as the child.
    case narrow(RDDID)
    /// Computed by an earlier stage; the stage boundary.
    case shuffle(ShuffleDependency)

    public var parent: RDDID {
        switch self {
        case .narrow(let parent): parent
        case .shuffle(let dependency): dependency.parent
        }
    }
}

/// A stage boundary: the map stage computes `parent` and writes `reducerCount` blocks per map task.
public struct ShuffleDependency: Sendable {
    /// Two dependencies with the same id are the same shuffle: its map stage runs once, over all
    /// jobs, until `DriverEvent.shuffleReleased`.
    public var shuffle: ShuffleID
    public var parent: RDDID
    public var reducerCount: Int
    /// The plan of the map stage.
    public var map: StagePlan

    public init(shuffle: ShuffleID, parent: RDDID, reducerCount: Int, map: StagePlan) {
        self.shuffle = shuffle
        self.parent = parent
        self.reducerCount = reducerCount
        self.map = map
    }
}

/// What the tasks of one stage run. The plan's bytes are the shell's; the core knows them by hash.
public struct StagePlan: Sendable {
    public var plan: PlanHash
    /// In the order in which the plan counts its shuffle inputs.
    public var inputShuffles: [ShuffleID]
    /// Opaque bytes for each task, by partition of the stage's RDD; empty when the plan needs none.
    public var inputs: TaskInputs
    /// Whether the tasks need each other: they are launched together or not at all, and when one
    /// fails all are tried again. Spark's barrier execution mode. Set by `StageCut`, which knows
    /// what the stage is made of.
    var isBarrier = false
    /// Datasets that are kept, in the order in which the plan counts them.
    public var persisted: [PersistedRDD]
    /// Whether a task that is run again may give other rows, or the same to other partitions,
    /// though its input holds the same rows. What is computed from such an output can't be relied
    /// on either; the scheduler sees to that. Spark: `DeterministicLevel.INDETERMINATE`.
    public var isIndeterminate: Bool

    public init(
        plan: PlanHash, inputShuffles: [ShuffleID] = [], inputs: TaskInputs = [],
        persisted: [PersistedRDD] = [], isIndeterminate: Bool = false
    ) {
        self.plan = plan
        self.inputShuffles = inputShuffles
        self.inputs = inputs
        self.persisted = persisted
        self.isIndeterminate = isIndeterminate
    }
}
