import MillraceBase

/// Tasks without a shuffle between them: either the map side of one shuffle, or the final stage of
/// one job.
///
/// A stage counts *units*: map indexes, or indexes in the job's list of partitions. It lives while
/// a running job needs it; its attempts are task sets.
struct Stage: Sendable, SlabElement {
    enum Kind: Sendable {
        /// Fills the shuffle in this slot of `MapOutputTracker.shuffles`.
        case map(ShuffleID, slot: Int)
        case result(JobID)
    }

    enum Status: Sendable {
        /// Not asked for, or complete. From here: `waiting`, `running`.
        case idle
        /// Until its parents' outputs are complete. From here: `running`, `idle` when another path
        /// submits it.
        case waiting
        /// A task set is active. From here: `idle` when complete, `failed` by a fetch failure.
        case running
        /// In `DAGScheduler.failedStages` until the resubmission. From here: `idle` and at once on.
        case failed
    }

    let id: StageID
    let kind: Kind
    private(set) var plan: StagePlan
    let unitCount: Int
    /// Of the RDD it ends with.
    let partitionCount: Int
    /// Partition of each unit; `nil` when they're the same.
    private(set) var partitions: [Int]?
    let reducerCount: Int
    private(set) var preferred: PreferredLocations
    /// The shuffles it reads, each once.
    private(set) var parents: [ShuffleID]
    /// Those that its tasks wait for: not what only leads to a dataset that is kept, until an
    /// attempt failed for want of it.
    private(set) var awaited: [ShuffleID]
    /// Its tasks, run again, may give something else.
    let isIndeterminate: Bool
    /// The running jobs that need it, ascending; never empty.
    var jobs: [JobID]
    /// What its tasks' accumulator updates belong to.
    let origin: StageOrigin

    var status = Status.idle
    var nextAttempt = 0
    /// Successes of earlier attempts are refused: the stage was rolled back since.
    var acceptedFrom = 0
    /// The set that launches, while `running`.
    var activeSet: TaskSetID?
    /// Earlier sets that may still have running attempts.
    var oldSets: [TaskSetID] = []
    /// Attempts in a row that ended with a fetch failure.
    var failedAttempts: [Int] = []

    var acceptedTasks = 0
    var recordsRead = 0
    var recordsWritten = 0
    var runTime = Duration.zero
    var longestTask = Duration.zero
    var hasSucceeded = false

    /// What was thought to be kept isn't any more.
    mutating func awaitAllParents() { awaited = parents }

    mutating func vacate() {
        plan.inputs = []
        plan.inputShuffles = []
        partitions = nil
        preferred = PreferredLocations()
        parents = []
        awaited = []
        jobs = []
        oldSets = []
        failedAttempts = []
    }

    func summary(job: JobID) -> StageSummary {
        StageSummary(
            stage: id, job: job, attempts: nextAttempt, tasks: acceptedTasks,
            recordsRead: recordsRead, recordsWritten: recordsWritten, runTime: runTime,
            longestTask: longestTask, succeeded: hasSucceeded)
    }
}

/// A job between `jobSubmitted` and its end.
struct ActiveJob: Sendable, SlabElement {
    let id: JobID
    private(set) var properties: JobProperties
    let finalStage: StageID
    /// All stages it needs, parents first.
    var stages: [StageID] = []
    /// By result index.
    var isDelivered: [Bool]
    var remaining: Int
    var results = ResultSize()
    var held: HeldResults?

    mutating func vacate() {
        properties = JobProperties()
        stages = []
        isDelivered = []
        held = nil
    }
}
