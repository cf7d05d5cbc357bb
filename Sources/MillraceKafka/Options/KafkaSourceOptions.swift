/// Which partitions a query reads.
public enum KafkaSubscription: Sendable, Hashable, Codable {
    /// `assign`: exactly these partitions.
    case assign([TopicPartition])
    /// `subscribe`: all partitions of these topics, also those added later.
    case subscribe([String])
    /// `subscribePattern`: all partitions of all topics that match (whole name), also those made
    /// later.
    case pattern(String)
}

/// Where a query without a checkpoint starts.
public enum KafkaStartingOffsets: Sendable, Hashable, Codable {
    case earliest
    case latest
    /// Per partition; -1 and -2 stand for latest and earliest.
    case specific(KafkaOffsets)
}

/// One librdkafka property, without the `kafka.` prefix.
public struct KafkaProperty: Sendable, Hashable, Codable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The options of a Kafka source, checked: Spark's names, meanings, defaults and refusals.
///
/// Names are case-insensitive. `kafka.*` passes through to librdkafka (Java names with an
/// equivalent are translated). Codable and without dictionaries, so that a plan that carries it
/// keeps one hash.
public struct KafkaSourceOptions: Sendable, Hashable, Codable {
    public var subscription: KafkaSubscription
    public var startingOffsets: KafkaStartingOffsets
    public var failOnDataLoss: Bool
    /// Attempts to fetch offsets, and the pause between two.
    public var fetchRetries: Int
    public var fetchRetryIntervalMs: Int
    public var maxOffsetsPerTrigger: Int64?
    public var minPartitions: Int?
    public var maxRecordsPerPartition: Int64?
    /// How long an executor waits for records of a range before the task fails.
    public var pollTimeoutMs: Int
    public var includeHeaders: Bool
    public var groupIdPrefix: String
    /// librdkafka properties given by the user, sorted by name; `bootstrap.servers` is always
    /// there.
    public var properties: [KafkaProperty]

    /// What an executor needs to read ranges. `group` names the query; consumers are cached by it.
    public func readerSettings(group: String) -> KafkaReaderSettings {
        KafkaReaderSettings(
            group: group, properties: properties, failOnDataLoss: failOnDataLoss,
            pollTimeoutMs: pollTimeoutMs, includeHeaders: includeHeaders)
    }
}

/// The part of the options that travels to executors inside the plan.
public struct KafkaReaderSettings: Sendable, Hashable, Codable {
    /// Names the query; consumers are cached by it and by partition. Not a consumer group.
    public var group: String
    public var properties: [KafkaProperty]
    public var failOnDataLoss: Bool
    public var pollTimeoutMs: Int
    public var includeHeaders: Bool

    public init(
        group: String, properties: [KafkaProperty], failOnDataLoss: Bool = true,
        pollTimeoutMs: Int = 120_000, includeHeaders: Bool = false
    ) {
        self.group = group
        self.properties = properties
        self.failOnDataLoss = failOnDataLoss
        self.pollTimeoutMs = pollTimeoutMs
        self.includeHeaders = includeHeaders
    }
}
