import MillraceBase

/// Launching all tasks of a barrier stage in one step, or none.
///
/// Every task needs a core of its own, at once: nothing is queued behind another task, nothing
/// waits for the executor that has its data. When it has been the set's turn and there wasn't room
/// for all, every core that is free or comes free is kept for it until there is, so that a stream
/// of short tasks can't keep it from ever running. (Spark lets the others pass, and its barrier
/// stages starve.) Nothing is kept while the executors together are too few.
extension TaskScheduler {
    /// A barrier set that isn't launched.
    struct BarrierWait: Sendable {
        let set: TaskSetID
        /// Set while the executors together are too few.
        var check: SlotCheck?
        var look: Look?

        /// What was seen when there were free cores, but not enough: enough for the next look to
        /// know that too little has happened since.
        struct Look: Sendable {
            var missing: Int
            var ends: Int
            var takingChanges: Int
            var hasGrants: Bool
        }
    }

    enum BarrierOffer { case launched, waits, impossible }

    mutating func offerTogether(_ slot: Int, _ now: Instant) -> BarrierOffer {
        let count = sets[slot: slot].tasks.count
        guard executors.takingCores >= count else { return .impossible }
        guard hasFreeCores(count, for: slot) else {
            codeProbe(.coresKeptForBarrier)
            reservedFor = sets[slot: slot].id
            return .waits
        }
        launchTogether(slot, now)
        forgetWait(sets[slot: slot].id)
        dequeue(slot)
        return .launched
    }

    /// The set for which cores are kept comes before all others. Whether these may be asked.
    mutating func offerReserved(_ now: Instant) -> Bool {
        guard let slot = reservedFor.flatMap({ sets.slot(of: $0) }) else { return true }
        switch offerTogether(slot, now) {
        case .launched: return true
        case .waits: return false
        case .impossible:
            reservedFor = nil
            return true
        }
    }

    /// Tasks that have ended so far.
    private var endCount: Int { nextTask.rawValue - attempts.count }

    /// Looks at executors with a free core only, and not again before enough tasks have ended.
    private mutating func hasFreeCores(_ count: Int, for slot: Int) -> Bool {
        let id = sets[slot: slot].id
        let place = barrierWaits.firstIndex { $0.set == id }
        if let place, let look = barrierWaits[place].look, !look.hasGrants, grantedCount == 0,
            look.takingChanges == executors.takingChanges, endCount - look.ends < look.missing
        {
            return false
        }
        var free = 0
        var position = 0
        while free < count, position < freeRing.count {
            let state = executors.states[freeRing[position]]
            if state.hasFreeCore { free += state.cores - state.held - state.granted }
            position += 1
        }
        if free >= count { return true }
        if let place {
            barrierWaits[place].look = BarrierWait.Look(
                missing: count - free, ends: endCount, takingChanges: executors.takingChanges,
                hasGrants: grantedCount > 0)
        }
        return false
    }

    /// There is room for all. First to the executors that they prefer, then one to each executor
    /// in turn.
    private mutating func launchTogether(_ slot: Int, _ now: Instant) {
        let count = sets[slot: slot].tasks.count
        var places = [ExecutorID](repeating: ExecutorID(-1), count: count)
        for index in 0..<count {
            let partition = sets[slot: slot].partition(index)
            guard let (executor, level) = preferredPlace(partition, of: slot) else { continue }
            launch(index, of: slot, on: executor, at: level, now)
            places[partition] = ExecutorID(executor)
        }
        for index in 0..<count where sets[slot: slot].tasks[index].isPending {
            guard let executor = nextFreeCore() else {
                preconditionFailure("free cores of a barrier stage were counted wrongly")
            }
            launch(index, of: slot, on: executor, at: .any, now)
            hasRoom(executor)
            places[sets[slot: slot].partition(index)] = ExecutorID(executor)
        }
        sets[slot: slot].barrier!.executors = places
    }

    private func preferredPlace(
        _ partition: Int, of slot: Int
    ) -> (executor: Int, level: LocalityLevel)? {
        let preferred = sets[slot: slot].barrier!.preferred
        if !preferred.executors.isEmpty {
            for executor in preferred.executors[partition]
            where executors.takesTasks(executor)
                && executors.states[executor.rawValue].hasFreeCore
            {
                return (executor.rawValue, .process)
            }
        }
        if !preferred.hosts.isEmpty {
            for host in preferred.hosts[partition] {
                for executor in executors.hosts.executors(on: host)
                where executors.states[executor].hasFreeCore {
                    return (executor, .node)
                }
            }
        }
        return nil
    }

    private mutating func nextFreeCore() -> Int? {
        while let executor = freeRing.popFirst() {
            executors.states[executor].isInFreeRing = false
            if executors.states[executor].hasFreeCore { return executor }
            hasRoom(executor)
        }
        return nil
    }

    /// By partition, where the tasks of a barrier set run; empty for another set.
    func barrierExecutors(of id: TaskSetID?, attempt: Int) -> [ExecutorID] {
        guard let slot = id.flatMap({ sets.slot(of: $0) }),
            sets[slot: slot].stageAttempt == attempt
        else { return [] }
        return sets[slot: slot].barrier?.executors ?? []
    }

    /// Whether the end of the task is that of its set.
    func isOfBarrier(_ ended: Ended) -> Bool {
        guard let slot = sets.slot(of: ended.set) else { return false }
        return sets[slot: slot].plan.isBarrier
    }

    // MARK: Waiting

    mutating func forgetWait(_ id: TaskSetID) {
        barrierWaits.removeAll { $0.set == id }
        if reservedFor == id { reservedFor = nil }
    }

    /// After an offer: whether the executors together are too few, or no longer.
    mutating func watchBarriers(_ now: Instant, _ effects: inout Effects) {
        for place in barrierWaits.indices {
            let slot = sets.slot(of: barrierWaits[place].set)!
            let count = sets[slot: slot].tasks.count
            guard executors.takingCores < count else {
                barrierWaits[place].check = nil
                continue
            }
            guard barrierWaits[place].check == nil else { continue }
            codeProbe(.barrierStageWaits)
            barrierWaits[place].check = SlotCheck(settings.barrier, now: now)
            effects.append(
                .notice(
                    .barrier(
                        .stageWaits(
                            sets[slot: slot].stage, stageAttempt: sets[slot: slot].stageAttempt,
                            tasks: count, slots: executors.takingCores, settings.barrier))))
        }
    }

    var nextBarrierCheck: Instant? { barrierWaits.lazy.compactMap(\.check?.nextAt).min() }

    /// Those for which there weren't enough executors for too long: their stages are to be given
    /// up.
    mutating func overdueBarriers(_ now: Instant) -> [Abort] {
        var aborts: [Abort] = []
        for place in barrierWaits.indices {
            guard let check = barrierWaits[place].check, check.nextAt <= now,
                barrierWaits[place].check!.fail(settings.barrier)
            else { continue }
            codeProbe(.barrierStageGivenUp)
            let set = sets[slot: sets.slot(of: barrierWaits[place].set)!]
            let shortage = BarrierNotice.shortage(set.tasks.count, executors.takingCores)
            aborts.append(
                Abort(
                    stage: set.stage,
                    message: """
                        \(set.stage).\(set.stageAttempt) could not be launched: \(shortage); \
                        looked \(settings.barrier.maxCheckFailures) times more, every \
                        \(settings.barrier.checkInterval.confText) (SPARK-24819)
                        """))
        }
        return aborts
    }
}
