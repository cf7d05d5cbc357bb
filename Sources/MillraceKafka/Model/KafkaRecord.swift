/// What the timestamp of a record means.
public enum KafkaTimestampType: Int8, Sendable, Hashable, Codable {
    case none = -1
    case createTime = 0
    case logAppendTime = 1
}

/// A named value beside a record; names may repeat.
public struct KafkaHeader: Sendable, Hashable, Codable {
    public var name: String
    public var value: [UInt8]?
    public init(name: String, value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}

/// One record as the brokers hold it: Spark's Kafka row, field for field.
public struct KafkaRecord: Sendable, Hashable, Codable {
    public var key: [UInt8]?
    /// Empty for a tombstone too; `isTombstone` tells them apart.
    public var value: [UInt8]
    public var topic: String
    public var offset: Int64
    /// Milliseconds since 1970 UTC; -1 when the broker gave none.
    public var timestampMs: Int64
    public var partition: Int32
    public var timestampType: KafkaTimestampType
    /// Whether the record's value is null (a deletion, in a compacted topic).
    public var isTombstone: Bool
    /// Empty unless `includeHeaders` is set.
    public var headers: [KafkaHeader]

    @inlinable public init(
        key: [UInt8]?, value: [UInt8], topic: String, partition: Int32, offset: Int64,
        timestampMs: Int64, timestampType: KafkaTimestampType, isTombstone: Bool = false,
        headers: [KafkaHeader] = []
    ) {
        self.key = key
        self.value = value
        self.topic = topic
        self.offset = offset
        self.timestampMs = timestampMs
        self.partition = partition
        self.timestampType = timestampType
        self.isTombstone = isTombstone
        self.headers = headers
    }
}
