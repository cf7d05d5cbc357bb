import MillraceBase

/// Task sets with a task that nobody may run, because every executor is excluded for it.
///
/// Such a set waits for `ExclusionSettings.unschedulableTimeout`: dynamic allocation may bring a
/// new executor (`SchedulerLoad.unschedulableSets`), an exclusion may end. As in Spark the wait is
/// forgiven as soon as anything is launched, for then the application gets on. What is left of
/// Spark's: it ends an idle excluded executor to make room for a new one, and gives the set up at
/// once when there is none and no dynamic allocation.
extension TaskScheduler {
    /// A set that waits for an executor it may use.
    struct Unschedulable: Sendable {
        var set: TaskSetID
        var index: Int
        var deadline: Instant
    }

    /// After an offer. Costs nothing while nothing is excluded.
    mutating func watchUnschedulable(
        hasLaunched: Bool, _ now: Instant, _ effects: inout Effects
    ) {
        guard settings.exclusion.isEnabled else { return }
        if hasLaunched, !unschedulable.isEmpty {
            codeProbe(.unschedulableForgiven)
            unschedulable.removeAll()
        }
        for place in unschedulable.indices.reversed() {
            if let slot = sets.slot(of: unschedulable[place].set), !sets[slot: slot].isZombie,
                sets[slot: slot].pendingCount > 0
            {
                continue
            }
            unschedulable.remove(at: place)
        }
        guard !hasLaunched else { return }
        for pool in queue.pools {
            for entry in pool.entries { watchUnschedulable(entry.slot, now, &effects) }
        }
    }

    private mutating func watchUnschedulable(
        _ slot: Int, _ now: Instant, _ effects: inout Effects
    ) {
        let id = sets[slot: slot].id
        guard !unschedulable.contains(where: { $0.set == id }),
            let index = excludedTask(of: slot)
        else { return }
        codeProbe(.taskSetUnschedulable)
        unschedulable.append(
            Unschedulable(
                set: id, index: index, deadline: now + settings.exclusion.unschedulableTimeout))
        effects.append(
            .notice(
                .scheduling(
                    .taskSetUnschedulable(
                        sets[slot: slot].stage, stageAttempt: sets[slot: slot].stageAttempt,
                        partition: sets[slot: slot].partition(index),
                        waits: settings.exclusion.unschedulableTimeout))))
    }

    /// A waiting task that every executor is excluded for. Like Spark, looks at one task: the one
    /// that came back last; while others can run, that is early enough.
    private func excludedTask(of slot: Int) -> Int? {
        guard executors.aliveCount > 0, let index = sets[slot: slot].someWaiting else { return nil }
        let usable = executors.aliveCount - executors.excludedCount
        if usable == 0 { return index }
        guard settings.exclusion.isEnabledForStages,
            let exclusions = sets[slot: slot].exclusions
        else { return nil }
        // Only executors on hosts where something failed can be excluded.
        var candidates = 0
        for host in exclusions.hostsInOrder {
            candidates += executors.hosts.executors(on: host).count
        }
        guard candidates >= usable else { return nil }
        var excluded = 0
        for host in exclusions.hostsInOrder {
            for executor in executors.hosts.executors(on: host)
            where executors.states[executor].isAlive
                && !executors.isExcluded(executor)
                && (excludes(slot, executor) || excludes(slot, index, executor))
            {
                excluded += 1
            }
        }
        return excluded >= usable ? index : nil
    }

    var nextUnschedulableDeadline: Instant? { unschedulable.first?.deadline }

    /// Those whose time is over: their stages are to be given up.
    mutating func overdueUnschedulable(_ now: Instant) -> [Abort] {
        var aborts: [Abort] = []
        while let first = unschedulable.first, first.deadline <= now {
            unschedulable.removeFirst()
            guard let slot = sets.slot(of: first.set) else { continue }
            codeProbe(.unschedulableAborted)
            let set = sets[slot: slot]
            aborts.append(
                Abort(
                    stage: set.stage,
                    message: """
                        Aborting \(set.stage).\(set.stageAttempt) because task \(first.index) \
                        (partition \(set.partition(first.index)))
                        cannot run anywhere due to node and executor excludeOnFailure.
                        Most recent failure:
                        \(set.exclusions?.latest ?? "none in this stage attempt")

                        ExcludeOnFailure behavior can be configured via \
                        millrace.excludeOnFailure.*.
                        """))
        }
        return aborts
    }
}
