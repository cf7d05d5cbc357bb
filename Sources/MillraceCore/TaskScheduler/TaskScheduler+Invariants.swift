import MillraceBase

/// What is always true of the `TaskScheduler`'s lists and counts. For `DriverCore.violations`.
extension TaskScheduler {
    var violations: [String] {
        var found = queue.violations
        poolViolations(&found)
        attemptViolations(&found)
        copyViolations(&found)
        exclusionViolations(&found)
        return found
    }

    private func exclusionViolations(_ found: inout [String]) {
        let excluded = executors.states.indices.count {
            executors.states[$0].isAlive && executors.isExcluded($0)
        }
        if excluded != executors.excludedCount { found.append("exclusions are counted wrongly") }
        if excluded > 0, health.isEmpty { found.append("an exclusion has no end") }
        if !aside.isEmpty || !lastChoices.isEmpty { found.append("executors were left aside") }
        if !resting.isEmpty, queue.count != 1 {
            found.append("executors rest that some set may use")
        }
        if !condemned.isEmpty { found.append("an excluded executor was not ended") }
    }

    private func poolViolations(_ found: inout [String]) {
        var running = [Int](repeating: 0, count: queue.pools.count)
        for slot in 0..<sets.slotBound where sets.id(at: slot) != nil {
            running[sets[slot: slot].pool] += sets[slot: slot].runningCount
        }
        for (pool, count) in zip(queue.pools, running) where pool.runningCount != count {
            found.append("pool \(pool.settings.name) counts its running tasks wrongly")
        }
    }

    /// Each attempt is found from its task, once, newest first.
    private func attemptViolations(_ found: inout [String]) {
        var reached = 0
        for slot in 0..<sets.slotBound where sets.id(at: slot) != nil {
            var running = 0
            for (index, task) in sets[slot: slot].tasks.enumerated() {
                var attempt = Int(task.attemptSlot)
                var newest = Int.max
                while attempt >= 0 {
                    let record = attempts[slot: attempt]
                    if record.setSlot != slot || record.index != index || record.attempt >= newest {
                        found.append("\(record.task) stands in the list of another task")
                        break
                    }
                    newest = record.attempt
                    running += 1
                    attempt = Int(record.older)
                }
            }
            reached += running
            if running != sets[slot: slot].runningCount {
                found.append("\(sets[slot: slot].id) counts its running tasks wrongly")
            }
        }
        if reached != attempts.count { found.append("attempts run that no task knows") }
    }

    private func copyViolations(_ found: inout [String]) {
        var watched = 0
        for slot in 0..<sets.slotBound where sets.id(at: slot) != nil {
            var attempt = Int(sets[slot: slot].firstWatched)
            var last: Int32 = -1
            while attempt >= 0 {
                let record = attempts[slot: attempt]
                if !record.isWatched || record.setSlot != slot || record.watchedBefore != last {
                    found.append("\(record.task) is watched wrongly")
                    break
                }
                watched += 1
                last = Int32(attempt)
                attempt = Int(record.watchedAfter)
            }
            if sets[slot: slot].lastWatched != last {
                found.append("\(sets[slot: slot].id) has a broken list of watched attempts")
            }
        }
        if watched != watchedCount { found.append("watched attempts are counted wrongly") }
        if watchedCount > 0, speculationAt == nil { found.append("nobody looks for slow tasks") }
    }
}
