import MillraceBase

/// Keeping tasks away from where they fail: `excludeOnFailure`, at three levels.
///
/// A task isn't tried again on an executor or host where it failed too often; a stage attempt does
/// without executors and hosts on which several of its tasks failed (`StageExclusions`); the
/// application does without those on which tasks of stages failed that succeeded elsewhere
/// (`HealthTracker`). Only failures that count towards `maxFailures` count here.
///
/// Without all that, a retry still prefers an executor other than the one it just failed on, when
/// there is room on one (`TaskScheduler+Retries.swift`).
extension TaskScheduler {
    /// A failure that counts.
    mutating func noteFailure(
        _ ended: Ended, _ reason: TaskEndReason, _ now: Instant, _ effects: inout Effects
    ) {
        guard settings.exclusion.isEnabled else { return }
        let slot = ended.setSlot
        let executor = ended.executor.rawValue
        let host = executors.states[executor].hostID
        if sets[slot: slot].exclusions == nil { sets[slot: slot].exclusions = StageExclusions() }
        let change = sets[slot: slot].exclusions!.note(
            ended.index, on: executor, host: host, reason.summary, settings.exclusion)
        guard settings.exclusion.isEnabledForStages else { return }
        if change.executor {
            codeProbe(.executorExcludedForStage)
            effects.append(
                .notice(
                    .scheduling(
                        .executorExcludedForStage(
                            ended.executor, ended.stage, stageAttempt: ended.stageAttempt))))
        }
        if change.host {
            codeProbe(.hostExcludedForStage)
            effects.append(
                .notice(
                    .scheduling(
                        .hostExcludedForStage(
                            executors.states[executor].host, ended.stage,
                            stageAttempt: ended.stageAttempt))))
        }
    }

    /// A stage attempt succeeded: what failed in it was its executors' fault.
    mutating func noteSuccess(_ slot: Int, _ now: Instant, _ effects: inout Effects) {
        guard settings.exclusion.isEnabledForApplication,
            let exclusions = sets[slot: slot].exclusions
        else { return }
        for record in exclusions.executors {
            let failures = health.note(
                record.tasks.map(\.index), of: sets[slot: slot].id, on: record.executor, now: now)
            guard let failures, executors.states[record.executor].isAlive,
                !executors.states[record.executor].isExcluded
            else { continue }
            exclude(
                record.executor, "\(failures) tasks failed there in stages that succeeded", now,
                &effects)
        }
    }

    /// Nobody can fetch from the executor, or from the shuffle service of its host.
    mutating func noteFetchFailure(
        on executor: ExecutorID, _ now: Instant, _ effects: inout Effects
    ) {
        let rules = settings.exclusion
        guard rules.isEnabledForApplication, rules.excludesOnFetchFailure,
            executors.isAlive(executor)
        else { return }
        if executors.keepsOutputs(executor) {
            exclude(
                host: executors.states[executor.rawValue].hostID, "its shuffle service fails", now,
                &effects)
        } else if !executors.states[executor.rawValue].isExcluded {
            exclude(executor.rawValue, "its map outputs can't be fetched", now, &effects)
        }
    }

    // MARK: The application does without

    private mutating func exclude(
        _ executor: Int, _ reason: String, _ now: Instant, _ effects: inout Effects
    ) {
        codeProbe(.executorExcluded)
        let until = health.exclude(executor: executor, now: now)
        executors.exclude(executor)
        effects.append(
            .notice(
                .scheduling(
                    .executorExcluded(ExecutorID(executor), reason: reason, for: until - now))))
        leave(executor, &effects)
        if settings.exclusion.killsExecutors { condemned.append(ExecutorID(executor)) }
        let host = executors.states[executor].hostID
        let count = executors.hosts.executors(on: host).count {
            executors.states[$0].isExcluded && executors.states[$0].isAlive
        }
        if count >= settings.exclusion.maxFailedExecutorsPerHost {
            exclude(host: host, "\(count) executors there are excluded", now, &effects)
        }
    }

    private mutating func exclude(
        host: Int, _ reason: String, _ now: Instant, _ effects: inout Effects
    ) {
        guard !executors.hosts.isExcluded(host) else { return }
        codeProbe(.hostExcluded)
        let until = health.exclude(host: host, now: now)
        let members = executors.hosts.executors(on: host)
        let takers = members.filter { executors.states[$0].takesTasks }
        executors.exclude(host: host)
        effects.append(
            .notice(
                .scheduling(
                    .hostExcluded(
                        executors.states[members[0]].host, reason: reason, for: until - now))))
        for executor in takers { leave(executor, &effects) }
        guard settings.exclusion.killsExecutors else { return }
        for executor in members where executors.states[executor].isAlive {
            if !condemned.contains(ExecutorID(executor)) { condemned.append(ExecutorID(executor)) }
        }
    }

    /// It takes no more tasks: nobody waits for it, and what is only queued there comes back.
    private mutating func leave(_ executor: Int, _ effects: inout Effects) {
        rebind(from: executor)
        recallQueue(
            of: executor, evenPreferred: true, reason: "its executor is excluded", &effects)
    }

    /// Exclusions end.
    mutating func expireExclusions(_ now: Instant, _ effects: inout Effects) {
        guard let due = health.nextExpiry, now >= due else { return }
        let expired = health.expire(now)
        var returning: [Int] = expired.executors
        for executor in expired.executors { executors.include(executor) }
        for host in expired.hosts {
            executors.include(host: host)
            returning += executors.hosts.executors(on: host)
        }
        for executor in returning where executors.states[executor].takesTasks {
            codeProbe(.exclusionExpired)
            hasRoom(executor)
            touched.append(executor)
        }
        effects.append(
            .notice(
                .scheduling(
                    .exclusionsEnded(
                        expired.executors.map { ExecutorID($0) },
                        hosts: expired.hosts.compactMap { host in
                            executors.hosts.executors(on: host).first.map {
                                executors.states[$0].host
                            }
                        }))))
    }

    // MARK: One set

    /// Whether a stage attempt does without an executor.
    func excludes(_ slot: Int, _ executor: Int) -> Bool {
        guard settings.exclusion.isEnabledForStages,
            let exclusions = sets[slot: slot].exclusions
        else { return false }
        return exclusions.excludes(executor: executor, host: executors.states[executor].hostID)
    }

    /// Whether a task isn't tried on an executor again.
    func excludes(_ slot: Int, _ index: Int, _ executor: Int) -> Bool {
        guard settings.exclusion.isEnabledForStages,
            let exclusions = sets[slot: slot].exclusions
        else { return false }
        return exclusions.excludes(
            index, executor: executor, host: executors.states[executor].hostID, settings.exclusion)
    }
}
