import MillraceBase
import MillraceCore

/// Is told what happens to the streaming queries of a session. Spark's `StreamingQueryListener`.
///
/// Called on the query's own thread, between two of its steps: take note and return.
public protocol StreamingQueryListener: AnyObject, Sendable {
    func onQueryStarted(_ event: StreamingQueryEvent.Started)
    /// After each batch.
    func onQueryProgress(_ progress: StreamingQueryProgress)
    /// Now and then while there is nothing to do.
    func onQueryIdle(_ event: StreamingQueryEvent.Idle)
    /// After each batch, and now and then without one, for a query that says how many slots it
    /// needs (`millrace.streaming.dynamicAllocation.enabled`). Spark has no such event.
    func onScalingDecision(_ event: StreamingQueryEvent.Scaling)
    func onQueryTerminated(_ event: StreamingQueryEvent.Terminated)
}

extension StreamingQueryListener {
    public func onQueryStarted(_ event: StreamingQueryEvent.Started) {}
    public func onQueryProgress(_ progress: StreamingQueryProgress) {}
    public func onQueryIdle(_ event: StreamingQueryEvent.Idle) {}
    public func onScalingDecision(_ event: StreamingQueryEvent.Scaling) {}
    public func onQueryTerminated(_ event: StreamingQueryEvent.Terminated) {}
}

/// What listeners are told.
public enum StreamingQueryEvent {
    public struct Started: Sendable {
        public let id: String
        public let runId: String
        public let name: String?
        /// Milliseconds since 1970.
        public let timestampMs: Int64
    }
    public struct Idle: Sendable {
        public let id: String
        public let runId: String
        /// Milliseconds since 1970.
        public let timestampMs: Int64
    }
    public struct Scaling: Sendable {
        public let id: String
        public let runId: String
        public let name: String?
        /// Milliseconds since 1970.
        public let timestampMs: Int64
        /// The answer and everything it was made of; `json` for machines.
        public let decision: ScalingDecision
    }
    public struct Terminated: Sendable {
        public let id: String
        public let runId: String
        /// Why it ended, nil if it was stopped or had nothing more to do.
        public let exception: MillraceError?
    }
}
