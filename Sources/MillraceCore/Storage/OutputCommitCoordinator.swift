import MillraceBase

/// Lets at most one attempt commit each partition of a stage.
///
/// The first attempt that asks is authorised and stays so over retries of its stage; when it ends
/// without success the next one may. An attempt that has ended or was replaced isn't running any
/// more for the `TaskScheduler` and is denied there, before it gets here. Same rule as Spark's
/// OutputCommitCoordinator, with the unique `TaskID` in place of (stage attempt, task attempt).
struct OutputCommitCoordinator: Sendable {
    /// By unit of the stage, the task that may commit; -1 while nobody asked.
    private struct Units: Sendable, SlabElement {
        var holders: [Int]
        mutating func vacate() { holders = [] }
    }

    private var authorised = IdentifierMap<StageID, Units>()

    var isEmpty: Bool { authorised.isEmpty }

    mutating func request(_ stage: StageID, unit: Int, of units: Int, by task: TaskID) -> Bool {
        let slot =
            authorised.slot(of: stage)
            ?? authorised.insert(
                Units(holders: [Int](repeating: -1, count: units)), for: stage)
        let holder = authorised[slot: slot].holders[unit]
        guard holder < 0 || holder == task.rawValue else {
            codeProbe(.commitDenied)
            return false
        }
        authorised[slot: slot].holders[unit] = task.rawValue
        return true
    }

    /// Whether some attempt of the stage may commit now, and perhaps has.
    func hasGranted(_ stage: StageID) -> Bool {
        guard !authorised.isEmpty, let slot = authorised.slot(of: stage) else { return false }
        return authorised[slot: slot].holders.contains { $0 >= 0 }
    }

    /// The task ended without success.
    mutating func taskFailed(_ stage: StageID, unit: Int, _ task: TaskID) {
        guard !authorised.isEmpty, let slot = authorised.slot(of: stage),
            authorised[slot: slot].holders[unit] == task.rawValue
        else { return }
        codeProbe(.commitRightReturned)
        authorised[slot: slot].holders[unit] = -1
    }

    mutating func stageEnded(_ stage: StageID) {
        if !authorised.isEmpty { authorised.remove(stage) }
    }
}
