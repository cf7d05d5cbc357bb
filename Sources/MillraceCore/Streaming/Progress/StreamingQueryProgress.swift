import MillraceBase

/// What one trigger of a streaming query did. Spark's `StreamingQueryProgress`, field for field.
///
/// `json` is Spark's text; the durations are kept at full precision beside it.
public struct StreamingQueryProgress: Hashable, Sendable {
    /// The query's durable name, a UUID.
    public var id: String
    /// Of this start of the query, a UUID.
    public var runId: String
    public var name: String?
    /// When the trigger began, ms since 1970.
    public var timestampMs: Int64
    public var batchId: Int
    /// From the trigger's beginning to the batch's commit.
    public var batchDuration: Duration
    public var times: TriggerTimes
    /// `max`, `min`, `avg`, `watermark`; empty without a watermark.
    public var eventTime: [String: String] = [:]
    public var stateOperators: [StateOperatorProgress]
    public var sources: [SourceProgress]
    public var sink: SinkProgress
    /// Of the batch's job, if it had one. Not in the JSON: Spark's has no word for it.
    public var scheduling = BatchScheduling()

    public init(
        id: String, runId: String, name: String?, timestampMs: Int64, batchId: Int,
        batchDuration: Duration, times: TriggerTimes, stateOperators: [StateOperatorProgress],
        sources: [SourceProgress], sink: SinkProgress
    ) {
        self.id = id
        self.runId = runId
        self.name = name
        self.timestampMs = timestampMs
        self.batchId = batchId
        self.batchDuration = batchDuration
        self.times = times
        self.stateOperators = stateOperators
        self.sources = sources
        self.sink = sink
    }

    /// Rows of all sources.
    public var numInputRows: Int64 { sources.reduce(0) { $0 + $1.numInputRows } }
    /// Of all sources, over the time since the trigger before; NaN or infinite where it has none.
    public var inputRowsPerSecond: Double { sources.reduce(0) { $0 + $1.inputRowsPerSecond } }
    /// Of all sources, over the time of the trigger.
    public var processedRowsPerSecond: Double {
        sources.reduce(0) { $0 + $1.processedRowsPerSecond }
    }
    /// `2026-11-21T10:37:48.123Z`.
    public var timestamp: String { ISO8601.text(milliseconds: timestampMs) }
    /// Whole milliseconds by phase, as in the JSON.
    public var durationMs: [String: Int64] {
        var result: [String: Int64] = [:]
        for phase in TriggerPhase.allCases {
            if let duration = times[phase] {
                result[phase.rawValue] = duration.nanoseconds / 1_000_000
            }
        }
        return result
    }
}

/// One stateful operator. Spark's `StateOperatorProgress`.
public struct StateOperatorProgress: Hashable, Sendable {
    public var operatorName: String
    public var numRowsTotal: Int64 = 0
    public var numRowsUpdated: Int64 = 0
    public var allUpdatesTimeMs: Int64 = 0
    public var numRowsRemoved: Int64 = 0
    public var allRemovalsTimeMs: Int64 = 0
    /// Of all partitions together, as the other times.
    public var commitTimeMs: Int64 = 0
    public var memoryUsedBytes: Int64 = 0
    public var numRowsDroppedByWatermark: Int64 = 0
    public var numShufflePartitions: Int64 = 0
    public var numStateStoreInstances: Int64 = 0
    public var customMetrics: [String: Int64] = [:]

    public init(operatorName: String) { self.operatorName = operatorName }
}

/// One source. Spark's `SourceProgress`. Offsets are the source's JSON.
public struct SourceProgress: Hashable, Sendable {
    public var description: String
    public var startOffset: String?
    public var endOffset: String?
    public var latestOffset: String?
    public var numInputRows: Int64
    public var inputRowsPerSecond: Double
    public var processedRowsPerSecond: Double
    public var metrics: [String: String]

    public init(
        description: String, startOffset: String?, endOffset: String?, latestOffset: String?,
        numInputRows: Int64, inputRowsPerSecond: Double, processedRowsPerSecond: Double,
        metrics: [String: String] = [:]
    ) {
        self.description = description
        self.startOffset = startOffset
        self.endOffset = endOffset
        self.latestOffset = latestOffset
        self.numInputRows = numInputRows
        self.inputRowsPerSecond = inputRowsPerSecond
        self.processedRowsPerSecond = processedRowsPerSecond
        self.metrics = metrics
    }
}

/// The sink. Spark's `SinkProgress`.
public struct SinkProgress: Hashable, Sendable {
    public var description: String
    /// -1 when the sink doesn't know.
    public var numOutputRows: Int64
    public var metrics: [String: String] = [:]

    public init(description: String, numOutputRows: Int64 = -1) {
        self.description = description
        self.numOutputRows = numOutputRows
    }
}

/// What a query is doing now. Spark's `StreamingQueryStatus`.
public struct StreamingQueryStatus: Hashable, Sendable {
    public var message: String
    public var isDataAvailable: Bool
    public var isTriggerActive: Bool

    public init(message: String, isDataAvailable: Bool, isTriggerActive: Bool) {
        self.message = message
        self.isDataAvailable = isDataAvailable
        self.isTriggerActive = isTriggerActive
    }

    public var jsonValue: JSONValue {
        [
            "message": .string(message), "isDataAvailable": .bool(isDataAvailable),
            "isTriggerActive": .bool(isTriggerActive),
        ]
    }
    public var json: String { jsonValue.compact }
}
