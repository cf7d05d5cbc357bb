import MillraceBase

/// Jobs that aren't begun because there aren't slots for all tasks of one of their barrier stages.
///
/// Computing their other stages first would only show hours later that the job can't be done. With
/// dynamic allocation there may be no executor at all yet, so what counts is what there may be at
/// most; the stage itself, when it waits to be launched, is what makes the executors come. (Spark
/// refuses barrier stages then, SPARK-24942: it would begin them with what there happens to be.)
///
/// Until the job is begun or given up its shuffles are in use: one that's released in the meantime,
/// or that another job computed and doesn't need any more, stays.
extension DAGScheduler {
    struct WaitingJob: Sendable {
        let job: JobDescription
        let tasks: Int
        let shuffles: [ShuffleID]
        var check: SlotCheck
    }

    /// Whether the job may begin; else it's kept, or refused for good.
    mutating func hasSlots(
        _ job: JobDescription, _ cut: StageCut, _ registry: ExecutorRegistry, _ now: Instant,
        _ effects: inout Effects
    ) throws(JobFailure) -> Bool {
        let tasks = cut.barrierTasks(outputs)
        guard tasks > 0 else { return true }
        if let most = settings.allocation?.mostSlots {
            guard tasks > most else { return true }
            throw .invalid(
                message: """
                    a barrier stage needs \(tasks) slots at once, and dynamic allocation may give \
                    \(most) at most (millrace.dynamicAllocation.maxExecutors)
                    """)
        }
        guard tasks > registry.takingCores else { return true }
        codeProbe(.barrierJobWaits)
        waitingJobs.append(
            WaitingJob(
                job: job, tasks: tasks, shuffles: keepShuffles(of: cut),
                check: SlotCheck(settings.barrier, now: now)))
        effects.append(
            .notice(
                .barrier(
                    .jobWaits(
                        job.id, tasks: tasks, slots: registry.takingCores, settings.barrier))))
        return false
    }

    /// Begins those for which there are slots now, and fails those that have waited too long.
    mutating func settleWaitingJobs(
        _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        var place = 0
        while place < waitingJobs.count {
            let waiting = waitingJobs[place]
            let slots = tasks.executors.takingCores
            if waiting.tasks <= slots {
                waitingJobs.remove(at: place)
                submit(waiting.job, now, &tasks, &effects)
                letGo(waiting.shuffles, &effects)
            } else if waiting.check.nextAt <= now, waitingJobs[place].check.fail(settings.barrier) {
                codeProbe(.barrierJobGivenUp)
                waitingJobs.remove(at: place)
                let message = """
                    \(BarrierNotice.shortage(waiting.tasks, slots)); looked \
                    \(settings.barrier.maxCheckFailures) times more, every \
                    \(settings.barrier.checkInterval.confText) (SPARK-24819)
                    """
                effects.append(.jobFailed(waiting.job.id, .invalid(message: message)))
                letGo(waiting.shuffles, &effects)
            } else {
                place += 1
            }
        }
    }

    var nextJobCheck: Instant? { waitingJobs.lazy.map(\.check.nextAt).min() }

    mutating func cancelWaiting(
        _ reason: String, _ effects: inout Effects, where isMeant: (JobDescription) -> Bool
    ) {
        guard !waitingJobs.isEmpty else { return }
        let cancelled = waitingJobs.filter { isMeant($0.job) }
        waitingJobs.removeAll { isMeant($0.job) }
        for waiting in cancelled {
            effects.append(.jobFailed(waiting.job.id, .cancelled(reason: reason)))
            letGo(waiting.shuffles, &effects)
        }
    }

    // MARK: Its shuffles

    private mutating func keepShuffles(of cut: StageCut) -> [ShuffleID] {
        cut.drafts.compactMap { draft in
            guard let output = draft.output else { return nil }
            let slot = outputs.register(
                output.shuffle, mapCount: draft.partitionCount, reducerCount: output.reducerCount)
            outputs.shuffles[slot: slot].waitingJobs += 1
            return output.shuffle
        }
    }

    private mutating func letGo(_ shuffles: [ShuffleID], _ effects: inout Effects) {
        for shuffle in shuffles {
            let slot = outputs.shuffles.slot(of: shuffle)!
            outputs.shuffles[slot: slot].waitingJobs -= 1
            removeShuffleIfReleased(slot, &effects)
        }
    }
}

extension AllocationSettings {
    /// Slots when there are as many executors as there may be.
    var mostSlots: Int {
        let (slots, isTooMany) = maxExecutors.multipliedReportingOverflow(by: tasksPerExecutor)
        return isTooMany ? Int.max : slots
    }
}
