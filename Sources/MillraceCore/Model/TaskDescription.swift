import MillraceBase

/// One attempt of one task, as an executor needs it: everything else is resident there under
/// (stage, attempt).
public struct TaskDescription: Hashable, Sendable {
    public var id: TaskID
    public var stage: StageID
    public var stageAttempt: Int
    /// Partition of the stage's RDD. For a map stage also the map index of its output.
    public var partition: Int
    /// Counts from 0 within one stage attempt.
    public var attempt: Int
    /// From `StagePlan.inputs`, empty when the plan has none.
    public var input: ArraySlice<UInt8>

    @inlinable public init(
        id: TaskID, stage: StageID, stageAttempt: Int, partition: Int, attempt: Int,
        input: ArraySlice<UInt8>
    ) {
        self.id = id
        self.stage = stage
        self.stageAttempt = stageAttempt
        self.partition = partition
        self.attempt = attempt
        self.input = input
    }
}

/// Binds a resident plan to one attempt of one stage. The shell sends it to an executor before that
/// attempt's first launch there, and looks it up with `DriverCore.setup(of:attempt:)`.
public struct StageSetup: Hashable, Sendable {
    public var stage: StageID
    public var attempt: Int
    public var plan: PlanHash
    /// In the order of the plan. The executor needs their map outputs before the tasks run.
    public var inputShuffles: [ShuffleID]
    /// Set for a map stage.
    public var outputShuffle: ShuffleID?
    /// Blocks per map output; 0 for a result stage.
    public var reducerCount: Int
    public var job: JobID
    public var query: String?
    public var batch: BatchID?
    /// In the order of the plan: datasets whose rows the tasks keep, or read where they are kept.
    public var persisted: [PersistedRDD]
    public var localProperties: [LocalProperty]
    /// Of a barrier stage, where the task of each partition runs; else empty.
    public var barrierExecutors: [ExecutorID]
    /// Of a map stage whose outputs are to be pushed.
    public var merge: MergePlan?

    public init(
        stage: StageID, attempt: Int, plan: PlanHash, inputShuffles: [ShuffleID],
        outputShuffle: ShuffleID?, reducerCount: Int, job: JobID, query: String?, batch: BatchID?,
        persisted: [PersistedRDD] = [], localProperties: [LocalProperty] = [],
        barrierExecutors: [ExecutorID] = [], merge: MergePlan? = nil
    ) {
        self.stage = stage
        self.attempt = attempt
        self.plan = plan
        self.inputShuffles = inputShuffles
        self.outputShuffle = outputShuffle
        self.reducerCount = reducerCount
        self.job = job
        self.query = query
        self.batch = batch
        self.persisted = persisted
        self.localProperties = localProperties
        self.barrierExecutors = barrierExecutors
        self.merge = merge
    }
}
