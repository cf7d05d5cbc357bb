import MillraceBase

/// What barrier stages are decided by: `millrace.scheduler.barrier.maxConcurrentTasksCheck.*` and
/// `millrace.barrier.sync.timeout`.
public struct BarrierSettings: Hashable, Sendable {
    /// How often it's looked whether there are slots for all tasks of a stage.
    public var checkInterval: Duration = .seconds(15)
    /// The job fails when there weren't for one look more than this.
    public var maxCheckFailures = 40
    /// How long the first task at a barrier waits for the last one.
    public var syncTimeout: Duration = .seconds(365 * 86_400)

    /// What the messages of one `allGather` may take together: they travel as one.
    public var maxGatheredBytes = 1 << 26

    public init() {}
}

/// How often there weren't slots for all tasks at once. Same rule as Spark's
/// `checkBarrierStageWithNumSlots`, with one difference: it's known at once when there are.
struct SlotCheck: Sendable {
    private(set) var failures = 1
    private(set) var nextAt: Instant

    /// The first look has failed.
    init(_ settings: BarrierSettings, now: Instant) { nextAt = now + settings.checkInterval }

    /// One look more has failed. Whether it was the last.
    mutating func fail(_ settings: BarrierSettings) -> Bool {
        failures += 1
        nextAt = nextAt + settings.checkInterval
        return failures > settings.maxCheckFailures
    }
}
