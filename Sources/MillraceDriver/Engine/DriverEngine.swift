import MillraceBase
import MillraceCore
import MillraceWire

/// Performs what `DriverCore` decides. Owns the core, the executors' sessions and the jobs that
/// wait for their end.
///
/// Belongs to the driver's loop: everything that happens comes in as an event, and what the events
/// of one turn have for an executor leaves as one message when the turn ends (`endTurn`).
package final class DriverEngine {
    /// Set by the shell that owns the loop: wants `timerFired()` at that instant.
    package var armTimer: (Instant) -> Void = { _ in }
    /// Set by the backend that owns the executors' processes: this one was given up.
    package var dismissed: (ExecutorID, ExecutorLoss) -> Void = { _, _ in }
    /// Set by the backend: so many executors are wanted. Whether it could be asked for.
    package var requested: (Int) -> Bool = { _ in false }
    /// Set by the backend: this one was asked to end, and is expected to.
    package var released: (ExecutorID, String) -> Void = { _, _ in }
    /// Set by the shell: takes what comes of effects later, on the loop.
    var answered: (DriverEvent) -> Void = { _ in }
    /// Who registered, for those that wait for executors.
    var registrationsChanged: () -> Void = {}

    /// Set by the backend, where executors' files outlive them.
    var shuffleServices: ShuffleServices?

    let applicationID: String
    private let heartbeatInterval: Duration
    /// Takes what happens to accumulators; on the loop, in order.
    private let accumulate: @Sendable (AccumulatorChange) -> Void
    package private(set) var core: DriverCore
    /// Sees every effect before it is performed; for the simulator.
    package var observe: ((Effect, [TaskDescription]) -> Void)?
    private var effects = Effects()
    private var sessions: [ExecutorID: ExecutorSession] = [:]
    private let turn = Turn()
    /// Executors in the order in which they registered.
    private(set) var order: [ExecutorID] = []
    private var jobs: [JobID: PendingJob] = [:]
    private var plans: PlanStore
    private var grants = LiveGrants()
    /// What followed at once from the effects of this step, for the core to know.
    private var answers: [DriverEvent] = []
    /// Where the driver serves its own blocks; 0: nowhere.
    var blockPort = 0
    /// Executors encrypt their files by it; empty: they do not.
    var ioKey: [UInt8] = []
    /// Datasets whose blocks are being removed.
    private(set) var removals = BlockRemovals()

    package init(
        applicationID: String, settings: CoreSettings, heartbeatInterval: Duration,
        idlePlanBytes: Int = 32 << 20,
        accumulate: @escaping @Sendable (AccumulatorChange) -> Void
    ) {
        self.applicationID = applicationID
        self.heartbeatInterval = heartbeatInterval
        self.accumulate = accumulate
        plans = PlanStore(limit: idlePlanBytes)
        core = DriverCore(settings: settings)
    }

    // MARK: Events

    package func submit(_ job: PendingJob, now: Instant) {
        for plan in job.plans { plans.hold(plan) }
        jobs[job.description.id] = job
        handle(.jobSubmitted(job.description), now)
    }

    package func handle(_ event: DriverEvent, _ now: Instant) {
        core.handle(event, now: now, into: &effects)
        perform(now)
    }

    package func register(
        _ registration: ExecutorMessage.Registration, link: any ExecutorLink, sendsHeartbeats: Bool,
        now: Instant
    ) {
        let session = ExecutorSession(registration: registration, link: link, turn: turn)
        let peer = Self.peer(registration)
        session.greet(
            .init(
                applicationID: applicationID, heartbeatInterval: heartbeatInterval,
                blockPort: blockPort, ioKey: ioKey),
            peers: order.compactMap { sessions[$0].map { Self.peer($0.registration) } } + [peer]
                + (shuffleServices?.peers ?? []))
        shuffleServices?.executorRegistered(registration)
        for executor in order { sessions[executor]?.introduce(peer) }
        sessions[registration.executor] = session
        order.append(registration.executor)
        handle(
            .executorRegistered(
                registration.executor, host: registration.host, cores: registration.cores,
                sendsHeartbeats: sendsHeartbeats,
                hasShuffleService: registration.serviceBlockPort != nil),
            now)
        registrationsChanged()
    }

    /// Its connection broke or its process ended. Nothing when it is gone already.
    package func lose(_ executor: ExecutorID, _ loss: ExecutorLoss, now: Instant) {
        guard let session = sessions.removeValue(forKey: executor) else { return }
        forget(session)
        session.abandon()
        session.link.close(reason: loss.reason)
        handle(.executorLost(executor, loss), now)
        registrationsChanged()
    }

    private func forget(_ session: ExecutorSession) {
        order.removeAll { $0 == session.id }
        removals.lose(session.id)
        let heir = shuffleServices?.executorLost(session.registration)
        for other in order {
            if let heir {
                sessions[other]?.introduce(heir)
            } else {
                sessions[other]?.mourn(session.id)
            }
        }
    }

    package func receive(_ message: ExecutorMessage, from executor: ExecutorID, now: Instant) {
        guard sessions[executor] != nil else { return }
        if message.heartbeat != nil { handle(.heartbeat(executor), now) }
        if !message.partialAccumulators.isEmpty {
            handle(.accumulatorsReported(executor, message.partialAccumulators), now)
        }
        if !message.blocks.isEmpty { handle(.blocksUpdated(executor, message.blocks), now) }
        for plan in message.missingPlans { sessions[executor]?.miss(plan) }
        for id in message.wantedBroadcasts { handle(.broadcastWanted(id, by: executor), now) }
        for fetch in message.broadcastFetches {
            handle(
                .pieceFetched(
                    BroadcastFetch(
                        broadcast: fetch.broadcast, piece: fetch.piece, executor: executor,
                        outcome: fetch.outcome)), now)
        }
        for rdd in message.removedRDDs { removals.answer(rdd, of: executor) }
        for moved in message.movedOutputs {
            handle(.outputMoved(moved.move, isMoved: moved.isMoved), now)
        }
        if let reason = message.decommission {
            handle(.executorDecommissioned(executor, reason: reason), now)
        }
        for task in message.commitRequests { handle(.commitRequested(executor, task), now) }
        for request in message.barrierRequests { handle(.barrierReached(executor, request), now) }
        if !message.taskEnds.isEmpty { handle(.tasksEnded(executor, message.taskEnds), now) }
        if !message.pushedOutputs.isEmpty {
            handle(.outputsPushed(message.pushedOutputs), now)
        }
    }

    /// Sends what this turn of the loop made.
    package func endTurn() {
        turn.end()
    }

    /// Jobs fail with `error`, or as cancelled.
    package func shutDown(reason: String, error: MillraceError? = nil) {
        for executor in order { sessions[executor]?.shutDown(reason: reason) }
        sessions = [:]
        order = []
        for job in jobs.values.sorted(by: { $0.description.id < $1.description.id }) {
            job.fail(
                error ?? MillraceError(.cancelled, "the application was stopped: \(reason)"))
        }
        jobs = [:]
        // Their broadcasts hold on to who made them.
        plans = PlanStore(limit: 0)
    }

    // MARK: What others may know

    /// Stages and shuffles that executors keep, over all of them.
    package var residentCount: Int {
        order.reduce(0) { $0 + (sessions[$1]?.residentCount ?? 0) }
    }
    /// Plans that the driver keeps, and that it believes at executors, over all of them.
    package var planCount: Int { plans.count }
    package var sentPlanCount: Int { order.reduce(0) { $0 + (sessions[$1]?.planCount ?? 0) } }
    /// What is not true of the core that always should be; for the simulator. (Looked at where it
    /// lies: read, it would be copied first, with all its tables' reference counts.)
    package var violations: [String] { Self.violations(of: &core) }
    @inline(never) private static func violations(of core: inout DriverCore) -> [String] {
        core.violations()
    }
    package func setup(of stage: StageID, attempt: Int) -> StageSetup? {
        core.setup(of: stage, attempt: attempt)
    }
    /// Jobs that have no end yet.
    package var pendingJobCount: Int { jobs.count }

    var registrations: [ExecutorMessage.Registration] {
        order.compactMap { sessions[$0]?.registration }
    }
    var totalCores: Int { registrations.reduce(0) { $0 + $1.cores } }
    var runningJobs: [(id: JobID, properties: JobProperties)] {
        jobs.keys.sorted().map { ($0, jobs[$0]!.description.properties) }
    }
    var storageInfo: [RDDStorageInfo] { core.storageInfo }
    func heldTaskCount(of executor: ExecutorID) -> Int { core.heldTaskCount(of: executor) }

    // MARK: Effects

    private func perform(_ now: Instant) {
        guard !effects.isEmpty else { return }
        var current = Effects()
        swap(&current, &effects)
        for effect in current.list {
            observe?(effect, current.launches)
            perform(effect, current.launches, now)
        }
        current.removeAll()
        effects = current
        // Only now, for the core's decisions are to be performed before it makes new ones.
        while !answers.isEmpty { handle(answers.removeFirst(), now) }
    }

    private func perform(_ effect: Effect, _ launches: [TaskDescription], _ now: Instant) {
        switch effect {
        case .launch(let executor, let range):
            sessions[executor]?.launch(launches[range], core: core, plans: plans)
        case .grant(let grant): grants.begin(grant, sessions, &plans)
        case .runBatch(let batch): grants.run(batch, sessions)
        case .endGrant(let grant, let executors):
            grants.end(grant, &plans)
            for executor in executors { sessions[executor]?.endGrant(grant) }
        case .revokeGrant(let grant, let executors):
            grants.end(grant, &plans)
            for executor in executors { sessions[executor]?.revokeGrant(grant) }
        case .tellMapOutputs(let executor, let outputs): sessions[executor]?.tell(outputs)
        case .kill(let executor, let task, let reason):
            sessions[executor]?.kill(task, reason: reason)
        case .taskResult(let id, let index, let bytes):
            jobs[id]?.accept(bytes, at: index)
        case .taskMetrics(let id, let stage, let partition, let executor, let metrics):
            jobs[id]?.note(
                .init(stage: stage, partition: partition, executor: executor, metrics: metrics))
        case .accumulators(let change): accumulate(change)
        case .jobSucceeded(let id): succeed(id)
        case .jobFailed(let id, let failure): end(id)?.fail(failure.error)
        case .stageEnded(let summary):
            jobs[summary.job]?.note(summary)
            for executor in order {
                sessions[executor]?.finish(summary.stage, attempts: summary.attempts)
            }
        case .grantedRunTime(let id, let time): jobs[id]?.note(time)
        case .removeRDD(let rdd):
            removals.begin(rdd, on: order)
            for executor in order { sessions[executor]?.remove(rdd) }
        case .copyBlock(let copy, let target): sessions[target]?.copy(copy)
        case .fetchPieces(let id, let sources, let executor):
            sessions[executor]?.fetch(.init(broadcast: id, sources: sources))
        case .broadcastGone(let id, let executor): sessions[executor]?.deny(id)
        case .removeBroadcast(let id):
            for executor in order { sessions[executor]?.remove(id) }
        case .removeShuffle(let shuffle):
            for executor in order { sessions[executor]?.remove(shuffle) }
            shuffleServices?.remove(shuffle)
        case .dismissExecutor(let executor, let loss):
            close(executor, loss.reason)
            dismissed(executor, loss)
        case .decommissionExecutor(let executor, let reason):
            sessions[executor]?.decommission(reason)
            registrationsChanged()
        case .moveOutput(let move):
            guard let session = sessions[move.to] else {
                answers.append(.outputMoved(move, isMoved: false))
                return
            }
            session.take(move)
        // A drained one the core lets go of itself (`releaseExecutor`).
        case .stageStarted, .executorDrained: break
        case .releaseExecutor(let executor, let reason): release(executor, reason)
        case .finalizeMerge(let shuffle, let plan, let hosts):
            answers += finalize(shuffle, plan, hosts)
        case .requestExecutors(let total):
            let isAccepted = requested(total)
            answers.append(.executorRequestAnswered(total: total, isAccepted: isAccepted))
        case .commitDecided(let executor, let task, let granted):
            sessions[executor]?.decideCommit(task, granted)
        case .barrierDecided(let executor, let decision):
            sessions[executor]?.decide(decision)
        case .armTimer(let instant): armTimer(instant)
        case .notice(let notice): Self.log(notice)
        }
    }

    private func succeed(_ id: JobID) {
        let job = end(id)
        if let batch = core.finishedBatch(of: id) { job?.note(batch) }
        job?.succeed()
    }

    /// Its plans may go, if nothing else needs them.
    private func end(_ id: JobID) -> PendingJob? {
        guard let job = jobs.removeValue(forKey: id) else { return nil }
        for plan in job.plans { plans.release(plan.hash) }
        for plan in plans.trim(isUsed: core.isUsingPlan) {
            for executor in order { sessions[executor]?.forget(plan) }
        }
        return job
    }

    private func close(_ executor: ExecutorID, _ reason: String) {
        guard let session = sessions.removeValue(forKey: executor) else { return }
        forget(session)
        session.shutDown(reason: reason)
        registrationsChanged()
    }

    private func release(_ executor: ExecutorID, _ reason: String) {
        close(executor, reason)
        released(executor, reason)
    }

    private static func peer(_ registration: ExecutorMessage.Registration) -> DriverMessage.Peer {
        DriverMessage.Peer(
            executor: registration.executor, host: registration.host, port: registration.blockPort,
            servicePort: registration.serviceBlockPort)
    }

    private static func log(_ notice: Notice) {
        switch notice.level {
        case .debug: Log.debug("driver", notice.description)
        case .info: Log.info("driver", notice.description)
        case .warn: Log.warn("driver", notice.description)
        case .error, .off: Log.error("driver", notice.description)
        }
    }
}
