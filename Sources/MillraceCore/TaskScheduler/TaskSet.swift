import MillraceBase

/// A name for one task set: one attempt of one stage. Never reused, so an old one finds nothing.
struct TaskSetID: RawIdentifier {
    static var noun: String { "task set" }
    let rawValue: Int
    init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// The tasks of one stage attempt: which wait, run and are done. Spark's TaskSetManager, as a
/// table.
///
/// A task is named by its *index* in the set. Its *unit* is what the stage counts: the map index,
/// or the index in the job's list of partitions. Waiting tasks lie nowhere: `fresh` walks the
/// indexes once, `retries` holds those that came back. Tasks that prefer an executor or
/// host that is there are bound to it for a while, and found through `locality`. A set that is a
/// *zombie* launches nothing more; it stays until its last attempt has ended.
struct TaskSet: Sendable, SlabElement {
    /// What's known of one task.
    struct Task: Sendable {
        /// Slot in `TaskScheduler.attempts` of its latest attempt that runs, else -1; from there
        /// `Attempt.older` leads to the others.
        var attemptSlot: Int32 = -1
        /// Attempts launched so far.
        var attempts: Int16 = 0
        var failures: Int16 = 0
        var isPending = true
        var isDone = false
        /// Not to be tried again where it failed last, unless there is no other executor.
        var mustLeave = false
        var binding = Binding.free
        /// The executor of its last attempt that failed; -1 when none has.
        var failedOn: Int32 = -1

        /// Whether it waits for any executor and never came back.
        var isFresh: Bool { binding == .free && attempts == 0 }

        /// What a waiting task waits for.
        enum Binding: UInt8 {
            /// Any executor.
            case free
            /// One on a host that it prefers, for a while.
            case host
            /// One that it prefers, for a while.
            case executor
        }
    }

    /// Most attempts of one task, failures or not: a retry that never counts (killed, commit
    /// denied, executor lost) must not go on for ever.
    static let attemptLimit = 1_000

    let id: TaskSetID
    let stage: StageID
    let stageAttempt: Int
    let job: JobID
    /// Place in `RunQueue.pools`.
    let pool: Int
    private(set) var plan: StagePlan
    let maxFailures: Int
    /// Unit of each index, ascending; `nil` when they're the same.
    private(set) var units: [Int32]?
    /// Partition of each unit; `nil` when they're the same.
    private(set) var partitions: [Int]?
    var tasks: [Task]

    var pendingCount: Int
    /// Waiting tasks that prefer a living executor; those that only prefer a host with one.
    var executorBound = 0
    var hostBound = 0
    var boundPendingCount: Int { executorBound + hostBound }
    var runningCount = 0
    var doneCount = 0
    var isZombie = false
    /// When all its tasks are launched together or none.
    var barrier: BarrierTasks?
    /// Where its tasks failed; with `excludeOnFailure` only.
    var exclusions: StageExclusions?
    /// Run times of its tasks that succeeded; only with speculation.
    var runTimes: MedianHeap?
    /// Tasks whose only attempt is slow, and that wait for a place for another one.
    var speculatable: [Int32] = []
    /// Its running attempts that may turn out slow, by launch time, as slots of
    /// `TaskScheduler.attempts`; -1 when there is none.
    var firstWatched: Int32 = -1
    var lastWatched: Int32 = -1

    /// Expected run time of a task in nanoseconds; 0 while unknown.
    var estimate: Int64

    private var fresh = 0
    private var freshBound = 0
    var retries: [Int32] = []
    var locality: Locality?

    init(
        id: TaskSetID, stage: StageID, stageAttempt: Int, job: JobID, pool: Int,
        plan: StagePlan, maxFailures: Int, count: Int, units: [Int32]?, partitions: [Int]?,
        estimate: Int64
    ) {
        self.id = id
        self.stage = stage
        self.stageAttempt = stageAttempt
        self.job = job
        self.pool = pool
        self.plan = plan
        self.maxFailures = maxFailures
        self.units = units
        self.partitions = partitions
        self.estimate = estimate
        tasks = [Task](repeating: Task(), count: count)
        pendingCount = count
    }

    mutating func vacate() {
        plan.inputs = []
        plan.inputShuffles = []
        units = nil
        partitions = nil
        tasks = []
        retries = []
        locality = nil
        barrier = nil
        exclusions = nil
        runTimes = nil
        speculatable = []
    }

    func unit(_ index: Int) -> Int { units.map { Int($0[index]) } ?? index }
    func partition(_ index: Int) -> Int {
        let unit = unit(index)
        return partitions?[unit] ?? unit
    }

    func input(_ partition: Int) -> ArraySlice<UInt8> {
        plan.inputs.isEmpty ? [] : plan.inputs[partition]
    }

    /// Where a unit stands in this set.
    func index(ofUnit unit: Int) -> Int? {
        guard let units else { return unit < tasks.count ? unit : nil }
        var low = 0
        var high = units.count
        while low < high {
            let middle = (low + high) / 2
            if units[middle] < Int32(unit) { low = middle + 1 } else { high = middle }
        }
        return low < units.count && units[low] == Int32(unit) ? low : nil
    }

    // MARK: Taking a waiting task

    /// A task that may run anywhere; with `evenBound`, at last one that would rather run elsewhere.
    mutating func popAnywhere(evenBound: Bool) -> Int? {
        guard pendingCount > (evenBound ? 0 : boundPendingCount) else { return nil }
        while let index = retries.popLast() {
            if tasks[Int(index)].isPending { return Int(index) }
        }
        return popFresh(evenBound: evenBound)
    }

    /// The same, of those that were never launched.
    mutating func popFresh(evenBound: Bool) -> Int? {
        while fresh < tasks.count {
            fresh += 1
            if tasks[fresh - 1].isPending, tasks[fresh - 1].isFresh { return fresh - 1 }
        }
        guard evenBound else { return nil }
        while freshBound < tasks.count {
            freshBound += 1
            let task = tasks[freshBound - 1]
            if task.isPending, task.binding != .free { return freshBound - 1 }
        }
        return nil
    }

    /// A waiting task: one that came back, if there is one.
    var someWaiting: Int? {
        guard pendingCount > 0 else { return nil }
        if let index = retries.last(where: { tasks[Int($0)].isPending }) { return Int(index) }
        return tasks[min(fresh, tasks.count - 1)...].firstIndex { $0.isPending }
            ?? tasks.firstIndex { $0.isPending }
    }

    // MARK: Changes of one task's state

    /// Whether it has something to launch.
    var hasWork: Bool { pendingCount > 0 || !speculatable.isEmpty }

    /// Whether not every executor with room is right for every waiting task.
    var mustBeCareful: Bool { !retries.isEmpty || exclusions != nil }

    /// A waiting task, or, as a copy, one that runs.
    mutating func launched(_ index: Int, attemptSlot: Int) {
        tasks[index].attempts += 1
        tasks[index].attemptSlot = Int32(attemptSlot)
        guard tasks[index].isPending else { return }
        count(tasks[index].binding, by: -1)
        tasks[index].isPending = false
        tasks[index].binding = .free
        pendingCount -= 1
    }

    /// Puts a task back that isn't waiting. A retry goes where there is room: what it preferred has
    /// just failed or left.
    mutating func requeue(_ index: Int) {
        precondition(!tasks[index].isPending, "a waiting task is queued again")
        if tasks[index].isDone {
            tasks[index].isDone = false
            doneCount -= 1
        }
        tasks[index].isPending = true
        pendingCount += 1
        retries.append(Int32(index))
    }

    mutating func markDone(_ index: Int) {
        guard !tasks[index].isDone else { return }
        if tasks[index].isPending {
            tasks[index].isPending = false
            pendingCount -= 1
            count(tasks[index].binding, by: -1)
            tasks[index].binding = .free
        }
        tasks[index].isDone = true
        tasks[index].failures = 0
        doneCount += 1
    }

    /// A moving average over about the last eight tasks.
    mutating func learn(_ nanoseconds: Int64) {
        let sample = max(nanoseconds, 1)
        estimate = estimate == 0 ? sample : max(estimate + (sample - estimate) / 8, 1)
    }
}
