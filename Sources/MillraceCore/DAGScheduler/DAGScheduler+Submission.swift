import MillraceBase

/// Which stages are ready, and their task sets.
extension DAGScheduler {
    /// Starts a stage, or what it waits for. Iterative: a lineage may be thousands of shuffles
    /// deep.
    mutating func submitStage(
        _ id: StageID, _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        var stack = [id]
        while let id = stack.popLast() {
            guard let slot = stages.slot(of: id), stages[slot: slot].status == .idle else {
                continue
            }
            stages[slot: slot].status = .waiting
            var isReady = true
            for parent in stages[slot: slot].awaited.reversed() where !outputs.isReadable(parent) {
                isReady = false
                // Of one that is only being merged nothing is to be computed.
                if !outputs.isComplete(parent) { stack.append(mapStage(of: parent)) }
            }
            guard isReady else { continue }
            rollBackIfExposed(id, now, &tasks, &effects)
            // Its readers were submitted again. They may have rolled back what it reads itself, or
            // have been all that its job was for.
            guard let slot = stages.slot(of: id), stages[slot: slot].status == .waiting,
                stages[slot: slot].awaited.allSatisfy(outputs.isReadable)
            else { continue }
            start(slot, now, &tasks, &effects)
        }
    }

    /// Submits the units whose output isn't there yet as the stage's next attempt.
    private mutating func start(
        _ slot: Int, _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        if stages[slot: slot].plan.isBarrier { beginBarrier(slot) }
        let missing = missingUnits(slot)
        let count = missing?.count ?? stages[slot: slot].unitCount
        guard count > 0 else {
            // A map stage of no partitions, or whose last outputs came from an older attempt.
            stages[slot: slot].status = .idle
            return
        }
        if missing != nil { codeProbe(.partialStageResubmitted) }
        let attempt = stages[slot: slot].nextAttempt
        let id = stages[slot: slot].id
        let limit = max(settings.maxStageAttempts, settings.maxConsecutiveStageAttempts)
        guard attempt < limit else {
            abort(
                id,
                """
                \(id) has been resubmitted for the maximum allowable number of times: \(limit), \
                which is the larger of millrace.stage.maxAttempts and \
                millrace.stage.maxConsecutiveAttempts
                """, &tasks, &effects)
            return
        }
        if stages[slot: slot].isIndeterminate { beginGeneration(slot, &tasks, &effects) }
        beginMerge(slot, tasks.executors, &effects)
        let job = stages[slot: slot].jobs[0]
        let properties = jobs[slot: jobs.slot(of: job)!].properties
        stages[slot: slot].nextAttempt += 1
        stages[slot: slot].status = .running
        stages[slot: slot].hasSucceeded = false
        stages[slot: slot].activeSet = tasks.submit(
            TaskScheduler.Submission(
                stage: id, stageAttempt: attempt, job: job, pool: properties.pool,
                plan: stages[slot: slot].plan,
                maxFailures: properties.maxFailures ?? settings.maxTaskFailures, count: count,
                units: missing, partitions: stages[slot: slot].partitions,
                preferred: preferredLocations(slot, tasks.executors)),
            now: now)
        effects.append(.stageStarted(job, id, attempt: attempt, tasks: count))
    }

    /// What the stage's RDDs say, else where most of its input lies. As in Spark, the latter only
    /// for a stage that reads one shuffle, partition by partition.
    private func preferredLocations(
        _ slot: Int, _ executors: ExecutorRegistry
    ) -> PreferredLocations {
        let preferred = stages[slot: slot].preferred
        guard preferred.isEmpty, settings.prefersMapOutputHosts,
            stages[slot: slot].parents.count == 1
        else { return preferred }
        let hosts = outputs.preferredHosts(of: stages[slot: slot].parents[0], executors)
        guard hosts.count == stages[slot: slot].partitionCount else { return preferred }
        return PreferredLocations(hosts: hosts)
    }

    /// Nothing of an earlier attempt is accepted any more, so nothing needs to run.
    private mutating func beginGeneration(
        _ slot: Int, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        for set in stages[slot: slot].oldSets {
            tasks.kill(set, reason: "the stage is attempted again", &effects)
        }
        stages[slot: slot].oldSets.removeAll { !tasks.sets.contains($0) }
        guard case .map(_, let place) = stages[slot: slot].kind,
            outputs.shuffles[slot: place].available == 0
        else { return }
        outputs.shuffles[slot: place].sources = generations(of: stages[slot: slot].parents)
    }

    /// Ascending; `nil` means all.
    private func missingUnits(_ slot: Int) -> [Int32]? {
        switch stages[slot: slot].kind {
        case .map(_, let place):
            if outputs.shuffles[slot: place].available == 0 { return nil }
            let statuses = outputs.shuffles[slot: place].statuses
            return statuses.indices.filter { statuses[$0] == nil }.map(Int32.init)
        case .result(let job):
            let jobSlot = jobs.slot(of: job)!
            if jobs[slot: jobSlot].remaining == stages[slot: slot].unitCount { return nil }
            let isDelivered = jobs[slot: jobSlot].isDelivered
            return isDelivered.indices.filter { !isDelivered[$0] }.map(Int32.init)
        }
    }

    /// The last output of a shuffle is there: its readers may start, in the order of their jobs.
    mutating func startReaders(
        of shuffleSlot: Int, _ now: Instant, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        let readers = outputs.shuffles[slot: shuffleSlot].readers
        for reader in readers {
            guard let slot = stages.slot(of: reader), stages[slot: slot].status == .waiting else {
                continue
            }
            stages[slot: slot].status = .idle
            submitStage(reader, now, &tasks, &effects)
        }
    }
}
