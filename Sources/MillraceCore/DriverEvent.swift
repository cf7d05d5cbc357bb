import MillraceBase

/// Everything that can happen to the driver's core.
public enum DriverEvent: Sendable {
    /// Ends with exactly one `jobSucceeded` or `jobFailed`. Job ids are never reused.
    case jobSubmitted(JobDescription)
    /// Nothing when the job has ended already.
    case jobCancelled(JobID, reason: String)
    /// Cancels every running job that is meant.
    case jobsCancelled(JobSelection, reason: String)

    /// An executor may be given tasks. Ids are never reused. One that doesn't send heartbeats (it
    /// lives in the driver's process) is never lost by silence. The map outputs of one with a
    /// shuffle service on its host outlive it.
    case executorRegistered(
        ExecutorID, host: String, cores: Int, sendsHeartbeats: Bool = true,
        hasShuffleService: Bool = false)
    /// Its connection broke, its process ended, or it was dismissed.
    case executorLost(ExecutorID, ExecutorLoss)
    /// A machine is gone, with its executors and their map outputs, also those that a shuffle
    /// service kept.
    case hostLost(String, ExecutorLoss)
    /// It will go before long: it gets no more tasks, and what runs there may finish. Answered with
    /// `Effect.decommissionExecutor` and, when no task is left there, `Effect.executorDrained`.
    /// Nothing the second time.
    case executorDecommissioned(ExecutorID, reason: String)
    /// It's to go at once: what it runs is run again elsewhere, at nobody's expense. Answered with
    /// `Effect.releaseExecutor`.
    case executorKilled(ExecutorID, reason: String)
    /// The answer to `Effect.moveOutput`, from the executor that was to fetch it.
    case outputMoved(OutputMove, isMoved: Bool)
    /// Executors have pushed all of these map outputs that they will.
    case outputsPushed([PushedOutput])
    /// A merger's answer to `Effect.finalizeMerge`, or that none came.
    case mergeFinalized(MergeAnswer)
    /// The backend's answer to `Effect.requestExecutors`.
    case executorRequestAnswered(total: Int, isAccepted: Bool)
    /// The slots that a streaming query needs, by its run id; `nil` when it doesn't say any more.
    case slotsDemanded(query: String, slots: Int?)
    /// A sign of life. `tasksEnded` is one too.
    case heartbeat(ExecutorID)
    /// What running tasks have added to accumulators so far; comes with heartbeats.
    case accumulatorsReported(ExecutorID, [PartialAccumulators])

    /// Attempts that ended on one executor. Unknown tasks (of a lost executor, reported twice) are
    /// ignored.
    case tasksEnded(ExecutorID, [TaskEnd])
    /// A task asks whether it may commit its output. Answered at once with `Effect.commitDecided`.
    case commitRequested(ExecutorID, TaskID)

    /// A task of a barrier stage waits for the others. Answered with `Effect.barrierDecided`, when
    /// all are there or can't be.
    case barrierReached(ExecutorID, BarrierRequest)

    /// No batch of the streaming query will come any more.
    case queryEnded(QueryID)

    /// The instant of the latest `Effect.armTimer` has come. Too early or too often does no harm.
    case timerFired
    /// No job will read this shuffle any more: its outputs are forgotten and removed everywhere, as
    /// soon as no running job uses them.
    case shuffleReleased(ShuffleID)
    /// No batch of the query up to this one is ever run again: it's committed, or its checkpoint
    /// is gone.
    case batchesSettled(query: String, through: BatchID)
    /// The query starts again and its log has no batch after this one: what ran under such numbers
    /// is void.
    case batchesRetracted(query: String, after: BatchID)

    /// A value is there to be fetched, in so many pieces.
    case broadcastRegistered(BroadcastID, pieces: Int)
    /// A task of the executor needs a broadcast that isn't there.
    case broadcastWanted(BroadcastID, by: ExecutorID)
    case pieceFetched(BroadcastFetch)
    /// Executors are to forget it; with `forever` it cannot be had again.
    case broadcastRemoved(BroadcastID, forever: Bool)

    /// What an executor keeps of persisted datasets, or keeps no longer.
    case blocksUpdated(ExecutorID, [BlockStatus])
    /// A dataset was unpersisted, or nobody can name it any more.
    case rddReleased(RDDID)
}
