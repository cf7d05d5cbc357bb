import MillraceBase

/// One decision for many micro-batches: which executor runs which partition of which stage. Made by
/// the `GrantScheduler`, kept by the executors, which then need a word per batch only
/// (`GrantedBatch`).
public struct Grant: Hashable, Sendable {
    public var id: GrantID
    /// Batches that it's good for; it may be taken back before.
    public var batches: Int
    /// The query's durable name; reaches the tasks.
    public var query: String?
    /// What the program wants its tasks to know.
    public var localProperties: [LocalProperty]
    /// Parents before children; the last one is the result stage.
    public var stages: [GrantedStage]

    public init(
        id: GrantID, batches: Int, query: String?, stages: [GrantedStage],
        localProperties: [LocalProperty] = []
    ) {
        self.id = id
        self.batches = batches
        self.query = query
        self.localProperties = localProperties
        self.stages = stages
    }

    /// Tasks of one batch. They are counted stage by stage, and by partition within a stage.
    public var taskCount: Int { stages.reduce(0) { $0 + $1.executors.count } }

    /// Everybody who runs something, ascending.
    public var executors: [ExecutorID] {
        var found: [ExecutorID] = []
        for stage in stages { found += stage.executors }
        found.sort()
        var unique: [ExecutorID] = []
        for executor in found where unique.last != executor { unique.append(executor) }
        return unique
    }
}

/// One stage of a grant.
public struct GrantedStage: Hashable, Sendable {
    public var plan: PlanHash
    /// The stages whose output it reads, in the order in which the plan counts its shuffle inputs.
    public var parents: [Int]
    /// Blocks per map output; 0 for the last stage.
    public var reducerCount: Int
    /// By partition, who runs it.
    public var executors: [ExecutorID]

    public init(plan: PlanHash, parents: [Int], reducerCount: Int, executors: [ExecutorID]) {
        self.plan = plan
        self.parents = parents
        self.reducerCount = reducerCount
        self.executors = executors
    }
}

/// One batch under a grant: what differs from the batch before.
public struct GrantedBatch: Hashable, Sendable {
    public var grant: GrantID
    public var job: JobID
    public var batch: BatchID?
    /// Of the grant's first stage and task; the others are counted from there, as `Grant` counts
    /// them. Nobody else has these numbers, so a report that comes late fits no other batch.
    public var firstStage: StageID
    public var firstTask: TaskID
    /// By stage but for the last, what it writes.
    public var shuffles: [ShuffleID]
    /// By task. Of a message to one executor: of its own tasks, in their order. Empty when no task
    /// has any.
    public var inputs: [[UInt8]]

    public init(
        grant: GrantID, job: JobID, batch: BatchID?, firstStage: StageID, firstTask: TaskID,
        shuffles: [ShuffleID], inputs: [[UInt8]]
    ) {
        self.grant = grant
        self.job = job
        self.batch = batch
        self.firstStage = firstStage
        self.firstTask = firstTask
        self.shuffles = shuffles
        self.inputs = inputs
    }

    /// As one executor gets it.
    public func share(of executor: ExecutorID, under grant: Grant) -> GrantedBatch {
        guard !inputs.isEmpty else { return self }
        var share = self
        share.inputs = []
        var task = 0
        for stage in grant.stages {
            for owner in stage.executors {
                if owner == executor { share.inputs.append(inputs[task]) }
                task += 1
            }
        }
        return share
    }
}
