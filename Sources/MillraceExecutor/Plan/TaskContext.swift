import MillraceBase
import MillraceCore

/// What a running task knows of itself, and its way to shuffles, cancellation and metrics. One per
/// attempt, used by the task's thread only; it may be killed from any thread.
public final class TaskContext: @unchecked Sendable {
    /// Partition of the stage.
    public let partition: Int
    /// 0 for the first attempt.
    public let attempt: Int
    public let taskID: TaskID
    public let stage: StageID
    /// Attempt of the stage; with `stage` it fences commits of an older one.
    public let stageAttempt: Int
    public let job: JobID
    /// Of a streaming query.
    public let batch: BatchID?
    public let query: String
    /// Per-partition bytes for the plan's operators.
    public let input: TaskInput
    public let shuffle: any ShuffleEnvironment
    /// To be asked before anything that grows with the data is allocated.
    public let memory: TaskMemory
    /// Where persisted datasets are kept; nil: nowhere.
    public let blocks: TaskBlocks?
    /// Filled by operators; read by the runtime when the task has ended.
    public var metrics = TaskMetrics()
    let interruption = TaskInterruption()
    let accumulators = TaskAccumulators()
    /// Reports what `accumulators` have so far. On the task's thread.
    var tellAccumulators: () -> Void = {}
    /// In a barrier stage, the way to its other tasks.
    var barrier: TaskBarrier?
    /// Throws `CommitDenied`. Without a driver nobody else commits.
    var askToCommit: () throws -> Void = {}
    /// See `localProperty`.
    let localProperties: [LocalProperty]

    public init(
        partition: Int, attempt: Int = 0, taskID: TaskID = TaskID(0), stage: StageID = StageID(0),
        stageAttempt: Int = 0, job: JobID = JobID(0), batch: BatchID? = nil, query: String = "",
        input: TaskInput = TaskInput(), shuffle: any ShuffleEnvironment,
        memory: TaskMemory = .unlimited(), blocks: TaskBlocks? = nil,
        localProperties: [LocalProperty] = []
    ) {
        self.partition = partition
        self.attempt = attempt
        self.taskID = taskID
        self.stage = stage
        self.stageAttempt = stageAttempt
        self.job = job
        self.batch = batch
        self.query = query
        self.input = input
        self.shuffle = shuffle
        self.memory = memory
        self.blocks = blocks
        self.localProperties = localProperties
    }
}

/// Numbers of one task. Counted per chunk.
public struct TaskMetrics: Sendable {
    /// Rows of sources and shuffles.
    public var recordsRead = 0
    public var bytesRead = 0
    /// Rows given to a shuffle or a file.
    public var recordsWritten = 0
    public var bytesWritten = 0
    /// Named numbers that an operator reports to the driver, such as the rows of a state store.
    public var named: [(name: String, value: Int64)] = []
    public init() {}
}
