/// Bugs that can be switched on to see that the simulator finds them: each breaks exactly-once in
/// one line. Nothing but `millrace-sim --canary` sets one.
public enum Canary: String, CaseIterable, Sendable {
    /// A second result of a partition is accepted like the first.
    case secondResult = "second-result"
    /// Every attempt that asks may commit.
    case everybodyCommits = "everybody-commits"
}
