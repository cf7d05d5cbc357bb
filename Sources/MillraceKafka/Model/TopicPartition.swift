/// One partition of one topic. Sorted by topic (bytes), then partition, everywhere something is
/// listed.
public struct TopicPartition: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public var topic: String
    public var partition: Int32

    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        left.topic == right.topic
            ? left.partition < right.partition
            : left.topic.utf8.lexicographicallyPrecedes(right.topic.utf8)
    }

    /// `topic-partition`, as Kafka's own tools write it.
    public var description: String { "\(topic)-\(partition)" }
}
