import Synchronization

/// A rare path that must be *seen* by the simulator: `codeProbe(.fetchFailureIgnored)` stands where
/// it is taken, and `millrace-sim --seeds 1000` fails when one never was. FoundationDB's idea: a
/// coverage of meaning, not of lines.
///
/// A case for each place, in the order of the modules; its doc says what has happened when the
/// place is passed. Costs a load and a branch that is never taken, so it belongs on rare paths
/// only.
public enum CodeProbe: Int, CaseIterable, Sendable {
    // MARK: DAGScheduler

    /// A fetch failure joined others that wait for the same resubmission.
    case debounceMerged
    /// A fetch failure of a stage attempt that has been replaced.
    case fetchFailureIgnored
    /// A stage failed to fetch while it waited for its resubmission already.
    case fetchFailureOfFailedStage
    /// A stage was given up after too many fetch failures in a row.
    case stageAbortedByFetchFailures
    /// A failed stage was complete before its resubmission, by an older attempt.
    case failedStageCompleted
    /// An output of an attempt that had been replaced was still missing, and taken.
    case zombieSuccessAccepted
    /// A second output of a map task came and was dropped.
    case secondMapOutputDropped
    /// A second result of a partition came and was dropped.
    case secondResultDropped
    /// A success came after its stage was over.
    case lateSuccessOfEndedStage
    /// All tasks of an attempt were done, and an output lost before it began was missing.
    case spentAttemptRestarted
    /// Outputs of a map stage at work were lost, and are computed again by the same attempt.
    case outputsRecomputed
    /// Only some partitions of a stage were missing when it was submitted again.
    case partialStageResubmitted
    /// A job found a shuffle complete and skipped its map stage.
    case mapStageSkipped
    /// A job joined a stage that runs for another one.
    case runningStageShared
    /// A shuffle was released while a job still used it.
    case usedShuffleReleased
    /// A job ended and left a stage that another one needs.
    case stageKeptForOtherJob
    /// A task complained about outputs younger than itself.
    case youngerOutputsKept

    /// Readers of an indeterminate stage were rolled back.
    case readersRolledBack
    /// A success came from an attempt that had been rolled back or replaced.
    case successRefused
    /// Outputs that were computed from another generation of their inputs were forgotten.
    case staleOutputsForgotten
    /// A stage ended its attempt because inputs of tasks it had yet to launch were lost.
    case inputsLost
    /// A waiting stage's other input was lost, and computed again at once.
    case waitingInputLost

    // MARK: Task ends

    /// An attempt was reported that does not run there.
    case unknownTaskReported
    /// A stage was given up because a task failed too often.
    case stageAbortedByTaskFailures
    /// A task failed whose sibling or stage no longer needs it.
    case failureOfUnneededTask
    /// A task that had been killed and queued again was faster than the kill.
    case killOvertaken
    /// A task waiting in one attempt was completed by another.
    case pendingTaskCompletedElsewhere
    /// A task waited for an executor that it prefers and that was lost or will go.
    case boundTaskFreed
    /// A bound task gave up waiting for its executor.
    case localityWaitOver
    /// Tasks queued at a lost executor were not counted as failures.
    case queuedTasksLost
    /// The queue of an executor where nothing moves was recalled.
    case queueRecalled

    // MARK: Speculation

    /// A task ran much longer than its siblings, and is to be launched once more.
    case taskSpeculatable
    /// The second attempt of a slow task was launched.
    case copyLaunched
    /// One attempt of a task failed while another one ran.
    case copyGoesOn
    /// A task was asked to end because another attempt of it succeeded.
    case slowerAttemptKilled
    /// A task's executor would be given up before the task ends, going by its siblings.
    case speculatedOnLeaving

    // MARK: Exclusion

    /// A task was tried again where it had just failed, for there was no other room.
    case retriedWhereItFailed
    /// Too many tasks of a stage attempt failed on an executor, or on a host.
    case executorExcludedForStage
    case hostExcludedForStage
    /// The application does without an executor, or a host, for a while.
    case executorExcluded
    case hostExcluded
    /// An excluded executor takes tasks again.
    case exclusionExpired
    /// An excluded executor was ended.
    case excludedExecutorEnded
    /// All executors were excluded for a task.
    case taskSetUnschedulable
    /// Something was launched, and all unschedulable task sets got new time.
    case unschedulableForgiven
    /// A task set stayed unschedulable for too long.
    case unschedulableAborted

    // MARK: Barrier stages

    /// A job was not begun because there were not slots enough for a barrier stage.
    case barrierJobWaits
    /// It waited too long.
    case barrierJobGivenUp
    /// A barrier stage could not be launched: slots that were there are gone.
    case barrierStageWaits
    /// It waited too long.
    case barrierStageGivenUp
    /// Free cores were kept for a barrier stage.
    case coresKeptForBarrier
    /// One task of a barrier stage failed, and all are tried again.
    case barrierAttemptFailed
    /// A map output of a barrier stage at work was lost.
    case barrierOutputLost
    /// A barrier stage was computed again as a whole although only some outputs were missing.
    case barrierOutputsForgotten
    /// A barrier stage could not be tried again because a task may have committed.
    case barrierAbortedAfterCommit
    /// A task came to a barrier that is over, or is no task of the latest attempt.
    case barrierRequestRefused
    /// Tasks waited at a barrier that cannot be passed.
    case barrierBroken

    // MARK: Executors

    /// An executor was silent for too long.
    case executorExpired
    /// The last task of a decommissioned executor ended.
    case executorDrained
    /// A decommissioned executor was still there after its time.
    case decommissionOverdue
    /// A decommissioned executor went with tasks or without.
    case decommissionedExecutorLost
    /// Tasks queued at an executor were taken back because it will go.
    case queueRecalledByDecommission
    /// A job waited long for its first core.
    case jobStarved
    /// Somebody asked to commit who does not run there, or was asked to end.
    case commitDeniedToStranger
    /// A second attempt of a partition asked to commit and was denied.
    case commitDenied
    /// The right to commit went back with a failed attempt.
    case commitRightReturned

    /// A machine was reported gone.
    case hostLost
    /// An executor ended, and a shuffle service has its outputs.
    case outputsOutliveExecutor
    /// A leaving executor's output is with another one, or couldn't be taken.
    case outputHandedOn
    case outputNotTaken
    /// The results of a job were too large.
    case resultsTooLarge

    // MARK: Grants

    /// A batch was taken off its executors, and goes on as a job.
    case grantTakenBack
    /// Some of its results were there already.
    case grantResumedWithResults
    /// A task of a batch that had been taken back ended.
    case grantedTaskRefused
    /// Executors were told of outputs whose announcement they may have missed.
    case grantRepaired
    /// A granted task's end came before the end of a task whose output it read.
    case grantedEndWaited
    /// A batch had to go the ordinary way for want of room.
    case grantWithoutRoom
    /// An executor was told of an output of a batch that it had yet to hear of.
    case earlyOutputKept

    // MARK: Streaming queries

    /// A batch that is repeated was in the sink already.
    case sinkBatchRepeated

    public static var count: Int { allCases.count }
}

/// Notes that a rare path was taken. Nothing, unless `CodeProbes.begin()` was called.
public func codeProbe(_ probe: CodeProbe) {
    if let hits = CodeProbes.hits { hits[probe.rawValue].wrappingAdd(1, ordering: .relaxed) }
}

/// How often each probe was hit in this process.
public enum CodeProbes {
    // Written once, before there is a second thread.
    nonisolated(unsafe) fileprivate static var hits: UnsafeMutablePointer<Atomic<Int>>?

    /// Counts from now on. To be called before other threads are started; the second call does
    /// nothing.
    public static func begin() {
        guard hits == nil else { return }
        let counters = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: CodeProbe.count)
        for probe in 0..<CodeProbe.count { (counters + probe).initialize(to: Atomic(0)) }
        hits = counters
    }

    public static func hits(of probe: CodeProbe) -> Int {
        hits?[probe.rawValue].load(ordering: .relaxed) ?? 0
    }
}
