import MillraceBase

/// Taking back tasks that were sent in advance and got stuck.
///
/// Tasks are queued at an executor by their expected run time; one that takes a thousand times as
/// long as its siblings would hold up those behind it while other cores are free. So an executor
/// where nothing moves gets nothing more, and after a while its queue is recalled: the tasks are
/// killed there and, once the executor has let go of them, wait again.
extension TaskScheduler {
    /// How long a queue may stand still while a core is free elsewhere. Long against a hiccup of a
    /// busy machine, short against what a person notices.
    static let recallDelay: Duration = .milliseconds(50)

    /// Whether a task ended there lately, as expected where prefetching makes sense.
    func isMoving(_ executor: Int, _ now: Instant) -> Bool {
        now.nanoseconds(since: executors.states[executor].lastProgress) <= 4 * queueTime
    }

    /// Decides whether queues need to be watched. Called at the end of each step.
    mutating func watchQueues(now: Instant) {
        if queuedCount == 0 || (freeRing.isEmpty && resting.isEmpty) {
            recallAt = nil
        } else if recallAt == nil {
            recallAt = now + TaskScheduler.recallDelay
        }
    }

    mutating func recallIfDue(_ now: Instant, _ effects: inout Effects) {
        guard let due = recallAt, now >= due else { return }
        recallAt = nil
        for executor in executors.states.indices where executors.states[executor].isQueueing {
            let still = now - executors.states[executor].lastProgress
            guard still >= TaskScheduler.recallDelay else { continue }
            recallQueue(
                of: executor, evenPreferred: false,
                reason: "recalled from a queue that doesn't move", &effects)
        }
    }

    mutating func recallQueue(
        of executor: Int, evenPreferred: Bool, reason: String, _ effects: inout Effects
    ) {
        let state = executors.states[executor]
        var slot = Int(executors.states[executor].firstHeld)
        var position = 0
        while slot >= 0 {
            // An executor starts tasks in the order of their launch, so the first ones run. A task
            // whose state or cached data is there waits on: moving that costs more.
            if position >= executors.states[executor].cores, !attempts[slot: slot].isKilled,
                evenPreferred || !attempts[slot: slot].isPreferred
            {
                codeProbe(state.takesTasks ? .queueRecalled : .queueRecalledByDecommission)
                kill(slot, reason: reason, &effects)
            }
            slot = Int(attempts[slot: slot].next)
            position += 1
        }
    }
}
