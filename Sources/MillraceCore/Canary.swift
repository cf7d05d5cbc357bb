/// Bugs that can be switched on to see that the simulator finds them: each breaks exactly-once in
/// one line. Nothing but `millrace-sim --canary` and its tests set one.
public enum Canary: String, CaseIterable, Sendable {
    /// A second result of a partition is accepted like the first.
    case secondResult = "second-result"
    /// Every attempt that asks may commit.
    case everybodyCommits = "everybody-commits"
    /// What was made from an output that is computed anew still counts.
    case staleOutput = "stale-output"
    /// Accumulators take what each attempt adds, not what each partition does.
    case countsAttempts = "counts-attempts"
    /// A batch's range is logged after its sink has committed.
    case sinkBeforeLog = "sink-before-log"
}
