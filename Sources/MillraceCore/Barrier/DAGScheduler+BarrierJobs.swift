import MillraceBase

/// Jobs that aren't begun because there aren't slots for all tasks of one of their barrier stages.
///
/// Computing their other stages first would only show hours later that the job can't be done. With
/// dynamic allocation there may be no executor at all yet, so what counts is what there may be at
/// most; the stage itself, when it waits to be launched, is what makes the executors come. (Spark
/// refuses barrier stages then, SPARK-24942: it would begin them with what there happens to be.)
extension DAGScheduler {
    struct WaitingJob: Sendable {
        let job: JobDescription
        let tasks: Int
        var check: SlotCheck
    }

    /// Whether the job may begin; else it's kept, or refused for good.
    mutating func hasSlots(
        _ job: JobDescription, _ tasks: Int, _ registry: ExecutorRegistry, _ now: Instant,
        _ effects: inout Effects
    ) throws(JobFailure) -> Bool {
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
            WaitingJob(job: job, tasks: tasks, check: SlotCheck(settings.barrier, now: now)))
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
            } else if waiting.check.nextAt <= now, waitingJobs[place].check.fail(settings.barrier) {
                codeProbe(.barrierJobGivenUp)
                waitingJobs.remove(at: place)
                let message = """
                    \(BarrierNotice.shortage(waiting.tasks, slots)); looked \
                    \(settings.barrier.maxCheckFailures) times more, every \
                    \(settings.barrier.checkInterval.confText) (SPARK-24819)
                    """
                effects.append(.jobFailed(waiting.job.id, .invalid(message: message)))
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
        for waiting in waitingJobs where isMeant(waiting.job) {
            effects.append(.jobFailed(waiting.job.id, .cancelled(reason: reason)))
        }
        waitingJobs.removeAll { isMeant($0.job) }
    }
}

extension AllocationSettings {
    /// Slots when there are as many executors as there may be.
    var mostSlots: Int {
        let (slots, isTooMany) = maxExecutors.multipliedReportingOverflow(by: tasksPerExecutor)
        return isTooMany ? Int.max : slots
    }
}
