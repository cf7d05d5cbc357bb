/// A point on the machine's monotonic clock, in nanoseconds. Only the loops read the clock;
/// everything that decides is given an `Instant`, so a simulator can hand out its own.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var nanoseconds: Int64
    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }
    @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

    @inlinable public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
    /// Saturates at `distantFuture`, so that "never" can be a duration too.
    @inlinable public static func + (left: Instant, right: Duration) -> Instant {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }
    /// What `-` gives, without the price of a `Duration`: for what runs for every task.
    @inlinable public func nanoseconds(since earlier: Instant) -> Int64 {
        nanoseconds &- earlier.nanoseconds
    }
    @inlinable public static func - (left: Instant, right: Instant) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
    public var description: String { "\(nanoseconds) ns" }
}

extension Duration {
    /// Whole nanoseconds; saturates instead of overflowing (about 292 years).
    @inlinable public var nanoseconds: Int64 {
        Int64(clamping: attoseconds / 1_000_000_000)
    }
    /// Milliseconds with their fraction, for progress reports and logs.
    @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }
}
