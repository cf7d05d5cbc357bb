import MillraceBase

/// Offers to tasks that prefer executors or hosts.
///
/// An executor that got room is looked up in the set's `LocalityIndex`; all executors of the index
/// are looked at only when the set is new, or when it has just moved on to the next level. So an
/// offer costs the executors that changed, not those that there are.
extension TaskScheduler {
    /// Bound tasks, as near to their data as the set's delay allows.
    mutating func offerPreferred(_ slot: Int, limit: Int, _ now: Instant) -> Int {
        guard sets[slot: slot].locality != nil else { return 0 }
        sets[slot: slot].locality!.begin(offer: offerCount)
        var launched = 0
        var level: LocalityLevel
        repeat {
            level = advance(slot, now)
            launched += offerUnseenExecutors(slot, limit: limit - launched, now)
            if level >= .node {
                launched += offerUnseenHosts(slot, limit: limit - launched, now)
            }
            launched += offerTouched(slot, limit: limit - launched, level, now)
            // The last tasks of a level may just have been launched.
        } while launched < limit && advance(slot, now) != level
        return launched
    }

    private mutating func advance(_ slot: Int, _ now: Instant) -> LocalityLevel {
        sets[slot: slot].locality!.advance(
            now: now, executorBound: sets[slot: slot].executorBound,
            hostBound: sets[slot: slot].hostBound)
        return sets[slot: slot].locality!.delay.level
    }

    private mutating func offerUnseenExecutors(
        _ slot: Int, limit: Int, _ now: Instant
    ) -> Int {
        var launched = 0
        while launched < limit {
            let group = sets[slot: slot].locality!.unseenExecutors
            guard group < sets[slot: slot].locality!.byExecutor.groups.count else { break }
            let executor = sets[slot: slot].locality!.byExecutor.groups[group].home
            launched += fill(
                executor, slot, .process, group: group, limit: limit - launched, now)
            if launched < limit { sets[slot: slot].locality!.unseenExecutors += 1 }
        }
        return launched
    }

    private mutating func offerUnseenHosts(_ slot: Int, limit: Int, _ now: Instant) -> Int {
        var launched = 0
        while launched < limit {
            let (group, member) = sets[slot: slot].locality!.unseenHosts
            guard group < sets[slot: slot].locality!.byHost.groups.count else { break }
            let members = executors.hosts.executors(
                on: sets[slot: slot].locality!.byHost.groups[group].home)
            guard member < members.count else {
                sets[slot: slot].locality!.unseenHosts = (group + 1, 0)
                continue
            }
            launched += fill(
                members[member], slot, .node, group: group, limit: limit - launched, now)
            if launched < limit { sets[slot: slot].locality!.unseenHosts.member += 1 }
        }
        return launched
    }

    private mutating func offerTouched(
        _ slot: Int, limit: Int, _ level: LocalityLevel, _ now: Instant
    ) -> Int {
        var launched = 0
        while launched < limit, sets[slot: slot].locality!.touched < touched.count {
            let executor = touched[sets[slot: slot].locality!.touched]
            if let group = sets[slot: slot].locality!.byExecutor.group(of: executor) {
                launched += fill(
                    executor, slot, .process, group: group, limit: limit - launched, now)
            }
            if level >= .node, launched < limit,
                let group = sets[slot: slot].locality!.byHost.group(
                    of: executors.states[executor].hostID)
            {
                launched += fill(
                    executor, slot, .node, group: group, limit: limit - launched, now)
            }
            if launched < limit { sets[slot: slot].locality!.touched += 1 }
        }
        return launched
    }

    private mutating func fill(
        _ executor: Int, _ slot: Int, _ level: LocalityLevel, group: Int, limit: Int, _ now: Instant
    ) -> Int {
        var launched = 0
        if excludes(slot, executor) { return 0 }
        while launched < limit,
            executors.states[executor].hasFreeCore || mayPrefetch(executor, slot, now)
        {
            let next =
                level == .process
                ? sets[slot: slot].pop(executorGroup: group)
                : sets[slot: slot].pop(hostGroup: group)
            guard let index = next else { break }
            launch(index, of: slot, on: executor, at: level, now)
            launched += 1
        }
        return launched
    }

    // MARK: Waiting

    /// A set with bound tasks takes nothing more in this offer.
    mutating func noteDelay(_ slot: Int, _ now: Instant) {
        sets[slot: slot].locality!.begin(offer: offerCount)
        if hasFreeExecutor { sets[slot: slot].locality!.hasRefused = true }
        watchDelay(slot, now)
    }

    /// A wait that is over already ends with the next offer.
    private mutating func watchDelay(_ slot: Int, _ now: Instant) {
        let deadline = sets[slot: slot].locality!.delay.deadline
        guard deadline > now, deadline < .distantFuture else { return }
        localityDeadline = min(localityDeadline ?? .distantFuture, deadline)
    }

    /// Whether some core is free.
    private var hasFreeExecutor: Bool {
        mutating get {
            while let executor = freeRing.first, !executors.states[executor].hasFreeCore {
                _ = freeRing.popFirst()
                executors.states[executor].isInFreeRing = false
                hasRoom(executor)
            }
            return !freeRing.isEmpty
        }
    }

    mutating func settleDelays(_ now: Instant) {
        for slot in launchedLocally {
            sets[slot: slot].locality!.settle(now: now)
            if sets[slot: slot].boundPendingCount > 0 { watchDelay(slot, now) }
        }
        launchedLocally.removeAll(keepingCapacity: true)
    }
}
