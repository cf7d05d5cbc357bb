import MillraceBase

/// The end of one attempt, as its executor reports it.
public struct TaskEnd: Sendable {
    public var task: TaskID
    public var reason: TaskEndReason
    /// It failed for want of something on its executor, such as room on a disk: it's tried on
    /// another one, if there is any.
    public var isExecutorAtFault = false
    /// Time in user code, without queueing. Feeds the prefetch depth.
    public var runTime: Duration
    public var recordsRead: Int
    public var recordsWritten: Int
    /// Named numbers that operators report (rows of a state store, …).
    public var metrics: [TaskMetric]
    /// What it added to accumulators; of a task that failed, only to those that count failures.
    public var accumulators: [AccumulatorUpdate]

    @inlinable public init(
        task: TaskID, reason: TaskEndReason, runTime: Duration = .zero, recordsRead: Int = 0,
        recordsWritten: Int = 0, metrics: [TaskMetric] = [],
        accumulators: [AccumulatorUpdate] = []
    ) {
        self.task = task
        self.reason = reason
        self.runTime = runTime
        self.recordsRead = recordsRead
        self.recordsWritten = recordsWritten
        self.metrics = metrics
        self.accumulators = accumulators
    }
}

/// Why an attempt ended.
public enum TaskEndReason: Hashable, Sendable {
    /// A result task's bytes, handed on in `Effect.taskResult`. A slice of those of its message.
    case result(ArraySlice<UInt8>)
    /// A map task's output: bytes for each reducer. Where it lies is known from who ran the task.
    case mapOutput(BlockSizes)
    /// Input blocks could not be read. Costs the stage an attempt, not the task a failure.
    case fetchFailed(FetchFailure)
    /// User code threw, or the task could not be started.
    case exception(message: String, trace: String)
    /// Ended because the driver asked.
    case killed(reason: String)
    /// The commit coordinator said no; another attempt commits this partition. Not a failure.
    case commitDenied
    /// The process that ran it is gone. Made by the core from `DriverEvent.executorLost`, never
    /// reported.
    case executorLost(ExecutorLoss)

    /// Whether `maxTaskFailures` counts it. Same rule as Spark's
    /// `TaskFailedReason.countTowardsTaskFailures`: fetch failures, kills, denied commits and
    /// executors lost through no fault of the program are free.
    public var countsTowardsTaskFailures: Bool {
        switch self {
        case .result, .mapOutput, .fetchFailed, .killed, .commitDenied: false
        case .exception: true
        case .executorLost(let loss): loss.causedByApp
        }
    }
}

/// Which block could not be read, from where, and by whom.
public struct FetchFailure: Hashable, Sendable {
    public var shuffle: ShuffleID
    /// `nil` when the executor didn't know any location for some map output (an incomplete table).
    public var mapIndex: Int?
    /// Who should have served it; `nil` when unknown.
    public var executor: ExecutorID?
    public var reduce: Int
    public var message: String

    public init(
        shuffle: ShuffleID, mapIndex: Int?, executor: ExecutorID?, reduce: Int, message: String
    ) {
        self.shuffle = shuffle
        self.mapIndex = mapIndex
        self.executor = executor
        self.reduce = reduce
        self.message = message
    }
}

/// Why an executor is gone.
public struct ExecutorLoss: Hashable, Sendable {
    public var reason: String
    /// Whether the program may be at fault (a crash, an unexplained exit, a heartbeat time-out), so
    /// that its running tasks count a failure. `false` when the driver dismissed it or the platform
    /// took it away. Spark: `ExecutorExited.exitCausedByApp`, `ExecutorProcessLost.causedByApp`.
    public var causedByApp: Bool
    /// Whether the driver itself asked it to go.
    public var isRequested: Bool

    public init(reason: String, causedByApp: Bool = true, isRequested: Bool = false) {
        self.reason = reason
        self.causedByApp = causedByApp
        self.isRequested = isRequested
    }
}

/// One named number of a task.
public struct TaskMetric: Hashable, Sendable {
    public var name: String
    public var value: Int64
    public init(name: String, value: Int64) {
        self.name = name
        self.value = value
    }
}
