import MillraceBase

/// How many executors there should be. Spark's ExecutorAllocationManager, rule by rule.
///
/// While tasks have waited for `backlogTimeout`, executors are asked for: one, and after each
/// further `sustainedBacklogTimeout` twice as many as the time before, up to what the tasks need.
/// When they need less, the target falls at once, which ends nobody: it only cancels what hasn't
/// come, and lets idle executors go (`ExecutorMonitor`) down to it. What a request did is only
/// believed when it was acknowledged.
///
/// Streaming queries with a `LagController` say themselves how many slots they need; the target is
/// never below that.
///
/// Always true: `minExecutors` <= `wanted` <= `maxExecutors`; one request is unanswered at most.
struct ExecutorAllocation: Sendable {
    let settings: AllocationSettings
    /// What the tasks need, as far as the steps have got.
    private(set) var target: Int
    /// Executors that the next request may add.
    private(set) var step = 1
    /// When to ask for more; `nil` while nothing waits.
    private(set) var addTime: Instant?
    /// Until the first stage or the first idle executor the initial executors stay, for a program
    /// may take a while to its first job.
    private(set) var isInitializing = true
    /// Slots that streaming queries want.
    private(set) var demands = SlotDemands()
    /// The last request, and what it would change; `nil` once answered.
    private var request: Request?
    /// What the backend last agreed to.
    private(set) var acknowledged: Int
    private(set) var maxNeeded = 0

    private struct Request: Sendable {
        var oldTarget: Int
        var time: Instant
    }

    init(settings: AllocationSettings) {
        self.settings = settings
        target = settings.initialExecutors
        acknowledged = settings.initialExecutors
    }

    /// What there should be.
    var wanted: Int { bounded(max(target, demanded)) }
    private var demanded: Int { demands.executors(settings.tasksPerExecutor) }

    private func bounded(_ count: Int) -> Int {
        max(min(count, settings.maxExecutors), settings.minExecutors)
    }

    /// Fewer may stay than this for no reason.
    var floor: Int { max(settings.minExecutors, wanted) }

    // MARK: What happens

    /// After each step of the core: tasks wait, or none does. Tasks that are launched in the step
    /// in which they come have never waited.
    mutating func observe(isBacklogged: Bool, now: Instant) {
        if isBacklogged {
            isInitializing = false
            if addTime == nil { addTime = now + settings.backlogTimeout }
        } else if addTime != nil {
            addTime = nil
            step = 1
        }
    }

    mutating func stageSubmitted() { isInitializing = false }
    mutating func executorTimedOut() { isInitializing = false }

    mutating func demand(_ slots: Int?, of query: String) {
        demands[query] = slots
        isInitializing = false
    }

    // MARK: The target

    /// Executors for everything that waits and runs.
    func needed(for load: SchedulerLoad, current: Int) -> Int {
        let perExecutor = Double(settings.tasksPerExecutor)
        func executors(_ count: Int) -> Int {
            let exact = Double(count) * settings.allocationRatio / perExecutor
            return Int(min(exact.rounded(.up), Double(Int32.max)))
        }
        var needed = executors(load.pending + load.pendingSpeculative + load.running)
        // A copy of a slow task is to run on another executor than the task.
        if settings.tasksPerExecutor > 1, needed == 1, load.pendingSpeculative > 0 { needed += 1 }
        needed = max(needed, executorsForBarrier(load.atOnce))
        if load.unschedulableSets > 0 {
            needed = max(needed, current + executors(load.unschedulableSets))
        }
        return needed
    }

    /// Executors that have so many slots together.
    func executorsForBarrier(_ tasks: Int) -> Int {
        let slots = max(settings.tasksPerExecutor, 1)
        return (tasks + slots - 1) / slots
    }

    /// Moves the target. Returns the total to ask for, if that has changed.
    mutating func adjust(_ load: SchedulerLoad, current: Int, now: Instant) -> Int? {
        maxNeeded = needed(for: load, current: current)
        guard !isInitializing, request == nil else { return nil }
        let old = target
        if maxNeeded < target {
            target = max(maxNeeded, settings.minExecutors)
            step = 1
        } else if let addTime, now >= addTime {
            grow(to: maxNeeded, current: current)
        }
        request = Request(oldTarget: old, time: now)
        if wanted == acknowledged {
            // Nobody needs to be asked.
            answer(isAcknowledged: true, total: wanted)
            return nil
        }
        return wanted
    }

    private mutating func grow(to needed: Int, current: Int) {
        let old = target
        if target < settings.maxExecutors {
            // Steps are for what isn't there and wasn't asked for.
            target = bounded(min(max(target, current, demanded) + step, needed))
        }
        // Nothing more to get: the next growth starts small again.
        if target == old { step = 1 }
    }

    /// The backend's answer to a request for so many: the last one, or that which goes with the
    /// removal of executors and is answered after it. What was agreed to last counts, though the
    /// other was refused.
    mutating func answer(isAcknowledged: Bool, total: Int) {
        if isAcknowledged { acknowledged = total }
        guard let asked = request else { return }
        request = nil
        guard isAcknowledged else {
            target = asked.oldTarget
            return
        }
        let delta = target - asked.oldTarget
        if delta > 0 {
            step = delta == step ? step * 2 : 1
            addTime = asked.time + settings.sustainedBacklogTimeout
        }
    }
}
