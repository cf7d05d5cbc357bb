import MillraceBase

/// The tasks of a barrier stage wait for each other.
extension TaskScheduler {
    /// A set some of whose tasks wait, and until when the others must come.
    struct Synchronisation: Sendable {
        let set: TaskSetID
        let deadline: Instant
    }

    mutating func arrive(
        _ request: BarrierRequest, on executor: ExecutorID, _ now: Instant,
        _ effects: inout Effects
    ) {
        guard let (slot, partition) = barrierTask(request.task, on: executor) else {
            refuse(
                request, on: executor,
                "it is not a running task of a barrier stage's latest attempt", &effects)
            return
        }
        if sets[slot: slot].doneCount > 0 {
            sets[slot: slot].barrier!.sync.breakUp("a task of the stage has ended without it")
        }
        let before = sets[slot: slot].barrier!.sync.epoch
        switch sets[slot: slot].barrier!.sync.arrive(partition, request) {
        case .waits(let isFirst):
            guard isFirst else { return }
            synchronisations.append(
                Synchronisation(
                    set: sets[slot: slot].id, deadline: now + settings.barrier.syncTimeout))
        case .passes(let messages):
            endSynchronisation(sets[slot: slot].id)
            decide(slot, epoch: before, .passed(messages: messages), &effects) { _ in true }
        case .refused(let reason):
            refuse(request, on: executor, reason, &effects)
        case .breaks(let reason):
            breakSync(slot, reason, &effects)
            refuse(request, on: executor, reason, &effects)
        }
    }

    /// A task that runs there, wasn't asked to end, and is of an attempt that isn't over.
    private func barrierTask(
        _ task: TaskID, on executor: ExecutorID
    ) -> (slot: Int, partition: Int)? {
        guard let attempt = attempts.slot(of: task),
            attempts[slot: attempt].executor == executor.rawValue, !attempts[slot: attempt].isKilled
        else { return nil }
        let slot = attempts[slot: attempt].setSlot
        guard sets[slot: slot].barrier != nil, !sets[slot: slot].isZombie else { return nil }
        return (slot, sets[slot: slot].partition(attempts[slot: attempt].index))
    }

    private func refuse(
        _ request: BarrierRequest, on executor: ExecutorID, _ reason: String,
        _ effects: inout Effects
    ) {
        codeProbe(.barrierRequestRefused)
        effects.append(
            .barrierDecided(
                executor,
                BarrierDecision(
                    tasks: [request.task], epoch: request.epoch, outcome: .failed(reason: reason)))
        )
    }

    /// Tells tasks of a set, by partition, one message for each executor.
    private func decide(
        _ slot: Int, epoch: Int, _ outcome: BarrierDecision.Outcome, _ effects: inout Effects,
        whom isMeant: (Int) -> Bool
    ) {
        var waiting: [(executor: Int, task: TaskID)] = []
        for index in sets[slot: slot].tasks.indices {
            let attempt = Int(sets[slot: slot].tasks[index].attemptSlot)
            guard attempt >= 0, isMeant(sets[slot: slot].partition(index)) else { continue }
            waiting.append((attempts[slot: attempt].executor, attempts[slot: attempt].task))
        }
        waiting.sort { ($0.executor, $0.task) < ($1.executor, $1.task) }
        var start = 0
        while start < waiting.count {
            var end = start
            while end < waiting.count, waiting[end].executor == waiting[start].executor { end += 1 }
            effects.append(
                .barrierDecided(
                    ExecutorID(waiting[start].executor),
                    BarrierDecision(
                        tasks: waiting[start..<end].map(\.task), epoch: epoch, outcome: outcome)))
            start = end
        }
    }

    // MARK: Never all there

    private mutating func endSynchronisation(_ set: TaskSetID) {
        synchronisations.removeAll { $0.set == set }
    }

    private mutating func breakSync(_ slot: Int, _ reason: String, _ effects: inout Effects) {
        codeProbe(.barrierBroken)
        let sync = sets[slot: slot].barrier!.sync
        sets[slot: slot].barrier!.sync.breakUp(reason)
        endSynchronisation(sets[slot: slot].id)
        effects.append(
            .notice(
                .barrier(
                    .syncFailed(
                        sets[slot: slot].stage, stageAttempt: sets[slot: slot].stageAttempt,
                        epoch: sync.epoch, reason: reason))))
        decide(slot, epoch: sync.epoch, .failed(reason: reason), &effects) { sync.hasArrived($0) }
    }

    /// A task succeeded. If others wait, they wait in vain.
    mutating func breakSync(without ended: Ended, _ effects: inout Effects) {
        guard synchronisations.contains(where: { $0.set == ended.set }),
            let slot = sets.slot(of: ended.set)
        else { return }
        breakSync(
            slot, "\(ended.task) of partition \(ended.partition) has ended without it", &effects)
    }

    /// All wait equally long, so the first is the next.
    var nextSyncDeadline: Instant? { synchronisations.first?.deadline }

    mutating func breakOverdueSyncs(_ now: Instant, _ effects: inout Effects) {
        while let first = synchronisations.first, first.deadline <= now {
            let slot = sets.slot(of: first.set)!
            let sync = sets[slot: slot].barrier!.sync
            let count = sets[slot: slot].tasks.count
            breakSync(
                slot,
                """
                \(sync.arrivedCount) of \(count) tasks came within \
                \(settings.barrier.syncTimeout.confText), partition \(sync.someMissing ?? 0) did \
                not (millrace.barrier.sync.timeout)
                """, &effects)
        }
    }

    /// The set launches nothing more: nothing of it is kept.
    mutating func forgetBarrier(_ slot: Int) {
        guard sets[slot: slot].barrier != nil else { return }
        forgetWait(sets[slot: slot].id)
        endSynchronisation(sets[slot: slot].id)
    }
}
