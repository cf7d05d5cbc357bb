import MillraceBase

/// What is always true of barrier stages. For `DriverCore.violations`.
extension DriverCore {
    func barrierViolations(_ found: inout [String]) {
        for slot in 0..<tasks.sets.slotBound where tasks.sets.id(at: slot) != nil {
            let set = tasks.sets[slot: slot]
            guard let barrier = set.barrier, !set.isZombie else { continue }
            let name = "\(set.stage).\(set.stageAttempt)"
            let waits = tasks.barrierWaits.contains { $0.set == set.id }
            if set.pendingCount != (waits ? set.tasks.count : 0) {
                found.append("\(name) is launched in part")
            }
            if set.tasks.contains(where: { $0.attempts > 1 }) {
                found.append("\(name) tries a task of a barrier stage by itself")
            }
            let isSynchronising = tasks.synchronisations.contains { $0.set == set.id }
            if barrier.sync.isWaiting != isSynchronising {
                found.append("\(name) waits at a barrier without a deadline, or has one too many")
            }
        }
        for wait in tasks.barrierWaits where !tasks.launches(wait.set) {
            found.append("\(wait.set) waits for slots and launches nothing")
        }
        for synchronisation in tasks.synchronisations where !tasks.launches(synchronisation.set) {
            found.append("\(synchronisation.set) waits at a barrier and is over")
        }
        if let reserved = tasks.reservedFor,
            !tasks.barrierWaits.contains(where: { $0.set == reserved })
        {
            found.append("cores are kept for \(reserved), which doesn't wait")
        }
        for waiting in dag.waitingJobs where waiting.tasks <= tasks.executors.takingCores {
            found.append("\(waiting.job.id) waits for slots that are there")
        }
    }
}
