import MillraceBase

/// Lets many micro-batches of a query run on one decision.
///
/// The first batch of a group is placed (`Placement`), and its executors get a `Grant`. From then
/// on a batch is one message to each of them, with the inputs of its tasks: map tasks run at once,
/// reduce tasks are parked where they will run, and map outputs go straight to them. Nothing here
/// or in the other schedulers is decided for a batch but whether its grant still holds: the same
/// stages (`GrantShape`), executors that all take tasks and have room, no new executor, nobody else
/// waiting, batches left. Otherwise a new grant is made, or, where there is no room, the batch goes
/// the ordinary way and waits its turn there.
///
/// Whatever goes wrong within a batch (a task's failure, a lost executor, a cancellation) takes the
/// grant back, and the `DAGScheduler` gets the batch with what is done of it
/// (`DriverCore+Grants.swift`). Task numbers fence: a task of a batch that was taken back is
/// unknown. How many batches a group has: `GroupSize`.
struct GrantScheduler: Sendable {
    struct Query: Sendable, SlabElement {
        var size: GroupSize
        var active: ActiveGrant?
        /// By stage, expected run time of a task in nanoseconds; 0 while unknown.
        var estimates: [Int64] = []
        mutating func vacate() { active = nil }
    }

    struct ActiveGrant: Sendable {
        let grant: Grant
        let shape: GrantShape
        let executors: [ExecutorID]
        /// By position in `executors`, tasks that a batch starts there with.
        let starts: [Int]
        /// How many executors had ever registered.
        let registered: Int
        var left: Int
        /// Sums over the batches that ended.
        var work = Duration.zero
        var total = Duration.zero
    }

    private(set) var settings: GroupSize.Settings
    var queries = IdentifierMap<QueryID, Query>()
    /// Batches at work, by ascending task numbers: at most one for each query.
    var runs: [GrantedRun] = []
    /// Batches that were taken back, until the ends of their tasks are reported.
    var revoked: [GrantedRun] = []
    var nextGrant = GrantID(0)
    /// Batches whose last task ended in this step.
    var finished: [FinishedBatch] = []

    /// A granted task runs where it was placed and nowhere else: who wants copies of slow tasks, or
    /// tasks kept away from where they failed, has every batch scheduled on its own.
    init(settings: CoreSettings) {
        self.settings = settings.groups
        if settings.speculation.isEnabled || settings.exclusion.isEnabled {
            self.settings.isEnabled = false
        }
    }

    var isIdle: Bool { runs.isEmpty && revoked.isEmpty }
    /// When to look for batches that don't end.
    @inline(__always) var nextCheck: Instant? { runs.lazy.map(\.checkAt).min() }

    // MARK: A batch comes

    /// Starts the batch under its query's grant, perhaps a new one. False when it has to go the
    /// ordinary way.
    mutating func submit(
        _ job: JobDescription, _ now: Instant, firstStage: inout StageID,
        _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) -> Bool {
        guard settings.isEnabled, let query = job.properties.streamingQuery,
            job.properties.query != nil, job.properties.batch != nil,
            !runs.contains(where: { $0.query == query })
        else { return false }
        let slot =
            queries.slot(of: query)
            ?? queries.insert(Query(size: GroupSize(settings)), for: query)
        guard let shape = GrantShape(job), tasks.queue.isEmpty else {
            endGroup(slot, &effects)
            return false
        }
        if let active = queries[slot: slot].active, !holds(active, for: shape, tasks) {
            let previous = active.grant
            endGroup(slot, &effects)
            make(slot, shape, job, after: previous, tasks, &effects)
        } else if queries[slot: slot].active == nil {
            make(slot, shape, job, after: nil, tasks, &effects)
        }
        guard let active = queries[slot: slot].active, hasRoom(active, now, tasks) else {
            codeProbe(.grantWithoutRoom)
            endGroup(slot, &effects)
            return false
        }
        start(job, slot, query, shape, now, &firstStage, &tasks, &effects)
        return true
    }

    private func holds(
        _ active: ActiveGrant, for shape: GrantShape, _ tasks: TaskScheduler
    ) -> Bool {
        active.left > 0 && active.shape == shape
            && active.registered == tasks.executors.states.count
            && active.executors.allSatisfy(tasks.executors.takesTasks)
    }

    /// Whether the tasks that a batch starts with find cores, or wait for short batches of other
    /// queries only. Nothing here takes a task back from a queue, so it never waits for others.
    private func hasRoom(
        _ active: ActiveGrant, _ now: Instant, _ tasks: TaskScheduler
    ) -> Bool {
        for (position, executor) in active.executors.enumerated() {
            let state = tasks.executors.states[executor.rawValue]
            let wanted = min(active.starts[position], state.cores)
            guard state.cores - state.held >= wanted else { return false }
            if state.cores - state.held - state.granted >= wanted { continue }
            guard state.grantedWork <= tasks.queueTime, isMoving(executor, now, tasks) else {
                return false
            }
        }
        return true
    }

    /// Whether what is at work there began as lately as short batches do.
    private func isMoving(
        _ executor: ExecutorID, _ now: Instant, _ tasks: TaskScheduler
    ) -> Bool {
        for run in runs where (now - run.begun).nanoseconds > 4 * tasks.queueTime {
            if run.grant.stages.contains(where: { $0.executors.contains(executor) }) {
                return false
            }
        }
        return true
    }

    private mutating func make(
        _ slot: Int, _ shape: GrantShape, _ job: JobDescription, after previous: Grant?,
        _ tasks: TaskScheduler, _ effects: inout Effects
    ) {
        var candidates: [Placement.Candidate] = []
        for (id, state) in tasks.executors.states.enumerated()
        where state.takesTasks && state.held < state.cores {
            candidates.append(.init(executor: ExecutorID(id), cores: state.cores - state.held))
        }
        guard !candidates.isEmpty else { return }
        var placement = Placement(candidates)
        var stages: [GrantedStage] = []
        for (place, stage) in shape.stages.enumerated() {
            var preferred = job.lineage.nodes[place].preferred.executors
            if preferred.isEmpty, let before = previous?.stages,
                before.count == shape.stages.count,
                before[place].executors.count == stage.taskCount
            {
                preferred = before[place].executors.map { [$0] }
            }
            stages.append(
                GrantedStage(
                    plan: stage.plan, parents: stage.parents, reducerCount: stage.reducerCount,
                    executors: placement.place(stage.taskCount, preferred: preferred)))
        }
        let grant = Grant(
            id: nextGrant, batches: queries[slot: slot].size.batches, query: job.properties.query,
            stages: stages, localProperties: job.properties.localProperties)
        nextGrant = nextGrant.next
        let executors = grant.executors
        var starts = [Int](repeating: 0, count: executors.count)
        for stage in stages where stage.parents.isEmpty {
            for executor in stage.executors { starts[executors.firstIndex(of: executor)!] += 1 }
        }
        queries[slot: slot].active = ActiveGrant(
            grant: grant, shape: shape, executors: executors, starts: starts,
            registered: tasks.executors.states.count, left: grant.batches)
        if queries[slot: slot].estimates.count != stages.count {
            queries[slot: slot].estimates = [Int64](repeating: 0, count: stages.count)
        }
        effects.append(.grant(grant))
    }

    private mutating func start(
        _ job: JobDescription, _ slot: Int, _ query: QueryID, _ shape: GrantShape,
        _ now: Instant, _ firstStage: inout StageID, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        let grant = queries[slot: slot].active!.grant
        queries[slot: slot].active!.left -= 1
        let first = tasks.nextTask
        tasks.nextTask = TaskID(first.rawValue + grant.taskCount)
        var run = GrantedRun(
            query: query, grant: grant, job: job, shuffles: shape.shuffles,
            firstStage: firstStage, firstTask: first, begun: now,
            estimates: queries[slot: slot].estimates.map { $0 > 0 ? $0 : tasks.queueTime },
            checkAt: now + settings.repairDelay)
        firstStage = StageID(firstStage.rawValue + grant.stages.count)
        for stage in grant.stages.indices {
            for executor in grant.stages[stage].executors { tasks.park(executor.rawValue) }
            if grant.stages[stage].parents.isEmpty { Self.occupy(stage, of: &run, &tasks) }
        }
        effects.append(
            .runBatch(
                GrantedBatch(
                    grant: grant.id, job: job.id, batch: job.properties.batch,
                    firstStage: run.firstStage, firstTask: first, shuffles: shape.shuffles,
                    inputs: shape.inputs(of: job))))
        runs.append(run)
    }

    /// The stage's tasks are runnable from now on.
    static func occupy(_ stage: Int, of run: inout GrantedRun, _ tasks: inout TaskScheduler) {
        for partition in run.grant.stages[stage].executors.indices
        where !run.hasEnded(stage, partition) {
            run.start(stage, partition)
            tasks.occupy(run.executor(stage, partition).rawValue, for: run.estimates[stage])
        }
    }

    // MARK: A group ends

    /// Between two batches. Whatever the reason: the next batch decides anew.
    mutating func endGroup(_ slot: Int, _ effects: inout Effects) {
        guard let active = queries[slot: slot].active else { return }
        queries[slot: slot].active = nil
        queries[slot: slot].size.groupEnded(work: active.work, total: active.total)
        effects.append(.endGrant(active.grant.id, active.executors))
    }

    /// The query is over.
    mutating func endQuery(_ query: QueryID, _ effects: inout Effects) {
        guard let slot = queries.slot(of: query) else { return }
        endGroup(slot, &effects)
        queries.remove(query)
    }
}
