import MillraceBase

/// Everything the driver decides, as one plain value: events in, effects out.
///
/// Owns the machines and routes between them: `DAGScheduler` (which stages, with its
/// `MapOutputTracker`: where map outputs lie), `TaskScheduler` (which task where, with its
/// `ExecutorRegistry`), `GrantScheduler` (many micro-batches on one decision) and
/// `HeartbeatMonitor` (who is silent). One step is: change state, then one offer over everything
/// that changed, then one launch for each executor. Steps that are handed many task ends at once
/// are therefore cheaper and fill executors better.
///
/// The shell performs the effects of a step before it hands in the next event: `setup(of:attempt:)`
/// and `mapOutputs(of:)` answer for the state after the step.
public struct DriverCore: Sendable {
    let settings: CoreSettings
    var dag: DAGScheduler
    var tasks: TaskScheduler
    var grants: GrantScheduler
    var heartbeats: HeartbeatMonitor
    var broadcasts = BroadcastTracker()
    /// Executors that are leaving, in the order in which they were asked to.
    var departures: [Departure] = []
    /// `nil` when the number of executors is fixed.
    var allocation: DynamicAllocation?
    var endings = ExecutorEndings()
    /// When to warn that nobody takes the waiting jobs; `nil` while tasks run or none wait.
    var starvationDeadline: Instant?
    /// What the shell was last asked for.
    var armedAt = Instant.distantFuture

    public init(settings: CoreSettings = CoreSettings()) {
        self.settings = settings
        dag = DAGScheduler(settings: settings)
        tasks = TaskScheduler(settings: settings)
        grants = GrantScheduler(settings: settings)
        heartbeats = HeartbeatMonitor(settings: settings)
        allocation = settings.allocation.map { DynamicAllocation(settings: $0) }
    }

    /// One step. Appends what is to be done to `effects`; never fails, never blocks.
    public mutating func handle(_ event: DriverEvent, now: Instant, into effects: inout Effects) {
        tasks.idle.now = now
        grants.finished.removeAll(keepingCapacity: true)
        switch event {
        case .jobSubmitted(let job): submit(job, now, &effects)
        case .jobCancelled(let job, let reason):
            revokeGrants(where: { $0.id == job }, now, &effects)
            dag.cancelWaiting(reason, &effects) { $0.id == job }
            dag.failJob(job, .cancelled(reason: reason), &tasks, &effects)
        case .jobsCancelled(let selection, let reason):
            revokeGrants(where: { selection.contains($0.properties) }, now, &effects)
            dag.cancelWaiting(reason, &effects) { selection.contains($0.properties) }
            dag.cancel(selection, reason: reason, &tasks, &effects)
        case .executorRegistered(
            let executor, let host, let cores, let sendsHeartbeats, let hasShuffleService):
            register(
                executor, host: host, cores: cores, sendsHeartbeats, hasShuffleService, now,
                &effects)
        case .executorLost(let executor, let loss): lose(executor, loss, now, &effects)
        case .hostLost(let host, let loss): loseHost(host, loss, now, &effects)
        case .executorDecommissioned(let executor, let reason):
            depart(executor, reason, now, &effects)
        case .outputMoved(let move, let isMoved):
            outputMoved(move, isMoved: isMoved, &effects)
        case .executorKilled(let executor, let reason):
            kill(executor, reason: reason, now, &effects)
        case .outputsPushed(let pushed): dag.note(pushed, now, tasks.executors, &effects)
        case .mergeFinalized(let answer): dag.note(answer, now, &tasks, &effects)
        case .executorRequestAnswered(let total, let isAccepted):
            requestAnswered(total, isAccepted: isAccepted, &effects)
        case .slotsDemanded(let query, let slots): demandSlots(slots, of: query)
        case .heartbeat(let executor): seen(executor, now, &effects)
        case .accumulatorsReported(let executor, let partials):
            seen(executor, now, &effects)
            report(partials, on: executor, &effects)
        case .tasksEnded(let executor, let ends):
            seen(executor, now, &effects)
            for place in ends.indices { complete(ends[place], on: executor, now, &effects) }
        case .commitRequested(let executor, let task): decideCommit(executor, task, &effects)
        case .barrierReached(let executor, let request):
            seen(executor, now, &effects)
            tasks.arrive(request, on: executor, now, &effects)
        case .timerFired: fire(now, &effects)
        case .shuffleReleased(let shuffle): dag.releaseShuffle(shuffle, &effects)
        case .batchesSettled(let query, let batch):
            dag.accumulators.settleBatches(of: query, through: batch, &effects)
        case .queryEnded(let query): grants.endQuery(query, &effects)
        case .batchesRetracted(let query, let batch):
            dag.accumulators.retractBatches(of: query, after: batch, &effects)
        case .blocksUpdated(let executor, let blocks): update(blocks, on: executor, &effects)
        case .rddReleased(let rdd): dag.blocks.release(rdd, &effects)
        case .broadcastRegistered(let id, let pieces): broadcasts.register(id, pieces: pieces)
        case .broadcastWanted(let id, let executor):
            broadcasts.want(id, executor, tasks.executors, &effects)
        case .pieceFetched(let fetch): broadcasts.fetched(fetch, tasks.executors, &effects)
        case .broadcastRemoved(let id, let forever):
            broadcasts.remove(id, forever: forever, &effects)
        }
        endCondemned(now, &effects)
        dag.settle(now, &tasks, &effects)
        // Before tasks are launched: who goes may take a stage with it.
        tasks.flushDrained(&effects)
        if letGo(now, &effects) { dag.settle(now, &tasks, &effects) }
        tasks.offer(now: now, &effects)
        tasks.flush(&effects)
        observeBacklog(now)
        arm(now, &effects)
        assertInvariants()
    }

    // MARK: What the shell may ask

    /// What an executor must know of a stage attempt before its first task there; `nil` when the
    /// stage is over.
    public func setup(of stage: StageID, attempt: Int) -> StageSetup? {
        guard let slot = dag.stages.slot(of: stage),
            attempt >= 0, attempt < dag.stages[slot: slot].nextAttempt
        else { return nil }
        let found = dag.stages[slot: slot]
        let job = found.jobs[0]
        let properties = dag.jobs[slot: dag.jobs.slot(of: job)!].properties
        var output: ShuffleID?
        var merge: ShuffleMerge?
        if case .map(let shuffle, let place) = found.kind {
            output = shuffle
            merge = dag.outputs.shuffles[slot: place].merge
        }
        return StageSetup(
            stage: stage, attempt: attempt, plan: found.plan.plan,
            inputShuffles: found.plan.inputShuffles, outputShuffle: output,
            reducerCount: found.reducerCount, job: job, query: properties.query,
            batch: properties.batch, persisted: found.plan.persisted,
            localProperties: properties.localProperties,
            barrierExecutors: tasks.barrierExecutors(of: found.activeSet, attempt: attempt),
            merge: merge?.phase == .pushing ? merge?.plan : nil)
    }

    /// What is kept of the persisted datasets.
    public var storageInfo: [RDDStorageInfo] { dag.blocks.storageInfo }

    /// Who keeps the partitions of a persisted dataset, by partition; `nil` when it isn't known.
    public func blockHolders(of rdd: RDDID) -> [[ExecutorID]]? { dag.blocks.holders(of: rdd) }

    /// The known map outputs of a shuffle; `nil` when it's released or was never submitted.
    public func mapOutputs(of shuffle: ShuffleID) -> MapOutputs? {
        dag.outputs.outputs(of: shuffle)
    }

    /// The epoch of `mapOutputs(of:)` without the copy, to see whether an executor's copy is stale.
    public func mapOutputEpoch(of shuffle: ShuffleID) -> UInt64? { dag.outputs.epoch(of: shuffle) }

    /// Whether a stage that isn't over runs this plan.
    public func isUsingPlan(_ plan: PlanHash) -> Bool {
        (0..<dag.stages.slotBound).contains { slot in
            dag.stages.id(at: slot) != nil && dag.stages[slot: slot].plan.plan == plan
        }
    }

    public var runningJobCount: Int { dag.jobs.count + dag.waitingJobs.count + grants.runs.count }

    /// Tasks an executor holds, running or queued there.
    public func heldTaskCount(of executor: ExecutorID) -> Int {
        guard tasks.executors.isAlive(executor) else { return 0 }
        let state = tasks.executors.states[executor.rawValue]
        return state.held + state.granted
    }

    // MARK: Executors

    private mutating func register(
        _ executor: ExecutorID, host: String, cores: Int, _ sendsHeartbeats: Bool,
        _ hasShuffleService: Bool, _ now: Instant, _ effects: inout Effects
    ) {
        guard tasks.addExecutor(executor, host: host, cores: cores, now: now) else {
            effects.append(.notice(.executorRefused(executor, cores: cores)))
            return
        }
        tasks.executors.states[executor.rawValue].sendsHeartbeats = sendsHeartbeats
        tasks.executors.states[executor.rawValue].hasShuffleService = hasShuffleService
        heartbeats.executorRegistered(now: now)
        effects.append(.notice(.executorRegistered(executor, host: host, cores: cores)))
    }

    private mutating func seen(
        _ executor: ExecutorID, _ now: Instant, _ effects: inout Effects
    ) {
        guard tasks.executors.isAlive(executor) else {
            effects.append(.notice(.unknownExecutor(executor)))
            return
        }
        tasks.executors.states[executor.rawValue].lastSeen = now
    }

    private mutating func update(
        _ blocks: [BlockStatus], on executor: ExecutorID, _ effects: inout Effects
    ) {
        guard tasks.executors.isAlive(executor) else { return }
        for block in blocks { dag.blocks.update(block, on: executor, tasks.executors, &effects) }
    }

    // MARK: Task ends

    private mutating func complete(
        _ end: TaskEnd, on executor: ExecutorID, _ now: Instant, _ effects: inout Effects
    ) {
        guard let ended = tasks.release(end.task, on: executor, now: now) else {
            if completeGranted(end, on: executor, now, &effects) { return }
            codeProbe(.unknownTaskReported)
            effects.append(.notice(.unknownTask(executor, end.task)))
            return
        }
        countEnd(end, &effects)
        if let objection = dag.objection(to: end, of: ended.stage) {
            let reason = TaskEndReason.exception(message: objection, trace: "")
            fail(ended, reason, counts: true, now, &effects)
            return
        }
        switch end.reason {
        case .result, .mapOutput:
            tasks.succeed(ended, runTime: end.runTime.nanoseconds, now, &effects)
            if !tasks.synchronisations.isEmpty { tasks.breakSync(without: ended, &effects) }
            dag.taskSucceeded(ended, end, now, &tasks, &effects)
            tasks.settle(ended)
        case .fetchFailed(let failure):
            dag.commits.taskFailed(ended.stage, unit: ended.unit, ended.task)
            if let source = failure.executor { tasks.noteFetchFailure(on: source, now, &effects) }
            dag.fetchFailed(ended, failure, now, &tasks, &effects)
            tasks.settle(ended)
        case .exception, .killed, .commitDenied, .executorLost:
            fail(
                ended, end.reason, counts: end.reason.countsTowardsTaskFailures,
                elsewhere: end.isExecutorAtFault, now, &effects)
        }
    }

    mutating func fail(
        _ ended: TaskScheduler.Ended, _ reason: TaskEndReason, counts: Bool,
        elsewhere: Bool = false, _ now: Instant, _ effects: inout Effects
    ) {
        dag.commits.taskFailed(ended.stage, unit: ended.unit, ended.task)
        effects.append(
            .notice(
                .taskFailed(
                    ended.task, ended.stage, stageAttempt: ended.stageAttempt,
                    partition: ended.partition, attempt: ended.attempt, ended.executor, reason)))
        if let abort = tasks.fail(
            ended, reason, counts: counts, elsewhere: elsewhere, now, &effects)
        {
            codeProbe(.stageAbortedByTaskFailures)
            dag.abort(abort.stage, abort.message, &tasks, &effects)
        } else if tasks.isOfBarrier(ended) {
            dag.barrierTaskFailed(ended, reason, now, &tasks, &effects)
        }
        tasks.settle(ended)
    }

    private mutating func decideCommit(
        _ executor: ExecutorID, _ task: TaskID, _ effects: inout Effects
    ) {
        var granted = false
        if let (stage, unit) = tasks.committer(task, on: executor) {
            granted = dag.mayCommit(task, stage: stage, unit: unit)
        } else if grants.mayCommit(task, on: executor) {
            granted = true
        } else {
            codeProbe(.commitDeniedToStranger)
        }
        effects.append(.commitDecided(executor, task, granted: granted))
    }

    // MARK: Time

    private mutating func fire(_ now: Instant, _ effects: inout Effects) {
        armedAt = .distantFuture
        fireTasks(now, &effects)
        repairGrants(now, &effects)
        dag.endOverdueMerges(now, &tasks, &effects)
        for executor in heartbeats.expired(tasks.executors, now: now) {
            let silence = now - tasks.executors.states[executor.rawValue].lastSeen
            let loss = ExecutorLoss(
                reason: "no heartbeat for \(Int(silence.milliseconds)) ms", causedByApp: true)
            codeProbe(.executorExpired)
            effects.append(.dismissExecutor(executor, loss))
            lose(executor, loss, now, &effects)
        }
        allocateIfDue(now, &effects)
        if let due = starvationDeadline, now >= due, let first = tasks.queue.first {
            starvationDeadline = nil
            codeProbe(.jobStarved)
            effects.append(
                .notice(.jobHasNoResources(first.job, executors: tasks.executors.aliveCount)))
        }
    }

    /// Asks for the next timer, if that is earlier than the one asked for. Most steps ask for
    /// nothing.
    private mutating func arm(_ now: Instant, _ effects: inout Effects) {
        if tasks.queue.isEmpty || !tasks.attempts.isEmpty {
            starvationDeadline = nil
        } else if starvationDeadline == nil {
            starvationDeadline = now + settings.starvationTimeout
        }
        tasks.watchQueues(now: now)
        var next = starvationDeadline ?? .distantFuture
        if let due = dag.resubmitAt { next = min(next, due) }
        if let due = dag.nextMergeDeadline { next = min(next, due) }
        if let due = dag.nextJobCheck { next = min(next, due) }
        if let due = heartbeats.nextCheck { next = min(next, due) }
        if let due = grants.nextCheck { next = min(next, due) }
        if let due = nextAllocationLook { next = min(next, due) }
        next = min(next, tasks.nextDeadline)
        if let due = nextDepartureDeadline(after: now) { next = min(next, due) }
        guard next < armedAt else { return }
        armedAt = next
        effects.append(.armTimer(next))
    }
}
