/// The executor's side of a Kafka source: the records of one range, in chunks, from a consumer that is borrowed from
/// the cache and stays positioned for the next batch.
///
/// Every call blocks its (task) thread, up to `pollTimeoutMs` without progress.
public final class KafkaRangeReader {
    public let range: KafkaOffsetRange

    /// - Parameter isCancelled: asked at least every 50 ms while waiting.
    public init(
        _ settings: KafkaReaderSettings, range: KafkaOffsetRange,
        cache: KafkaConsumerCache = .shared, chunkSize: Int = 1024,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(KafkaError) { preconditionFailure("soon") }

    /// Replaces `chunk` by the next records (at most `chunkSize`); false at the range's end, with `chunk` empty.
    /// Throws `.dataLoss`, `.timedOut` or `.broker`, each naming topic, partition and offset.
    public func next(into chunk: inout [KafkaRecord]) throws(KafkaError) -> Bool {
        preconditionFailure("soon")
    }

    /// Gives the consumer back to the cache. Also done at the range's end and when the reader is released.
    public func close() {}
}
