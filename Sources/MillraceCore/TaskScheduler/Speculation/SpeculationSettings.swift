import MillraceBase

/// When a task that takes much longer than its siblings is launched a second time. Spark's
/// `spark.speculation.*`, with the defaults of Spark 4.
public struct SpeculationSettings: Hashable, Sendable {
    public var isEnabled = false
    /// How often running tasks are looked at.
    public var interval: Duration = .milliseconds(100)
    /// Part of a stage's tasks that must be done before the others are looked at.
    public var quantile = 0.9
    /// How many times the median run time a task may take.
    public var multiplier = 3.0
    /// A task that has run for less is left alone.
    public var minTaskRunTime: Duration = .milliseconds(100)
    /// A task of a stage too small for a quantile (no more tasks than an executor has cores) may
    /// take this long; `nil` leaves such stages alone.
    public var taskDurationThreshold: Duration?

    public init() {}
}
