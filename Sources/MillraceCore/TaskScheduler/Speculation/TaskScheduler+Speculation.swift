import MillraceBase

/// Launching slow tasks a second time. Same rules as Spark's
/// `TaskSetManager.checkSpeculatableTasks`, whose scan over all running tasks isn't needed: the
/// running attempts of a set stand in a list by launch time, so the first that isn't slow ends the
/// look.
///
/// What is left of Spark's: the efficiency of a running task (records a second against its
/// siblings') isn't known here, so `spark.speculation.efficiency.*` means nothing; as in Spark for
/// tasks without such numbers, the run time alone decides.
extension TaskScheduler {
    /// Whether attempts of a set are to be watched: never of one task alone (there's nobody to
    /// compare it with) unless a duration is given, never of a barrier stage.
    @inline(__always) func isWatched(_ slot: Int) -> Bool {
        settings.speculation.isEnabled && !sets[slot: slot].plan.isBarrier
            && (sets[slot: slot].tasks.count > 1
                || settings.speculation.taskDurationThreshold != nil)
    }

    // MARK: The list of running attempts

    /// Puts an attempt at the end of its set's list, or, an old one, at its start.
    mutating func watch(_ attemptSlot: Int, isOld: Bool, _ now: Instant) {
        let slot = attempts[slot: attemptSlot].setSlot
        if speculationAt == nil { speculationAt = now + settings.speculation.interval }
        watchedCount += 1
        attempts[slot: attemptSlot].isWatched = true
        let neighbour = isOld ? sets[slot: slot].firstWatched : sets[slot: slot].lastWatched
        attempts[slot: attemptSlot].watchedBefore = isOld ? -1 : neighbour
        attempts[slot: attemptSlot].watchedAfter = isOld ? neighbour : -1
        if isOld || neighbour < 0 { sets[slot: slot].firstWatched = Int32(attemptSlot) }
        if !isOld || neighbour < 0 { sets[slot: slot].lastWatched = Int32(attemptSlot) }
        guard neighbour >= 0 else { return }
        if isOld {
            attempts[slot: Int(neighbour)].watchedBefore = Int32(attemptSlot)
        } else {
            attempts[slot: Int(neighbour)].watchedAfter = Int32(attemptSlot)
        }
    }

    mutating func unwatch(_ attemptSlot: Int) {
        guard attempts[slot: attemptSlot].isWatched else { return }
        attempts[slot: attemptSlot].isWatched = false
        watchedCount -= 1
        let slot = attempts[slot: attemptSlot].setSlot
        let before = attempts[slot: attemptSlot].watchedBefore
        let after = attempts[slot: attemptSlot].watchedAfter
        if before >= 0 {
            attempts[slot: Int(before)].watchedAfter = after
        } else {
            sets[slot: slot].firstWatched = after
        }
        if after >= 0 {
            attempts[slot: Int(after)].watchedBefore = before
        } else {
            sets[slot: slot].lastWatched = before
        }
    }

    // MARK: Looking for slow tasks

    mutating func speculateIfDue(_ now: Instant, _ effects: inout Effects) {
        guard let due = speculationAt, now >= due else { return }
        speculationAt = watchedCount > 0 ? now + settings.speculation.interval : nil
        guard watchedCount > 0 else { return }
        for slot in 0..<sets.slotBound where sets.id(at: slot) != nil {
            guard sets[slot: slot].firstWatched >= 0, let limit = slowness(slot) else { continue }
            while case let attempt = Int(sets[slot: slot].firstWatched), attempt >= 0 {
                let elapsed = now - attempts[slot: attempt].launchedAt
                guard elapsed > limit else { break }
                speculate(attempt, elapsed, &effects)
            }
        }
        speculateOnLeaving(now, &effects)
    }

    /// How long a task of the set may run by now; `nil` while that can't be said.
    private func slowness(_ slot: Int) -> Duration? {
        let rule = settings.speculation
        let count = sets[slot: slot].tasks.count
        guard !sets[slot: slot].isZombie, let runTimes = sets[slot: slot].runTimes else {
            return nil
        }
        if runTimes.count >= max(Int(rule.quantile * Double(count)), 1) {
            let median = Double(runTimes.median) * rule.multiplier
            return max(.nanoseconds(Int64(min(median, 1e18))), rule.minTaskRunTime)
        }
        if let threshold = rule.taskDurationThreshold, count <= executors.mostCores {
            return threshold
        }
        return nil
    }

    /// The task gets a copy when there's room.
    private mutating func speculate(
        _ attempt: Int, _ elapsed: Duration, _ effects: inout Effects
    ) {
        unwatch(attempt)
        let slot = attempts[slot: attempt].setSlot
        let index = attempts[slot: attempt].index
        guard isWorthACopy(index, of: slot) else { return }
        codeProbe(.taskSpeculatable)
        let hadNothing = !sets[slot: slot].hasWork
        sets[slot: slot].speculatable.append(Int32(index))
        if hadNothing { enqueue(slot) }
        effects.append(
            .notice(
                .scheduling(
                    .taskSpeculatable(
                        attempts[slot: attempt].task, sets[slot: slot].stage,
                        stageAttempt: sets[slot: slot].stageAttempt,
                        partition: sets[slot: slot].partition(index),
                        ExecutorID(attempts[slot: attempt].executor), elapsed: elapsed))))
    }

    /// Tasks on executors that will be given up before they would end by their siblings' times.
    private mutating func speculateOnLeaving(_ now: Instant, _ effects: inout Effects) {
        for (executor, deadline) in decommissionDeadlines where executors.isAlive(executor) {
            var attempt = Int(executors.states[executor.rawValue].firstHeld)
            while attempt >= 0 {
                let slot = attempts[slot: attempt].setSlot
                let launchedAt = attempts[slot: attempt].launchedAt
                if attempts[slot: attempt].isWatched, slowness(slot) != nil,
                    let runTimes = sets[slot: slot].runTimes, runTimes.count > 0,
                    launchedAt + .nanoseconds(runTimes.median) > deadline
                {
                    codeProbe(.speculatedOnLeaving)
                    speculate(attempt, now - launchedAt, &effects)
                }
                attempt = Int(attempts[slot: attempt].next)
            }
        }
    }

    // MARK: Copies

    /// Whether exactly one attempt of the task runs, and nothing else is under way for it.
    private func isWorthACopy(_ index: Int, of slot: Int) -> Bool {
        let task = sets[slot: slot].tasks[index]
        guard !task.isDone, !task.isPending, task.attemptSlot >= 0 else { return false }
        let attempt = Int(task.attemptSlot)
        return !attempts[slot: attempt].isKilled && attempts[slot: attempt].older < 0
    }

    /// Most tasks of a set for which an offer looks for an executor in vain, and most executors
    /// that it looks at for one task.
    private static let copyTries = 8
    private static let copyExecutors = 16

    /// Copies of slow tasks, on free cores of other hosts.
    mutating func offerCopies(_ slot: Int, limit: Int, _ now: Instant) -> Int {
        var launched = 0
        var place = 0
        while launched < limit, place < sets[slot: slot].speculatable.count,
            place < TaskScheduler.copyTries
        {
            let index = Int(sets[slot: slot].speculatable[place])
            if isWorthACopy(index, of: slot) {
                let original = Int(sets[slot: slot].tasks[index].attemptSlot)
                guard let executor = freeExecutor(for: index, of: slot, awayFrom: original) else {
                    place += 1
                    continue
                }
                launch(index, of: slot, on: executor, at: .any, now)
                hasRoom(executor)
                launched += 1
                codeProbe(.copyLaunched)
                copiesLaunched += 1
            }
            sets[slot: slot].speculatable.remove(at: place)
        }
        return launched
    }

    /// One with a free core that doesn't run the original, and isn't on its host unless all are.
    private mutating func freeExecutor(
        for index: Int, of slot: Int, awayFrom original: Int
    ) -> Int? {
        let busy = attempts[slot: original].executor
        let host = executors.hosts.takingCount > 1 ? executors.states[busy].hostID : -1
        for _ in 0..<min(freeRing.count, TaskScheduler.copyExecutors) {
            guard let executor = freeRing.popFirst() else { return nil }
            executors.states[executor].isInFreeRing = false
            if executors.states[executor].hasFreeCore, executor != busy,
                executors.states[executor].hostID != host, !excludes(slot, executor),
                !excludes(slot, index, executor)
            {
                return executor
            }
            hasRoom(executor)
        }
        return nil
    }
}
