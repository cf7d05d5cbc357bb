import MillraceBase

/// Counts the executors that failed. With a validity interval only those of that last stretch of
/// time count, so that a stream that runs for months is not given up for a bad node each week.
/// Spark's ExecutorFailureTracker.
public struct ExecutorFailures: Sendable {
    private let validity: Duration?
    /// When they were, oldest first; those that count no more are dropped.
    private var times: [Instant] = []

    /// `validity`: how long a failure counts; for ever if nil.
    public init(validity: Duration?) { self.validity = validity }

    /// One more; returns how many count now.
    public mutating func note(at now: Instant) -> Int {
        times.append(now)
        if let validity { times.removeAll { now - $0 >= validity } }
        return times.count
    }
}
