import MillraceBase

/// Offers to sets with tasks that failed before, or with executors that are excluded for them.
///
/// Here an executor can have room and yet be wrong for the task at hand. It's put aside until the
/// set has had its turn, or, when it is excluded for the only set that there is, until there is
/// another one. For a task that failed there only just now it's the last choice, not excluded.
/// Unless the executor itself was at fault (its disk is full): then the task waits for another one
/// as long as there is any. Few executors are put aside: each has failed tasks of this set.
extension TaskScheduler {
    /// As `offerAnywhere`, looking at both sides.
    mutating func offerCarefully(
        _ slot: Int, limit: Int, evenBound: Bool, _ now: Instant
    ) -> Int {
        var launched = 0
        // Alone, an executor gets a retry at once: a task that fails everywhere is to fail soon.
        let isAlone = executors.takingCount == 1
        while launched < limit, let executor = nextExecutor(slot, evenBound: evenBound, now) {
            if excludes(slot, executor) {
                if queue.count == 1 { resting.append(executor) } else { aside.append(executor) }
                continue
            }
            switch pop(
                of: slot, for: executor, evenBound: evenBound, evenFailedThere: isAlone, isAlone)
            {
            case .task(let index):
                launch(index, of: slot, on: executor, at: .any, now)
                launched += 1
                hasRoom(executor)
            case .onlyFailedThere: lastChoices.append(executor)
            case .nothing: aside.append(executor)
            }
        }
        for executor in lastChoices {
            while launched < limit,
                executors.states[executor].hasFreeCore || mayPrefetch(executor, slot, now),
                case .task(let index) = pop(
                    of: slot, for: executor, evenBound: evenBound, evenFailedThere: true, isAlone)
            {
                codeProbe(.retriedWhereItFailed)
                launch(index, of: slot, on: executor, at: .any, now)
                launched += 1
            }
            hasRoom(executor)
        }
        for executor in aside { hasRoom(executor) }
        aside.removeAll(keepingCapacity: true)
        lastChoices.removeAll(keepingCapacity: true)
        return launched
    }

    /// There is more than one set to launch from, or none.
    mutating func wakeResting() {
        for executor in resting { hasRoom(executor) }
        resting.removeAll(keepingCapacity: true)
    }

    private enum Choice {
        case task(Int)
        /// All that it could have failed there only just now.
        case onlyFailedThere
        case nothing
    }

    /// How many tasks that failed on an executor are looked at to find one that didn't.
    private static let retriesLookedAt = 32

    private mutating func pop(
        of slot: Int, for executor: Int, evenBound: Bool, evenFailedThere: Bool, _ isAlone: Bool
    ) -> Choice {
        var hasFailedThere = false
        var place = sets[slot: slot].retries.count - 1
        var looks = 0
        while place >= 0 {
            let index = Int(sets[slot: slot].retries[place])
            let task = sets[slot: slot].tasks[index]
            if !task.isPending {
                sets[slot: slot].retries.remove(at: place)
            } else if excludes(slot, index, executor) {
                // Bounded by the failures that exclude the executor for the whole set.
            } else if task.failedOn == Int32(executor),
                !evenFailedThere || (task.mustLeave && !isAlone)
            {
                hasFailedThere = true
                looks += 1
                if looks >= TaskScheduler.retriesLookedAt { return .onlyFailedThere }
            } else {
                sets[slot: slot].retries.remove(at: place)
                return .task(index)
            }
            place -= 1
        }
        if let index = sets[slot: slot].popFresh(evenBound: evenBound) { return .task(index) }
        return hasFailedThere ? .onlyFailedThere : .nothing
    }
}
