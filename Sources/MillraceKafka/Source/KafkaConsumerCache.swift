import MillraceBase
import Synchronization

/// Consumers that wait, positioned and prefetching, for the next batch of their partition: one per
/// executor process.
///
/// Keyed by query group and partition; two tasks that read one partition at a time have a consumer
/// each. At most `softLimit` stay while idle (Spark's `spark.kafka.consumer.cache.capacity`, 64),
/// each at most `idleTimeout` (5 minutes; looked at whenever one is given back). A consumer is a
/// librdkafka client with its threads and connections, so what is evicted ends on a thread of its
/// own, not on the task's.
public final class KafkaConsumerCache: Sendable {
    public static let shared = KafkaConsumerCache()
    public let softLimit: Int
    public let idleTimeout: Duration

    struct Key: Hashable {
        var group: String
        var properties: [KafkaProperty]
        var topicPartition: TopicPartition
    }
    private struct Idle {
        var key: Key
        var consumer: PartitionConsumer
        var since: Instant
    }
    /// In the order in which they were given back.
    private let idle = Mutex<[Idle]>([])

    public init(softLimit: Int = 64, idleTimeout: Duration = .seconds(300)) {
        self.softLimit = softLimit
        self.idleTimeout = idleTimeout
    }

    /// Consumers that no task holds now.
    public var idleCount: Int { idle.withLock { $0.count } }

    /// Ends the idle consumers of a query, or of all (`nil`). Returns when they have ended.
    public func removeAll(group: String? = nil) {
        let removed = idle.withLock { idle in
            let removed = idle.filter { group == nil || $0.key.group == group }
            idle.removeAll { group == nil || $0.key.group == group }
            return removed.map(\.consumer)
        }
        _ = removed
    }

    /// An idle consumer for the key, the one nearest to `offset` if there are several, or a new
    /// one.
    func borrow(_ key: Key, at offset: Int64) throws(KafkaError) -> PartitionConsumer {
        let found = idle.withLock { idle -> PartitionConsumer? in
            let candidates = idle.indices.filter { idle[$0].key == key }
            let nearest = candidates.min {
                idle[$0].consumer.position.distanceMagnitude(to: offset)
                    < idle[$1].consumer.position.distanceMagnitude(to: offset)
            }
            return nearest.map { idle.remove(at: $0).consumer }
        }
        if let found {
            do throws(KafkaError) {
                try found.seek(to: offset)
                return found
            } catch {
                Log.info("kafka", "cached consumer replaced", ["why": error.message])
            }
        }
        return try PartitionConsumer(key.topicPartition, at: offset, properties: key.properties)
    }

    /// Takes a consumer back and ends those above the limits.
    func giveBack(_ consumer: PartitionConsumer, _ key: Key) {
        let now = Deadline.now
        let evicted = idle.withLock { idle -> [PartitionConsumer] in
            idle.append(Idle(key: key, consumer: consumer, since: now))
            var evicted: [PartitionConsumer] = []
            while let oldest = idle.first,
                idle.count > softLimit || now - oldest.since > idleTimeout
            {
                evicted.append(idle.removeFirst().consumer)
            }
            return evicted
        }
        if !evicted.isEmpty { endElsewhere(evicted) }
    }
}

extension Int64 {
    fileprivate func distanceMagnitude(to other: Int64) -> UInt64 {
        self > other
            ? UInt64(bitPattern: self &- other) : UInt64(bitPattern: other &- self)
    }
}
