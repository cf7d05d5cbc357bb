import MillraceBase

/// Ends of granted tasks that come before the ends of tasks whose outputs they read: reports of
/// different executors overtake each other.
///
/// They count when all that they were made from is reported, not before. Otherwise a map task whose
/// report is lost with its executor would never be run again (its readers have what they need), and
/// what it added to accumulators would be missing. A batch ends with its last task anyway, so this
/// costs no time.
extension DriverCore {
    /// Whether the end has to wait.
    mutating func waitsForInputs(_ end: TaskEnd, _ position: Int, _ stage: Int) -> Bool {
        guard !grants.runs[position].hasInputs(stage) else { return false }
        if !grants.runs[position].earlyEnds.contains(where: { $0.task == end.task }) {
            codeProbe(.grantedEndWaited)
            grants.runs[position].earlyEnds.append(end)
        }
        return true
    }

    /// A stage is complete: what was made from it counts now.
    mutating func acceptEarlyEnds(
        _ job: JobID, _ now: Instant, _ effects: inout Effects
    ) {
        // Each acceptance may end the batch, or give it up.
        while let position = grants.runs.firstIndex(where: { $0.job.id == job }),
            let place = grants.runs[position].earlyEnds.firstIndex(where: { end in
                grants.runs[position].hasInputs(grants.runs[position].stage(of: end.task))
            })
        {
            let end = grants.runs[position].earlyEnds.remove(at: place)
            let run = grants.runs[position]
            let stage = run.stage(of: end.task)
            accept(end, position, stage, run.partition(of: end.task, stage), now, &effects)
        }
    }

    /// The batch is taken back: these tasks have ended and are run again.
    mutating func dropEarlyEnds(_ position: Int) {
        for end in grants.runs[position].earlyEnds {
            let run = grants.runs[position]
            let stage = run.stage(of: end.task)
            let partition = run.partition(of: end.task, stage)
            let before = grants.runs[position].refuse(stage, partition)
            tasks.vacate(
                run.executor(stage, partition).rawValue, for: run.work(of: stage, before))
        }
        grants.runs[position].earlyEnds = []
    }
}
