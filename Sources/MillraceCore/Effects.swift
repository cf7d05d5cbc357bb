import MillraceBase

/// What the shell must do, in order.
public enum Effect: Sendable {
    /// Send these tasks (a range of `Effects.launches`) to the executor, after the setups of their
    /// stages and the map outputs their stages read. At most one for each executor and event.
    case launch(ExecutorID, Range<Int>)
    /// Send the grant to its executors, after the plans that it names.
    case grant(Grant)
    /// Send to each executor of the batch's grant its share of the batch. The grant is one that
    /// `grant` brought and `endGrant` or `revokeGrant` didn't end.
    case runBatch(GrantedBatch)
    /// The executors may forget the grant; nothing of it runs.
    case endGrant(GrantID, [ExecutorID])
    /// The executors are to end what runs, waits or is parked of the grant. Each task's end is
    /// reported.
    case revokeGrant(GrantID, [ExecutorID])
    /// Tell an executor where map outputs are that its parked tasks wait for.
    case tellMapOutputs(ExecutorID, [MapOutputs])
    /// Ask the executor to end a task. Its slot is free when its end is reported.
    case kill(ExecutorID, TaskID, reason: String)
    /// A partition's result. `index` counts in `JobDescription.partitions`; each index comes
    /// exactly once.
    case taskResult(JobID, index: Int, bytes: ArraySlice<UInt8>)
    /// Named numbers of an accepted task; exactly once for each partition of a stage, unless its
    /// output was lost.
    case taskMetrics(JobID, StageID, partition: Int, on: ExecutorID, [TaskMetric])
    /// What is to be counted, replaced or summed up in the `AccumulatorTable`.
    case accumulators(AccumulatorChange)
    case jobSucceeded(JobID)
    case jobFailed(JobID, JobFailure)
    /// An attempt of a stage got its first task set; `tasks` of the stage's partitions are
    /// computed.
    case stageStarted(JobID, StageID, attempt: Int, tasks: Int)
    /// A stage is over and none of its tasks is launched again under this id: executors may drop
    /// its setups.
    case stageEnded(StageSummary)
    /// What tasks of a job have taken together that ran under a grant; those of stages are in their
    /// summaries.
    case grantedRunTime(JobID, Duration)
    /// The outputs of a shuffle are forgotten; executors remove its blocks and their copy of its
    /// map outputs.
    case removeShuffle(ShuffleID)
    /// Nobody asks for the kept blocks of a dataset any more; executors remove them.
    case removeRDD(RDDID)
    /// The executor is to fetch these pieces of a broadcast.
    case fetchPieces(BroadcastID, [BroadcastSource], to: ExecutorID)
    /// An executor wants a broadcast that was destroyed.
    case broadcastGone(BroadcastID, to: ExecutorID)
    /// Executors forget a broadcast's value and pieces.
    case removeBroadcast(BroadcastID)
    /// The executor is to fetch a kept block from another one and keep it too.
    case copyBlock(BlockCopy, to: ExecutorID)
    /// The core gave an executor up (heartbeat time-out): end its connection and, where possible,
    /// its process.
    case dismissExecutor(ExecutorID, ExecutorLoss)
    /// The executor will go: it should move its blocks away, and start nothing new. Comes once for
    /// each `DriverEvent.executorDecommissioned`, whoever sent that.
    case decommissionExecutor(ExecutorID, reason: String)
    /// No task is left on a decommissioned executor: as far as the scheduler is concerned it may
    /// end now.
    case executorDrained(ExecutorID)
    /// The core has let go of the executor: ask it to end, and don't be surprised when it does.
    case releaseExecutor(ExecutorID, reason: String)
    /// Let `OutputMove.to` fetch a map output from an executor that leaves, and keep it. Answered
    /// with `DriverEvent.outputMoved`.
    case moveOutput(OutputMove)
    /// Ask the shuffle services of these hosts, one for each merger of the plan, what they have
    /// merged of the shuffle, and that they merge no more. Answered with a
    /// `DriverEvent.mergeFinalized` for each.
    case finalizeMerge(ShuffleID, MergePlan, hosts: [String])
    /// There should be so many executors from now on. Answered with
    /// `DriverEvent.executorRequestAnswered`.
    case requestExecutors(total: Int)
    case commitDecided(ExecutorID, TaskID, granted: Bool)
    /// Tasks there that wait for the others of their barrier stage go on, or are to fail.
    case barrierDecided(ExecutorID, BarrierDecision)
    /// Send `DriverEvent.timerFired` at this instant. Replaces an earlier request.
    case armTimer(Instant)
    /// Something a person may want to know.
    case notice(Notice)
}

/// The buffer a shell hands to `DriverCore.handle`, performs, empties and hands in again: no
/// allocation in the long run.
public struct Effects: Sendable {
    public var list: [Effect] = []
    /// The tasks of all `.launch` effects.
    public var launches: [TaskDescription] = []

    public init() {}

    @inlinable public var isEmpty: Bool { list.isEmpty }
    @inlinable public mutating func append(_ effect: Effect) { list.append(effect) }
    /// Keeps the storage.
    @inlinable public mutating func removeAll() {
        list.removeAll(keepingCapacity: true)
        launches.removeAll(keepingCapacity: true)
    }
}

/// How a stage went, over all its attempts.
public struct StageSummary: Hashable, Sendable {
    public var stage: StageID
    /// The job for which it was created.
    public var job: JobID
    public var attempts: Int
    /// Accepted tasks, and the sums over them.
    public var tasks: Int
    public var recordsRead: Int
    public var recordsWritten: Int
    public var runTime: Duration
    public var longestTask: Duration
    /// `false` when it was given up, or not needed any more.
    public var succeeded: Bool
}

/// A line for the log, as a value.
public enum Notice: Hashable, Sendable, CustomStringConvertible {
    case executorRegistered(ExecutorID, host: String, cores: Int)
    /// Its id is or was in use, or it has no cores. It gets no tasks.
    case executorRefused(ExecutorID, cores: Int)
    case executorLost(ExecutorID, ExecutorLoss)
    case taskFailed(
        TaskID, StageID, stageAttempt: Int, partition: Int, attempt: Int, ExecutorID, TaskEndReason)
    /// What the `TaskScheduler` made of slow and failing tasks.
    case scheduling(TaskNotice)
    case fetchFailed(StageID, stageAttempt: Int, FetchFailure)
    /// From a stage attempt that has been replaced.
    case fetchFailureIgnored(StageID, stageAttempt: Int, FetchFailure)
    case stagesResubmitted([StageID])
    /// An attempt ends because outputs are lost that tasks it has yet to launch would read.
    case inputsLost(StageID, stageAttempt: Int, ShuffleID)
    case hostLost(String, ExecutorLoss)
    /// An indeterminate stage is computed again, and with it those that had read its outputs.
    case rolledBack(StageID, [StageID])
    /// Of an attempt that was rolled back or, of an indeterminate stage, replaced.
    case successRefused(TaskID, StageID, stageAttempt: Int)
    case mapOutputsLost(ShuffleID, count: Int, ExecutorID)
    /// The batch goes on in the ordinary way.
    case grantRevoked(GrantID, JobID, reason: String)
    /// Nobody gave the job a slot for `CoreSettings.starvationTimeout`.
    case jobHasNoResources(JobID, executors: Int)
    /// A report about a task that is not running there.
    case unknownTask(ExecutorID, TaskID)
    case unknownExecutor(ExecutorID)
    case allocation(AllocationDecision)
    /// It handed on so many map outputs; others it couldn't.
    case executorDeparts(ExecutorID, moved: Int, lost: Int)
    case outputNotMoved(OutputMove)
    case barrier(BarrierNotice)
    case merge(MergeNotice)

    public var level: LogLevel {
        switch self {
        case .executorRegistered, .grantRevoked, .stagesResubmitted, .successRefused: .info
        case .taskFailed(_, _, _, _, _, _, .killed), .taskFailed(_, _, _, _, _, _, .commitDenied):
            .info
        case .fetchFailureIgnored, .unknownTask, .unknownExecutor: .debug
        case .taskFailed, .fetchFailed, .mapOutputsLost, .inputsLost, .hostLost, .rolledBack,
            .jobHasNoResources, .executorRefused:
            .warn
        case .executorLost(_, let loss): loss.causedByApp ? .error : .info
        case .allocation(let decision): decision.level
        case .scheduling(let notice): notice.level
        case .executorDeparts(_, _, let lost): lost > 0 ? .warn : .info
        case .outputNotMoved: .warn
        case .barrier(let notice): notice.level
        case .merge(let notice): notice.level
        }
    }

    public var description: String {
        switch self {
        case .executorRegistered(let executor, let host, let cores):
            "\(executor) registered on \(host) with \(cores) cores"
        case .executorRefused(let executor, let cores):
            "refused \(executor) with \(cores) cores: an id is used once, and a core is needed"
        case .executorLost(let executor, let loss):
            "lost \(executor): \(loss.reason)"
        case .taskFailed(
            let task, let stage, let stageAttempt, let partition, let attempt, let executor,
            let reason):
            """
            lost \(task) (\(stage).\(stageAttempt) partition \(partition) attempt \(attempt)) \
            on \(executor): \(reason.summary)
            """
        case .scheduling(let notice): notice.description
        case .fetchFailed(let stage, let attempt, let failure):
            "\(stage).\(attempt) could not read \(failure)"
        case .fetchFailureIgnored(let stage, let attempt, let failure):
            "ignored an old fetch failure of \(stage).\(attempt): \(failure)"
        case .stagesResubmitted(let stages):
            "resubmitted \(stages.map { "\($0)" }.joined(separator: ", "))"
        case .rolledBack(let stage, let readers):
            """
            \(stage) may give other output when it is computed again: rolled back \
            \(readers.map { "\($0)" }.joined(separator: ", "))
            """
        case .successRefused(let task, let stage, let attempt):
            "refused the output of \(task) of \(stage).\(attempt), which is out of date"
        case .inputsLost(let stage, let attempt, let shuffle):
            "\(stage).\(attempt) ends here: it reads \(shuffle)"
        case .hostLost(let host, let loss):
            "lost \(host): \(loss.reason)"
        case .mapOutputsLost(let shuffle, let count, let executor):
            "lost \(count) map outputs of \(shuffle) with \(executor)"
        case .jobHasNoResources(let job, let executors):
            """
            \(job) has not been given any slot, \(executors) executors are registered; \
            check that executors can start, reach the driver and have cores left
            """
        case .grantRevoked(let grant, let job, let reason):
            "took back \(grant) during \(job): \(reason)"
        case .unknownTask(let executor, let task):
            "ignored a report of \(executor) about \(task), which is not running there"
        case .unknownExecutor(let executor):
            "ignored a report of \(executor), which is not registered"
        case .allocation(let decision): decision.description
        case .barrier(let notice): notice.description
        case .merge(let notice): notice.description
        case .executorDeparts(let executor, let moved, let lost):
            "\(executor) has handed on \(moved) map outputs"
                + (lost > 0 ? ", \(lost) are lost with it" : "")
        case .outputNotMoved(let move):
            "\(move.to) could not take map output \(move.mapIndex) of \(move.shuffle) from "
                + "\(move.from)"
        }
    }
}
