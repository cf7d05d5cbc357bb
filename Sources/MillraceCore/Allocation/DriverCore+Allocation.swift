import MillraceBase

/// Dynamic allocation in the driver's core: when to look, and what follows.
///
/// Spark looks ten times a second. Here a look that could decide nothing is left out: one follows a
/// change of the load by `interval` at most, the others come when a time-out is over.
struct DynamicAllocation: Sendable {
    /// Everything whose change may lead to another decision.
    struct Circumstances: Hashable, Sendable {
        var launches: Int
        var taskSets: Int
        var attempts: Int
        var queues: Int
        var executors: Int
        var jobs: Int
        var shuffles: Int
        var demands: Int
    }

    var policy: ExecutorAllocation
    var monitor: ExecutorMonitor
    var lastLook: Instant?
    var seen: Circumstances?
    /// Whether the last request was refused.
    var isRefused = false
    var demandChanges = 0

    init(settings: AllocationSettings) {
        policy = ExecutorAllocation(settings: settings)
        monitor = ExecutorMonitor(settings: settings)
    }

    /// When to look next; `nil` while only an event can change anything.
    func nextLook(_ now: Circumstances, _ idle: IdleExecutors) -> Instant? {
        guard let lastLook else { return .zero }
        var due = monitor.nextLook(idle) ?? .distantFuture
        if let addTime = policy.addTime, addTime > lastLook { due = min(due, addTime) }
        if now != seen || isRefused { due = .zero }
        return due == .distantFuture ? nil : max(due, lastLook + policy.settings.interval)
    }
}

extension DriverCore {
    private var circumstances: DynamicAllocation.Circumstances {
        DynamicAllocation.Circumstances(
            launches: tasks.nextTask.rawValue, taskSets: tasks.nextSet.rawValue,
            attempts: tasks.attempts.count, queues: tasks.queue.count,
            executors: tasks.executors.takingCount, jobs: dag.jobs.count,
            shuffles: dag.outputs.shuffles.count, demands: allocation?.demandChanges ?? 0)
    }

    /// After each step, when what could be launched is launched.
    mutating func observeBacklog(_ now: Instant) {
        guard allocation != nil else { return }
        let isBacklogged = self.isBacklogged
        if tasks.nextTask.rawValue > 0 || tasks.nextSet.rawValue > 0 {
            allocation!.policy.stageSubmitted()
        }
        allocation!.policy.observe(isBacklogged: isBacklogged, now: now)
    }

    /// Tasks of queries that say themselves how many slots they need aren't counted: two hundred
    /// short ones that wait once a minute are no need for two hundred executors.
    private func isCounted(_ job: JobID) -> Bool {
        guard let demands = allocation?.policy.demands, !demands.isEmpty,
            let slot = dag.jobs.slot(of: job), let query = dag.jobs[slot: slot].properties.query
        else { return true }
        return demands[query] == nil
    }

    private var isBacklogged: Bool {
        guard let demands = allocation?.policy.demands, !demands.isEmpty else {
            return tasks.isBacklogged
        }
        return tasks.queue.entries.contains { isCounted($0.job) }
    }

    private var load: SchedulerLoad {
        guard let demands = allocation?.policy.demands, !demands.isEmpty else { return tasks.load }
        var load = SchedulerLoad()
        for slot in 0..<tasks.sets.slotBound where tasks.sets.id(at: slot) != nil {
            guard isCounted(tasks.sets[slot: slot].job) else { continue }
            if !tasks.sets[slot: slot].isZombie {
                load.pending += tasks.sets[slot: slot].pendingCount
            }
            load.running += tasks.sets[slot: slot].runningCount
        }
        load.atOnce = tasks.largestBarrier
        return load
    }

    @inline(__always) var nextAllocationLook: Instant? {
        if allocation == nil { return nil }
        return allocation?.nextLook(circumstances, tasks.idle)
    }

    /// Spark's `ExecutorAllocationManager.schedule`.
    mutating func allocateIfDue(_ now: Instant, _ effects: inout Effects) {
        guard var allocation, let due = nextAllocationLook, now >= due else { return }
        allocation.lastLook = now
        allocation.isRefused = false
        allocation.seen = circumstances
        let timedOut = allocation.monitor.timedOut(&tasks, dag.outputs, dag.blocks, now: now)
        if !timedOut.isEmpty { allocation.policy.executorTimedOut() }
        let load = self.load
        let was = allocation.policy.acknowledged
        if let total = allocation.policy.adjust(
            load, current: tasks.executors.aliveCount, now: now)
        {
            effects.append(
                .notice(
                    .allocation(
                        .requested(
                            total: total, was: was, needed: allocation.policy.maxNeeded, load,
                            slots: allocation.policy.demands.slots))))
            effects.append(.requestExecutors(total: total))
        }
        self.allocation = allocation
        remove(timedOut, now, &effects)
    }

    /// Lets those go that aren't needed: never below the target, which is lower by then if there
    /// is less to do, nor below what a barrier stage waits for, which the target has yet to reach.
    private mutating func remove(
        _ timedOut: [ExecutorID], _ now: Instant, _ effects: inout Effects
    ) {
        guard let allocation, !timedOut.isEmpty else { return }
        let policy = allocation.policy
        let floor = max(policy.floor, policy.executorsForBarrier(tasks.largestBarrier))
        var staying = tasks.executors.takingCount
        var leaving: [ExecutorID] = []
        for executor in timedOut where staying - 1 >= floor {
            leaving.append(executor)
            staying -= 1
        }
        guard !leaving.isEmpty else { return }
        effects.append(.notice(.allocation(.removed(leaving, staying: staying))))
        for executor in leaving {
            let reason = "idle, and not needed"
            if policy.settings.decommissions {
                depart(executor, reason, now, &effects)
            } else {
                kill(executor, reason: reason, now, &effects)
            }
        }
        // Who goes may not be replaced, whatever the backend makes of it (SPARK-21834).
        effects.append(.requestExecutors(total: policy.wanted))
    }

    /// It's gone for the scheduler; its process is asked to end.
    mutating func kill(
        _ executor: ExecutorID, reason: String, _ now: Instant, _ effects: inout Effects
    ) {
        guard tasks.executors.isAlive(executor) else { return }
        effects.append(.releaseExecutor(executor, reason: reason))
        let loss = ExecutorLoss(reason: reason, causedByApp: false, isRequested: true)
        lose(executor, loss, now, &effects)
    }

    mutating func requestAnswered(_ total: Int, isAccepted: Bool, _ effects: inout Effects) {
        guard allocation != nil else { return }
        allocation!.policy.answer(isAcknowledged: isAccepted, total: total)
        if !isAccepted {
            allocation!.isRefused = true
            effects.append(.notice(.allocation(.refused(total: total))))
        }
    }

    mutating func demandSlots(_ slots: Int?, of query: String) {
        allocation?.policy.demand(slots, of: query)
        allocation?.demandChanges += 1
    }

    /// Who may be given tasks, by id.
    public var executorSlots: [ExecutorSlots] {
        tasks.executors.states.indices.compactMap { id in
            guard tasks.executors.states[id].takesTasks else { return nil }
            return ExecutorSlots(executor: ExecutorID(id), cores: tasks.executors.states[id].cores)
        }
    }

    /// `nil` without dynamic allocation.
    public var allocationGauges: AllocationGauges? {
        guard let policy = allocation?.policy else { return nil }
        var gauges = AllocationGauges()
        gauges.numberExecutorsToAdd = policy.step
        gauges.numberAllExecutors = tasks.executors.aliveCount
        gauges.numberTargetExecutors = policy.wanted
        gauges.numberMaxNeededExecutors = policy.maxNeeded
        gauges.numberDecommissioningExecutors =
            tasks.executors.aliveCount - tasks.executors.takingCount
        gauges.numberExecutorsGracefullyDecommissioned = endings.decommissioned
        gauges.numberExecutorsDecommissionUnfinished = endings.decommissionUnfinished
        gauges.numberExecutorsExitedUnexpectedly = endings.unexpected
        gauges.numberExecutorsKilledByDriver = endings.killed
        return gauges
    }
}
