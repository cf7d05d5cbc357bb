import MillraceBase

/// What becomes of running stages when map outputs that they read are lost.
///
/// Spark lets such a stage go on until one of its tasks fails to fetch. Here the driver knows as
/// soon as the outputs are forgotten: a stage that still has tasks to launch cannot end without
/// them, so its attempt ends at once, and its map stage is submitted in the same step. What runs
/// goes on: a task that has fetched its input already succeeds, the others fail to fetch and count
/// no more. A stage all of whose tasks run is left alone, for they may all have fetched. So it's
/// always true that tasks are launched only when all their inputs are there. An attempt that ended
/// so counts towards `maxConsecutiveStageAttempts`, as with its first fetch failure in Spark.
extension DAGScheduler {
    /// A stage that reads outputs which are lost.
    struct Disturbance: Sendable {
        let stage: StageID
        let shuffle: ShuffleID
        let executor: ExecutorID
        /// Whether the executor is known to be gone. Else a reader complained, more complaints may
        /// come, and `resubmitDelay` collects them.
        var isKnownLoss: Bool
        /// Whether an attempt that ends for it has failed: not if the executor was decommissioned.
        var counts: Bool
    }

    /// Outputs of a shuffle are lost: notes who reads them.
    mutating func disturbReaders(
        of shuffle: ShuffleID, lostWith executor: ExecutorID, isKnownLoss: Bool, counts: Bool
    ) {
        guard let place = outputs.shuffles.slot(of: shuffle) else { return }
        for reader in outputs.shuffles[slot: place].readers {
            guard let slot = stages.slot(of: reader) else { continue }
            let status = stages[slot: slot].status
            guard status == .running || status == .waiting else { continue }
            let disturbance = Disturbance(
                stage: reader, shuffle: shuffle, executor: executor, isKnownLoss: isKnownLoss,
                counts: counts)
            if let known = disturbances.firstIndex(where: { $0.stage == reader }) {
                if !disturbances[known].counts { disturbances[known] = disturbance }
            } else {
                disturbances.append(disturbance)
            }
        }
    }

    /// At the end of a step, before tasks are launched: ends the attempts that can't go on, and
    /// submits again what is due.
    mutating func settle(
        _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        if !brokenBarriers.isEmpty { settleBarriers(now, &tasks, &effects) }
        if !disturbances.isEmpty {
            let noted = disturbances
            disturbances.removeAll(keepingCapacity: true)
            for disturbance in noted where !resolve(disturbance, now, &tasks, &effects) {
                disturbances.append(disturbance)
            }
        }
        resubmitIfDue(now, &tasks, &effects)
        if !waitingJobs.isEmpty { settleWaitingJobs(now, &tasks, &effects) }
    }

    /// Whether nothing is left to do about it.
    private mutating func resolve(
        _ disturbance: Disturbance, _ now: Instant, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) -> Bool {
        guard let slot = stages.slot(of: disturbance.stage),
            !stages[slot: slot].awaited.allSatisfy(outputs.isComplete)
        else { return true }
        switch stages[slot: slot].status {
        case .idle, .failed: return true
        case .waiting:
            // It needs them all the same: better now than when its other inputs are there.
            guard disturbance.isKnownLoss else { return true }
            codeProbe(.waitingInputLost)
            stages[slot: slot].status = .idle
            submitStage(disturbance.stage, now, &tasks, &effects)
            return true
        case .running:
            guard let set = stages[slot: slot].activeSet, tasks.hasPending(set) else {
                return false
            }
            restart(slot, disturbance, now, &tasks, &effects)
            return true
        }
    }

    private mutating func restart(
        _ slot: Int, _ disturbance: Disturbance, _ now: Instant, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        let stage = disturbance.stage
        let attempt = stages[slot: slot].nextAttempt - 1
        effects.append(
            .notice(.inputsLost(stage, stageAttempt: attempt, disturbance.shuffle)))
        codeProbe(.inputsLost)
        endAttempt(slot, &tasks)
        if disturbance.isKnownLoss {
            stages[slot: slot].status = .idle
        } else {
            fail(slot, now)
        }
        if disturbance.counts {
            let reason = "outputs of \(disturbance.shuffle) on \(disturbance.executor) were lost"
            if countFailedAttempt(slot, attempt, reason, &tasks, &effects) { return }
        }
        if disturbance.isKnownLoss { submitStage(stage, now, &tasks, &effects) }
    }
}
