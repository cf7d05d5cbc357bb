import MillraceBase

/// Decides which task runs where; never why, and never what follows from its end.
///
/// The `DAGScheduler` submits task sets, one for each stage attempt. An offer
/// (`TaskScheduler+Offers.swift`) fills the executors with room from the `RunQueue`. When an
/// attempt ends (`TaskScheduler+Endings.swift`) its room is free again and its task is done, waits
/// again, or is left to the stage's next attempt.
///
/// The price of a task doesn't depend on how many there are: executors with room stand in rings,
/// waiting tasks behind cursors, running attempts in a table by id. Always true:
/// `DriverCore+Invariants.swift`.
struct TaskScheduler: Sendable {
    /// A launch of the current step, in a list per executor.
    struct Staged: Sendable {
        var task: TaskDescription
        var next: Int32
    }

    let settings: CoreSettings
    let queueTime: Int64
    var executors = ExecutorRegistry()
    var sets = IdentifierMap<TaskSetID, TaskSet>()
    var queue: RunQueue
    var attempts = IdentifierMap<TaskID, Attempt>()
    var nextTask = TaskID(0)
    var nextSet = TaskSetID(0)
    /// Executors with a free core, and those that may take tasks in advance. Stale entries are
    /// dropped when met.
    var freeRing = RingBuffer<Int>(capacity: 64)
    var prefetchRing = RingBuffer<Int>(capacity: 64)
    /// Executors that got room since the last offer; bound tasks look here.
    var touched: [Int] = []
    /// Offers so far.
    var offerCount = 0
    /// Task sets with a locality that launched something in this offer.
    var launchedLocally: [Int] = []
    var runTimes = RunTimes()
    /// Tasks that wait at their executors for a core.
    var queuedCount = 0
    /// Granted tasks that may run now, and those of them that wait for a core.
    var grantedCount = 0
    var grantedWaiting = 0
    /// When to look for queues that don't move; `nil` while nobody is free to take over.
    var recallAt: Instant?
    /// When some bound task may next run farther from its data.
    var localityDeadline: Instant?

    /// When to look for slow tasks; `nil` while none is watched.
    var speculationAt: Instant?
    /// Running attempts that may turn out slow.
    var watchedCount = 0
    /// Second attempts launched because the first was slow.
    var copiesLaunched = 0
    /// Executors without tasks, for dynamic allocation.
    var idle: IdleExecutors
    var health: HealthTracker
    /// Sets with a task for which every executor is excluded, in order of time.
    var unschedulable: [Unschedulable] = []
    /// Excluded executors that are to be ended.
    var condemned: [ExecutorID] = []
    /// Barrier sets that aren't launched, in order of submission, and those with tasks that wait
    /// for each other.
    var barrierWaits: [BarrierWait] = []
    /// The one of them for which all free cores are kept.
    var reservedFor: TaskSetID?
    var synchronisations: [Synchronisation] = []
    /// Executors with room that were wrong for the set at hand, or its last choice.
    var aside: [Int] = []
    var lastChoices: [Int] = []
    /// Executors that are excluded for the only set with something to launch. They stand in no ring
    /// until that changes, so that an offer doesn't meet each of them again; some twice.
    var resting: [Int] = []
    /// Decommissioned executors with the time until which they may take, in order of time.
    var decommissionDeadlines: [(executor: ExecutorID, deadline: Instant)] = []
    /// Decommissioned executors whose last task ended in this step.
    var drained: [Int] = []
    var killDeadlines: KillDeadlines

    var staged: [Staged] = []
    var stagedExecutors: [Int] = []

    init(settings: CoreSettings) {
        self.settings = settings
        queue = RunQueue(settings: settings)
        health = HealthTracker(settings: settings)
        killDeadlines = KillDeadlines(limit: settings.killDeadline)
        queueTime = max(settings.prefetchQueueTime.nanoseconds, 0)
        idle = IdleExecutors(isTracking: settings.allocation != nil)
    }

    // MARK: Executors

    /// `false` when the id can't be registered.
    mutating func addExecutor(_ id: ExecutorID, host: String, cores: Int, now: Instant) -> Bool {
        guard executors.register(id, host: host, cores: cores, now: now) else { return false }
        hasRoom(id.rawValue)
        idle.begin(id.rawValue)
        touched.append(id.rawValue)
        return true
    }

    /// Puts an executor that may have got room where offers find it.
    mutating func hasRoom(_ executor: Int) {
        if executors.states[executor].hasFreeCore {
            if !executors.states[executor].isInFreeRing {
                executors.states[executor].isInFreeRing = true
                freeRing.append(executor)
            }
        } else if executors.states[executor].takesTasks, queueTime > 0 {
            if !executors.states[executor].isInPrefetchRing {
                executors.states[executor].isInPrefetchRing = true
                prefetchRing.append(executor)
            }
        }
    }

    // MARK: Task sets

    /// What a set is made of; its id is given here.
    struct Submission {
        var stage: StageID
        var stageAttempt: Int
        var job: JobID
        var pool: String
        var plan: StagePlan
        var maxFailures: Int
        var count: Int
        var units: [Int32]?
        var partitions: [Int]?
        var preferred: PreferredLocations
    }

    /// Queues the tasks of a stage attempt. Nothing is launched before the next offer.
    mutating func submit(_ submission: Submission, now: Instant) -> TaskSetID {
        let id = nextSet
        nextSet = id.next
        var set = TaskSet(
            id: id, stage: submission.stage, stageAttempt: submission.stageAttempt,
            job: submission.job, pool: queue.pool(named: submission.pool), plan: submission.plan,
            maxFailures: submission.maxFailures,
            count: submission.count, units: submission.units, partitions: submission.partitions,
            estimate: runTimes[submission.plan.plan])
        if submission.plan.isBarrier {
            set.barrier = BarrierTasks(
                count: submission.count, preferred: submission.preferred, settings.barrier)
            barrierWaits.append(BarrierWait(set: id))
        } else if !submission.preferred.isEmpty {
            let wait =
                submission.preferred.ownsState
                ? settings.stateLocalityWait : settings.processLocalityWait
            set.bind(
                submission.preferred, &executors,
                DelaySchedule(processWait: wait, nodeWait: settings.nodeLocalityWait, now: now))
        }
        if settings.speculation.isEnabled { set.runTimes = MedianHeap() }
        let slot = sets.insert(set, for: id)
        enqueue(slot)
        return id
    }

    /// The set has something to launch.
    mutating func enqueue(_ slot: Int) {
        if !resting.isEmpty { wakeResting() }
        queue.insert(
            entry(slot), into: sets[slot: slot].pool, running: sets[slot: slot].runningCount)
    }

    /// The set has nothing to launch. It needn't have had before.
    mutating func dequeue(_ slot: Int) {
        if !resting.isEmpty { wakeResting() }
        queue.remove(entry(slot), from: sets[slot: slot].pool)
    }

    mutating func countRunning(_ slot: Int, by change: Int) {
        sets[slot: slot].runningCount += change
        queue.changeRunning(
            entry(slot), in: sets[slot: slot].pool, by: change,
            to: sets[slot: slot].runningCount)
    }

    func entry(_ slot: Int) -> Pool.Entry {
        Pool.Entry(
            job: sets[slot: slot].job, stage: sets[slot: slot].stage,
            attempt: sets[slot: slot].stageAttempt, slot: slot)
    }

    /// The set launches nothing more; what runs goes on.
    mutating func retire(_ id: TaskSetID) {
        guard let slot = sets.slot(of: id), !sets[slot: slot].isZombie else { return }
        sets[slot: slot].isZombie = true
        dequeue(slot)
        forgetBarrier(slot)
        removeIfOver(slot)
    }

    /// Retires the set and asks the executors to end what runs.
    mutating func kill(_ id: TaskSetID, reason: String, _ effects: inout Effects) {
        guard let slot = sets.slot(of: id) else { return }
        if sets[slot: slot].runningCount > 0 {
            for index in sets[slot: slot].tasks.indices {
                killAttempts(of: index, in: slot, reason: reason, &effects)
            }
        }
        retire(id)
    }

    /// Asks the executors to end what runs of a task.
    mutating func killAttempts(
        of index: Int, in slot: Int, reason: String, _ effects: inout Effects
    ) {
        var attempt = Int(sets[slot: slot].tasks[index].attemptSlot)
        while attempt >= 0 {
            kill(attempt, reason: reason, &effects)
            attempt = Int(attempts[slot: attempt].older)
        }
    }

    /// Nothing when it was asked before.
    mutating func kill(_ attempt: Int, reason: String, _ effects: inout Effects) {
        guard !attempts[slot: attempt].isKilled else { return }
        attempts[slot: attempt].isKilled = true
        killDeadlines.note(attempts[slot: attempt].task, idle.now)
        effects.append(
            .kill(
                ExecutorID(attempts[slot: attempt].executor), attempts[slot: attempt].task,
                reason: reason))
    }

    /// A unit's output came from another attempt of the stage: nothing is left to do for it here.
    mutating func completeElsewhere(
        _ id: TaskSetID, unit: Int, _ now: Instant, _ effects: inout Effects
    ) {
        guard let slot = sets.slot(of: id), let index = sets[slot: slot].index(ofUnit: unit),
            !sets[slot: slot].tasks[index].isDone
        else { return }
        killAttempts(of: index, in: slot, reason: "another attempt succeeded", &effects)
        let wasPending = sets[slot: slot].tasks[index].isPending
        if wasPending { codeProbe(.pendingTaskCompletedElsewhere) }
        sets[slot: slot].markDone(index)
        if wasPending, !sets[slot: slot].hasWork { dequeue(slot) }
        retireIfDone(slot, now, &effects)
    }

    /// A unit's output was lost after it was done: it's computed again, if the set has it and still
    /// launches.
    mutating func recompute(_ id: TaskSetID, unit: Int) {
        guard let slot = sets.slot(of: id), !sets[slot: slot].isZombie,
            let index = sets[slot: slot].index(ofUnit: unit),
            sets[slot: slot].tasks[index].isDone
        else { return }
        requeue(index, in: slot)
    }

    /// Whether the set may still launch tasks.
    func launches(_ id: TaskSetID) -> Bool {
        guard let slot = sets.slot(of: id) else { return false }
        return !sets[slot: slot].isZombie
    }

    /// Whether some task of the set waits to be launched.
    func hasPending(_ id: TaskSetID) -> Bool {
        guard let slot = sets.slot(of: id) else { return false }
        return sets[slot: slot].pendingCount > 0
    }

    mutating func requeue(_ index: Int, in slot: Int) {
        let wasIdle = !sets[slot: slot].hasWork
        sets[slot: slot].requeue(index)
        if wasIdle, !sets[slot: slot].isZombie { enqueue(slot) }
    }

    /// A set whose tasks are all done launches nothing more.
    mutating func retireIfDone(_ slot: Int, _ now: Instant, _ effects: inout Effects) {
        guard sets[slot: slot].doneCount == sets[slot: slot].tasks.count else { return }
        if !sets[slot: slot].isZombie { noteSuccess(slot, now, &effects) }
        retire(sets[slot: slot].id)
    }

    mutating func removeIfOver(_ slot: Int) {
        guard sets[slot: slot].isZombie, sets[slot: slot].runningCount == 0 else { return }
        runTimes[sets[slot: slot].plan.plan] = sets[slot: slot].estimate
        sets.remove(sets[slot: slot].id)
    }
}
