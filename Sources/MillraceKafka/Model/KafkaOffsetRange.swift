import MillraceBase

/// Records [from, until) of one partition: what one task of a batch reads. Travels with the task as
/// bytes.
public struct KafkaOffsetRange: Hashable, Sendable, Codable, CustomStringConvertible {
    public var topicPartition: TopicPartition
    public var from: Int64
    public var until: Int64

    public init(_ topicPartition: TopicPartition, from: Int64, until: Int64) {
        self.topicPartition = topicPartition
        self.from = from
        self.until = until
    }

    /// Offsets in the range: an upper bound of its records (transactions and compaction leave
    /// holes).
    public var count: Int64 { max(until - from, 0) }
    public var description: String { "\(topicPartition) [\(from), \(until))" }

    /// The bytes of a `TaskDescription.input`.
    public func encode(into writer: inout ByteWriter) {
        writer.writeString(topicPartition.topic)
        writer.writeSigned(Int64(topicPartition.partition))
        writer.writeSigned(from)
        writer.writeSigned(until)
    }
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 32)
        encode(into: &writer)
        return writer.bytes
    }

    /// Reads what `encode` wrote.
    public init(from reader: inout ByteReader) throws(ByteError) {
        let topic = try reader.readString()
        let partition = try reader.readSigned()
        guard let partition = Int32(exactly: partition) else {
            throw reader.failure("\(partition) is no partition number")
        }
        from = try reader.readSigned()
        until = try reader.readSigned()
        topicPartition = TopicPartition(topic, partition)
    }
    public init(bytes: [UInt8]) throws(ByteError) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader)
        try reader.expectEnd()
    }
}
