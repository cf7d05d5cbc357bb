import MillraceBase

/// Which attempts may commit.
extension DAGScheduler {
    /// Whether a running attempt may commit its unit.
    mutating func mayCommit(_ task: TaskID, stage: StageID, unit: Int) -> Bool {
        guard let slot = stages.slot(of: stage) else { return false }
        switch stages[slot: slot].kind {
        case .map(_, let place):
            guard outputs.shuffles[slot: place].statuses[unit] == nil else { return false }
        case .result(let job):
            guard let jobSlot = jobs.slot(of: job), !jobs[slot: jobSlot].isDelivered[unit] else {
                return false
            }
        }
        if settings.canary == .everybodyCommits { return true }
        return commits.request(stage, unit: unit, of: stages[slot: slot].unitCount, by: task)
    }
}
