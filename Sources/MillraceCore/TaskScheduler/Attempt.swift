import MillraceBase

/// One launched attempt of a task that hasn't ended. Small, because there is one for each running
/// task, in no order that a cache likes.
struct Attempt: Sendable, SlabElement {
    let task: TaskID
    /// Slot in `TaskScheduler.sets`: a set outlives its attempts.
    private let setSlot32: Int32
    private let index32: Int32
    private let attempt32: Int32
    private let executor32: Int32
    let launchedAt: Instant
    /// Its share of the executor's `heldWork`.
    let estimate: Int64
    var isKilled = false
    /// Whether its executor is one that the task prefers.
    let isPreferred: Bool
    /// Whether it stands in its set's list of attempts that may turn out slow.
    var isWatched = false
    /// Neighbours in its executor's list, as slots of `TaskScheduler.attempts`; -1 at the ends.
    var previous: Int32 = -1
    var next: Int32 = -1
    /// The running attempt of the same task that was launched before it.
    var older: Int32 = -1
    /// Neighbours in its set's list.
    var watchedBefore: Int32 = -1
    var watchedAfter: Int32 = -1

    init(
        task: TaskID, setSlot: Int, index: Int, attempt: Int, executor: Int, launchedAt: Instant,
        estimate: Int64, isPreferred: Bool
    ) {
        self.task = task
        setSlot32 = Int32(setSlot)
        index32 = Int32(index)
        attempt32 = Int32(attempt)
        executor32 = Int32(executor)
        self.launchedAt = launchedAt
        self.estimate = estimate
        self.isPreferred = isPreferred
    }

    var setSlot: Int { Int(setSlot32) }
    var index: Int { Int(index32) }
    var attempt: Int { Int(attempt32) }
    var executor: Int { Int(executor32) }
}
