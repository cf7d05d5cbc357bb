import MillraceBase
import MillraceCore
import MillraceWire

/// Map outputs that change hands, and what outlives its executor.
extension Simulation {
    /// An executor fetches a map output from one that leaves, and keeps it: some time later.
    func adopt(_ move: OutputMove, on executor: SimulatedExecutor) {
        schedule(
            .adoption(executor: executor.id.rawValue, move),
            after: netChance.delay(network.delay * 2))
    }

    func endAdoption(_ move: OutputMove, on executor: SimulatedExecutor) {
        guard executor.isAlive else { return }
        let source = executors[move.from.rawValue]
        let key = SimulatedExecutor.BlockKey(shuffle: move.shuffle, task: move.mapTask)
        var isMoved = false
        if network.canReach(executor.host, source.host), let blocks = source.blocks[key] {
            isMoved = executor.keep(blocks, key)
        }
        note("\(executor.id) \(isMoved ? "has taken" : "could not take") \(move)")
        executor.outbox.movedOutputs.append(.init(move: move, isMoved: isMoved))
        reportSoon(executor)
    }

    // MARK: Shuffle services

    /// The service of a host loses what it serves for executors that are gone.
    func loseService() {
        let host = 1 + faultChance.below(plan.hosts)
        note("the shuffle service of host \(host) loses its files")
        misfortunes += 1
        for executor in executors where executor.host == host && !executor.isAlive {
            executor.blocks = [:]
        }
    }

    /// Services are told what nobody will read any more.
    func removeFromServices(_ shuffle: ShuffleID) {
        guard plan.hasShuffleService else { return }
        for executor in executors where !executor.isAlive { executor.remove(shuffle) }
    }

    // MARK: Machines

    /// A machine is gone with everything on it; now and then somebody tells the driver.
    func loseHost() {
        let host = 1 + faultChance.below(plan.hosts)
        note("host \(host) is gone")
        misfortunes += 1
        for executor in executors where executor.host == host {
            exit(executor, "its machine is gone")
            executor.blocks = [:]
        }
        if faultChance.chance(700) {
            tell(.hostLost("host-\(host)", ExecutorLoss(reason: "it is gone", causedByApp: false)))
        }
    }

    /// A process stops for a while, as a machine does that swaps: what comes to it waits.
    func freezeExecutor() {
        let candidates = executors.filter { $0.isAlive && !$0.isFrozen }
        guard !candidates.isEmpty else { return }
        let victim = faultChance.pick(candidates)
        note("\(victim.id) freezes")
        misfortunes += 1
        victim.isFrozen = true
        schedule(
            .repair(.frozen(victim.id.rawValue)),
            after: faultChance.delay(.milliseconds(faultChance.pick([20, 500, 5_000]))))
    }

    func thaw(_ executor: SimulatedExecutor) {
        guard executor.isFrozen else { return }
        executor.isFrozen = false
        let waiting = executor.waiting
        executor.waiting = []
        if executor.isAlive { note("\(executor.id) goes on") }
        for event in waiting { happen(event) }
    }

    /// Whether an event waits for its executor to go on.
    func isHeldBack(_ event: Happening) -> Bool {
        let id: Int
        switch event {
        case .arrival(let connection, .executor, _), .connectionEnd(let connection, .executor),
            .givingUp(let connection, .executor):
            id = network[connection].executor
        case .announcement(let executor, _), .heartbeat(let executor), .taskEnd(let executor, _),
            .report(let executor), .adoption(let executor, _):
            id = executor
        default: return false
        }
        guard executors[id].isFrozen, executors[id].isAlive else { return false }
        executors[id].waiting.append(event)
        return true
    }
}
