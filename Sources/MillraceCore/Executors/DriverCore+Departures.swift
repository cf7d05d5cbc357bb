import MillraceBase

/// Decommissioned executors hand on their map outputs and are let go.
///
/// An output goes to an executor that stays, which fetches it and says so; from then on it's the
/// one that readers are sent to. The executor leaves when it has no task, nothing to hand on, and
/// no task is left that was launched when its outputs were still there: so nothing is computed
/// again. What couldn't be moved in `maxFailures` attempts is lost with it, and after
/// `CoreSettings.decommissionTimeout` everything is. Spark's BlockManagerDecommissioner, with the
/// driver in charge.
extension DriverCore {
    /// What the loss of an executor says that left in order. Spark's
    /// `ExecutorLossMessage.decommissionFinished`.
    static let decommissionFinished = "Finished decommissioning"

    mutating func depart(
        _ executor: ExecutorID, _ reason: String, _ now: Instant, _ effects: inout Effects
    ) {
        // Also one that is excluded: it would take tasks again when that is over.
        guard tasks.executors.isAlive(executor),
            !tasks.executors.states[executor.rawValue].isDecommissioned
        else { return }
        tasks.decommission(executor, reason: reason, now, &effects)
        dag.blocks.decommission(executor, tasks.executors, &effects)
        if settings.departures != nil { departures.append(Departure(executor: executor)) }
    }

    /// At the end of each step. Returns whether somebody went, so that tasks may wait again.
    mutating func letGo(_ now: Instant, _ effects: inout Effects) -> Bool {
        guard !departures.isEmpty else { return false }
        var gone: [Departure] = []
        for place in departures.indices {
            if departures[place].waiting.isEmpty, departures[place].moving.isEmpty {
                listOutputs(place)
            }
            sendOutputs(place, now, &effects)
            if isFree(place, now) { gone.append(departures[place]) }
        }
        for departure in gone {
            effects.append(
                .notice(
                    .executorDeparts(
                        departure.executor, moved: departure.moved, lost: lostCount(departure))))
            kill(departure.executor, reason: DriverCore.decommissionFinished, now, &effects)
        }
        return !gone.isEmpty
    }

    /// Outputs that go with it: nobody took them, or nobody could.
    private func lostCount(_ departure: Departure) -> Int {
        guard let own = settings.departures else { return 0 }
        return departure.waiting.count
            + departure.failures.count { $0.count >= own.maxFailures && dag.outputs.has($0.move) }
    }

    /// One that is past keeps nobody: what else does ends with some other event.
    @inline(__always) func nextDepartureDeadline(after now: Instant) -> Instant? {
        if departures.isEmpty { return nil }
        var next: Instant?
        for departure in departures {
            if let due = departure.givesUpAt, due > now { next = min(next ?? due, due) }
        }
        return next
    }

    /// The executor that was to fetch an output has, or couldn't.
    mutating func outputMoved(_ move: OutputMove, isMoved: Bool, _ effects: inout Effects) {
        guard let place = departures.firstIndex(where: { $0.executor == move.from }),
            let position = departures[place].moving.firstIndex(where: {
                $0.isSame(move) && $0.to == move.to
            })
        else { return }
        departures[place].moving.remove(at: position)
        guard isMoved else {
            codeProbe(.outputNotTaken)
            departures[place].countFailure(move)
            effects.append(.notice(.outputNotMoved(move)))
            return
        }
        if tasks.executors.isAlive(move.to), dag.outputs.move(move) {
            codeProbe(.outputHandedOn)
            departures[place].moved += 1
            departures[place].readersBefore = tasks.nextTask
        }
    }

    /// An executor is gone: what it was to hand on, and what it was to get.
    mutating func forgetDeparture(_ executor: ExecutorID) {
        guard !departures.isEmpty else { return }
        departures.removeAll { $0.executor == executor }
        for place in departures.indices {
            departures[place].moving.removeAll { $0.to == executor }
        }
    }

    // MARK: One executor's outputs

    /// Finds what there is to move: at first everything, later what its last tasks made and what
    /// is to be tried again.
    private mutating func listOutputs(_ place: Int) {
        let executor = departures[place].executor
        guard let own = settings.departures, own.movesOutputs,
            !tasks.executors.keepsOutputs(executor), !dag.outputs.index.isEmpty(of: executor)
        else { return }
        for entry in dag.outputs.index.entries(of: executor).reversed() {
            let shuffle = dag.outputs.shuffles[slot: Int(entry.shuffle)].id
            let status = dag.outputs.shuffles[slot: Int(entry.shuffle)].statuses[
                Int(entry.mapIndex)]!
            let move = OutputMove(
                shuffle: shuffle, mapIndex: Int(entry.mapIndex), mapTask: status.mapTask,
                sizes: status.sizes, from: executor, to: executor)
            if departures[place].failureCount(move) < own.maxFailures {
                departures[place].waiting.append(move)
            }
        }
    }

    private mutating func sendOutputs(_ place: Int, _ now: Instant, _ effects: inout Effects) {
        guard let own = settings.departures else { return }
        while departures[place].moving.count < own.maxMoves,
            var move = departures[place].waiting.last
        {
            guard dag.outputs.has(move) else {
                departures[place].waiting.removeLast()
                continue
            }
            guard let peer = nextPeer(after: departures[place].lastPeer) else {
                // Nobody is there to take them; perhaps somebody comes.
                if departures[place].givesUpAt == nil {
                    departures[place].givesUpAt = now + own.patience
                }
                return
            }
            departures[place].givesUpAt = nil
            departures[place].waiting.removeLast()
            departures[place].lastPeer = peer
            move.to = ExecutorID(peer)
            departures[place].moving.append(move)
            effects.append(.moveOutput(move))
        }
    }

    private func nextPeer(after last: Int) -> Int? {
        let count = tasks.executors.states.count
        for step in 1...max(count, 1) {
            let id = (last + step) % max(count, 1)
            if id < count, tasks.executors.states[id].takesTasks { return id }
        }
        return nil
    }

    private mutating func isFree(_ place: Int, _ now: Instant) -> Bool {
        guard heldTaskCount(of: departures[place].executor) == 0,
            departures[place].moving.isEmpty
        else { return false }
        if !departures[place].waiting.isEmpty {
            guard let due = departures[place].givesUpAt, now >= due else { return false }
        }
        if dag.blocks.isCopying(from: departures[place].executor) { return false }
        return !hasOldReader(place)
    }

    /// Whether a task runs that was told of the outputs' old place. Looked for only when nothing
    /// else keeps the executor.
    private mutating func hasOldReader(_ place: Int) -> Bool {
        if let known = departures[place].reader, tasks.attempts.slot(of: known) != nil {
            return true
        }
        departures[place].reader = nil
        for slot in 0..<tasks.attempts.slotBound {
            guard let task = tasks.attempts.id(at: slot), task < departures[place].readersBefore,
                !tasks.sets[slot: tasks.attempts[slot: slot].setSlot].plan.inputShuffles.isEmpty
            else { continue }
            departures[place].reader = task
            return true
        }
        return false
    }
}

extension MapOutputTracker {
    /// Whether the output is still where it would be moved from.
    func has(_ move: OutputMove) -> Bool {
        guard let slot = shuffles.slot(of: move.shuffle),
            let status = shuffles[slot: slot].statuses[move.mapIndex]
        else { return false }
        return status.executor == move.from && status.mapTask == move.mapTask
    }
}
