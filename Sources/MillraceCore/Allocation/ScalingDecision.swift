import MillraceBase

/// One answer of a `LagController`, with everything it was made of.
public struct ScalingDecision: Hashable, Sendable, CustomStringConvertible {
    /// Why the answer is what it is.
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        /// As many as before are needed.
        case steady
        /// More are asked for: the query lags, or would.
        case lag
        /// More are needed, and those that were asked for haven't come.
        case waitingForExecutors
        /// More are needed, but the last change was just now.
        case settling
        /// Fewer are asked for.
        case idleSlots
        /// Fewer would do, but not for long enough yet.
        case mayRiseAgain
        /// With fewer the batch would take too much of the trigger.
        case batchWouldNotFit
        /// Moving the state would cost more than the idle slots have so far.
        case stateNotAmortised
    }

    public var sample: LagSample
    /// Rows per second that arrive, averaged.
    public var arrivalRate: Double
    /// Rows per second that a busy slot takes, averaged; 0 while unknown.
    public var slotRate: Double
    /// What arrival, backlog and rate ask for, within the bounds.
    public var wanted: Int
    /// Asked for before and from now on.
    public var previous: Int
    public var slots: Int
    public var reason: Reason

    public var isChange: Bool { slots != previous }

    public var description: String {
        let what = isChange ? "\(slots) slots instead of \(previous)" : "\(slots) slots"
        return """
            \(what) (\(reason.rawValue)): \(Int(arrivalRate.rounded())) rows/s arrive, \
            \(sample.backlogRows) wait, a slot takes \(Int(slotRate.rounded())) rows/s; batch of \
            \(sample.processedRows) rows in \(Int(sample.batchDuration.milliseconds)) ms on \
            \(sample.slots) slots, trigger \(Int(sample.triggerInterval.milliseconds)) ms, \
            \(sample.stateBytes) bytes of state
            """
    }

    public var jsonValue: JSONValue {
        [
            "slots": .integer(Int64(slots)), "previousSlots": .integer(Int64(previous)),
            "wantedSlots": .integer(Int64(wanted)), "reason": .string(reason.rawValue),
            "arrivalRowsPerSecond": .double(arrivalRate), "slotRowsPerSecond": .double(slotRate),
            "backlogRows": .integer(sample.backlogRows),
            "processedRows": .integer(sample.processedRows),
            "busyMs": .integer(Int64(sample.busyTime.milliseconds)),
            "batchDurationMs": .integer(Int64(sample.batchDuration.milliseconds)),
            "triggerIntervalMs": .integer(Int64(sample.triggerInterval.milliseconds)),
            "stateBytes": .integer(sample.stateBytes),
            "currentSlots": .integer(Int64(sample.slots)),
            "parallelism": .integer(Int64(sample.parallelism)),
        ]
    }
    public var json: String { jsonValue.compact }
}
