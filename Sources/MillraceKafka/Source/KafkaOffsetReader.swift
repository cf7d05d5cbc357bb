/// The driver's side of a Kafka source: which partitions there are, and where they begin and end now.
///
/// Every call blocks, up to its `timeout`: call it from a worker thread, never from an event loop, and from one
/// thread at a time. No call outlives its timeout by more than a few milliseconds.
public final class KafkaOffsetReader {
    public let options: KafkaSourceOptions

    /// Connects lazily: an unreachable broker shows in the first call. Throws `.invalidOption` for a property that
    /// librdkafka refuses.
    public init(_ options: KafkaSourceOptions) throws(KafkaError) {
        preconditionFailure("soon")
    }

    /// The partitions of the subscription as of now, sorted.
    public func fetchPartitions(timeout: Duration) throws(KafkaError) -> [TopicPartition] {
        preconditionFailure("soon")
    }

    /// Where a query without a checkpoint starts: `startingOffsets` with -1 and -2 resolved.
    public func startingOffsets(timeout: Duration) throws(KafkaError) -> KafkaOffsets {
        preconditionFailure("soon")
    }

    /// The end of every partition now, those discovered since the last call included. Under read_committed (the
    /// default), the last stable offset. One round trip per leader.
    public func latestOffsets(timeout: Duration) throws(KafkaError) -> KafkaOffsets {
        preconditionFailure("soon")
    }

    /// The beginning of these partitions now.
    public func earliestOffsets(
        _ partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> KafkaOffsets { preconditionFailure("soon") }

    /// Where the next batch ends: latest offsets, cut to `maxOffsetsPerTrigger` in proportion to each partition's
    /// volume, exactly as Spark splits it. `latest` nil fetches them.
    public func endOffsets(
        from start: KafkaOffsets, latest: KafkaOffsets? = nil, timeout: Duration
    ) throws(KafkaError) -> KafkaOffsets { preconditionFailure("soon") }

    /// The ranges of the batch (start, end], as tasks: new partitions start at their beginning, a deleted or rewound
    /// one is data loss (an error or a warning, by `failOnDataLoss`), `minPartitions` splits the large ones. Empty
    /// ranges are left out.
    public func plan(
        from start: KafkaOffsets, to end: KafkaOffsets, timeout: Duration
    ) throws(KafkaError) -> [KafkaOffsetRange] { preconditionFailure("soon") }

    /// Ends the client; no call may follow. Also done when the reader is released.
    public func close() {}
}
