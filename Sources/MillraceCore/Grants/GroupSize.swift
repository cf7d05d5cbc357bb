import MillraceBase

/// How many micro-batches one grant covers.
///
/// A longer group asks the scheduler less often, and is slower to use a new executor. So it is as
/// short as the time that batches spend on being scheduled and coordinated allows: when their share
/// of the batches' time is above `upperOverhead` the next group is twice as long, when it's below
/// `lowerOverhead` a bit shorter. Same rule as Drizzle's (SOSP'17, §3.4); the shares are smoothed,
/// so that one slow batch doesn't decide.
public struct GroupSize: Hashable, Sendable {
    public struct Settings: Hashable, Sendable {
        /// `millrace.streaming.groupScheduling.enabled`.
        public var isEnabled = true
        /// `millrace.streaming.groupScheduling.minSize` and `.maxSize`, in batches.
        public var minimum = 1
        public var maximum = 100
        /// `millrace.streaming.groupScheduling.overhead.lower` and `.upper`, of 1.
        public var lowerOverhead = 0.05
        public var upperOverhead = 0.10
        /// How long a batch may take before its executors are told what they may have missed.
        public var repairDelay: Duration = .milliseconds(500)

        public init() {}
    }

    /// What a group that is too long is shortened by.
    static let step = 1
    /// What a new group counts for in the smoothed share.
    static let weight = 0.5

    let settings: Settings
    /// Batches of the next group.
    public private(set) var batches: Int
    /// Smoothed over the groups so far; nil before the first one.
    public private(set) var overhead: Double?

    public init(_ settings: Settings) {
        self.settings = settings
        batches = settings.minimum
    }

    /// A group is over. `work` is what its batches would have taken if nothing but tasks took time,
    /// each stage's longest one after the other; `total` what they took.
    public mutating func groupEnded(work: Duration, total: Duration) {
        guard total > .zero else { return }
        let share = min(max(1 - Double(work.nanoseconds) / Double(total.nanoseconds), 0), 1)
        let smoothed = overhead.map { $0 + (share - $0) * GroupSize.weight } ?? share
        overhead = smoothed
        if smoothed > settings.upperOverhead {
            batches = min(batches * 2, settings.maximum)
        } else if smoothed < settings.lowerOverhead {
            batches = max(batches - GroupSize.step, settings.minimum)
        }
    }

    /// A grant was taken back because something went wrong. The next ones are short again.
    public mutating func groupFailed() { batches = settings.minimum }
}
