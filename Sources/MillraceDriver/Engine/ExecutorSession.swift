import MillraceBase
import MillraceCore
import MillraceWire

/// What the driver knows of one registered executor: what was sent to it, so that plans, stages and
/// map outputs travel once, and what this turn of the loop has for it.
final class ExecutorSession {
    struct StageKey: Hashable {
        var stage: StageID
        var attempt: Int
    }

    let id: ExecutorID
    let registration: ExecutorMessage.Registration
    let link: any ExecutorLink
    /// What this turn has for the executor. Who changes it puts the session on the turn's list.
    var outbox: DriverMessage {
        _read { yield waiting }
        _modify {
            if !isInTurn {
                isInTurn = true
                turn.add(self)
            }
            yield &waiting
        }
    }
    private var waiting = DriverMessage()
    private var isInTurn = false
    private let turn: Turn
    private var plans: Set<PlanHash> = []
    private var stages: Set<StageKey> = []
    private var outputEpochs: [ShuffleID: UInt64] = [:]
    /// Tasks come in runs of one stage; the last one is not looked up again.
    private var latest: StageKey?

    init(registration: ExecutorMessage.Registration, link: any ExecutorLink, turn: Turn) {
        self.turn = turn
        id = registration.executor
        self.registration = registration
        self.link = link
    }

    /// Adds tasks, and before them whatever this executor does not have yet.
    func launch(
        _ tasks: ArraySlice<TaskDescription>, core: DriverCore, plans known: PlanStore
    ) {
        for task in tasks {
            let key = StageKey(stage: task.stage, attempt: task.stageAttempt)
            if key != latest {
                prepare(key, core, known)
                latest = key
            }
        }
        outbox.launches.append(contentsOf: tasks)
    }

    private func prepare(_ key: StageKey, _ core: DriverCore, _ known: PlanStore) {
        guard let setup = core.setup(of: key.stage, attempt: key.attempt) else {
            preconditionFailure("a task of \(key.stage), which is over, was launched")
        }
        bring(setup.plan, for: "\(key.stage)", known)
        for shuffle in setup.inputShuffles {
            guard let epoch = core.mapOutputEpoch(of: shuffle), outputEpochs[shuffle] != epoch,
                let outputs = core.mapOutputs(of: shuffle)
            else { continue }
            outputEpochs[shuffle] = epoch
            outbox.mapOutputs.append(outputs)
        }
        if stages.insert(key).inserted {
            for dataset in setup.persisted {
                guard let holders = core.blockHolders(of: dataset.rdd) else { continue }
                outbox.blockHolders.append(.init(rdd: dataset.rdd, holders: holders))
            }
            outbox.stages.append(setup)
        }
    }

    /// Sends a plan unless it's there.
    func bring(_ plan: PlanHash, for user: @autoclosure () -> String, _ known: PlanStore) {
        guard plans.insert(plan).inserted else { return }
        guard let found = known[plan] else {
            preconditionFailure("\(user()) runs plan \(plan), which no job brought")
        }
        if let broadcast = found.broadcast {
            outbox.planBroadcasts.append(
                .init(plan: plan, totalBytes: found.bytes.count, broadcast: broadcast.id))
        } else {
            outbox.plans += DriverMessage.PlanPiece.pieces(of: found.bytes, plan: plan)
        }
    }

    /// The driver doesn't keep it any longer, so it's not to be kept there.
    func forget(_ plan: PlanHash) {
        guard plans.remove(plan) != nil else { return }
        // What this turn was to bring was never there.
        let isUnsent =
            outbox.plans.contains { $0.plan == plan }
            || outbox.planBroadcasts.contains { $0.plan == plan }
        guard isUnsent else { return outbox.removedPlans.append(plan) }
        outbox.plans.removeAll { $0.plan == plan }
        outbox.planBroadcasts.removeAll { $0.plan == plan }
    }

    /// It isn't there, whatever was sent: it's sent again with the next task that needs it.
    func miss(_ plan: PlanHash) {
        plans.remove(plan)
        latest = nil
    }

    var planCount: Int { plans.count }

    /// Stages and shuffles of which this executor has been told and not yet that they are over.
    var residentCount: Int { stages.count + outputEpochs.count }

    /// Map outputs change between two launches of one stage, so each turn of the loop looks again.
    func endTurn() {
        latest = nil
        isInTurn = false
        guard !waiting.isEmpty else { return }
        link.send(waiting)
        waiting = DriverMessage()
    }

    func greet(_ registered: DriverMessage.Registered, peers: [DriverMessage.Peer]) {
        outbox.registered = registered
        outbox.peers += peers
    }

    func introduce(_ peer: DriverMessage.Peer) { outbox.peers.append(peer) }

    func mourn(_ peer: ExecutorID) { outbox.lostPeers.append(peer) }

    func kill(_ task: TaskID, reason: String) {
        outbox.kills.append(.init(task: task, reason: reason))
    }

    func decideCommit(_ task: TaskID, _ isGranted: Bool) {
        outbox.commitDecisions.append(.init(task: task, isGranted: isGranted))
    }

    func decide(_ barrier: BarrierDecision) { outbox.barrierDecisions.append(barrier) }

    func remove(_ rdd: RDDID) { outbox.removedRDDs.append(rdd) }

    func fetch(_ pieces: DriverMessage.BroadcastPieces) { outbox.broadcastPieces.append(pieces) }

    func deny(_ broadcast: BroadcastID) { outbox.goneBroadcasts.append(broadcast) }

    func remove(_ broadcast: BroadcastID) { outbox.removedBroadcasts.append(broadcast) }

    func decommission(_ reason: String) { outbox.decommission = reason }

    func take(_ move: OutputMove) { outbox.outputMoves.append(move) }

    func copy(_ copy: BlockCopy) { outbox.blockCopies.append(copy) }

    func remove(_ shuffle: ShuffleID) {
        outputEpochs[shuffle] = nil
        outbox.removedShuffles.append(shuffle)
    }

    func finish(_ stage: StageID, attempts: Int) {
        var isKnown = false
        for attempt in 0..<max(attempts, 1)
        where stages.remove(.init(stage: stage, attempt: attempt)) != nil {
            isKnown = true
        }
        if isKnown { outbox.finishedStages.append(stage) }
    }

    /// It's gone: nobody is there to be sent anything.
    func abandon() { waiting = DriverMessage() }

    func shutDown(reason: String) {
        outbox.shutdown = reason
        endTurn()
        link.close(reason: reason)
    }
}
