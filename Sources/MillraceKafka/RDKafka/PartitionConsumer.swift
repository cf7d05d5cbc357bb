import CRdkafka

/// A positioned consumer of one partition: librdkafka's simple consumer, without a consumer group.
///
/// It keeps fetching ahead between batches, so a range that the driver hands out usually lies in
/// memory already; what it popped beyond a range's end stays in `messages` for the next. Belongs to
/// one thread at a time. Latency: the broker answers a fetch as soon as there is one byte
/// (`fetch.min.bytes` 1); only a seek and the end of a range that consists of transaction markers
/// wait for a fetch in flight, at most `fetch.wait.max.ms` (10).
final class PartitionConsumer: @unchecked Sendable {
    let topicPartition: TopicPartition
    let client: KafkaClient
    /// The offset the next record must not be below.
    private(set) var position: Int64
    private let topic: OpaquePointer
    private let queue: OpaquePointer
    private let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    private var consumed = 0
    private var filled = 0

    private static let capacity = 1024
    /// Records dropped rather than sought over: less than the round trip a seek costs.
    private static let shortSkip: Int64 = 4096

    /// How long an empty queue is waited for before the client is nudged.
    private static let patienceMs: Int32 = 2

    /// How a `read` ended.
    enum Outcome {
        /// `limit` records are there.
        case full
        /// The position is at or past the range's end.
        case reachedEnd
        /// Nothing is buffered now.
        case drained
        /// Offsets up to `next` were skipped: nothing visible lies there, or it is gone.
        case gap(next: Int64)
        /// The broker, or the client on its behalf, said no; retriable where it goes on by itself.
        case failed(KafkaError)
    }

    init(
        _ topicPartition: TopicPartition, at offset: Int64, properties: [KafkaProperty]
    ) throws(KafkaError) {
        self.topicPartition = topicPartition
        position = offset
        client = try KafkaClient(
            .consumer, properties: properties,
            defaults: [
                KafkaProperty("fetch.wait.max.ms", "10"),
                KafkaProperty("fetch.error.backoff.ms", "50"),
                // What one partition may hold in memory between batches (librdkafka: 64 MiB).
                KafkaProperty("queued.max.messages.kbytes", "16384"),
                KafkaProperty("isolation.level", "read_committed"),
                KafkaProperty("reconnect.backoff.ms", "20"),
                KafkaProperty("reconnect.backoff.max.ms", "1000"),
                KafkaProperty("topic.metadata.refresh.fast.interval.ms", "100"),
            ],
            required: [
                KafkaProperty("enable.partition.eof", "true"),
                KafkaProperty("auto.offset.reset", "error"),
                KafkaProperty("enable.auto.commit", "false"),
                KafkaProperty("enable.auto.offset.store", "false"),
            ])
        guard let topic = rd_kafka_topic_new(client.handle, topicPartition.topic, nil) else {
            throw KafkaError(native: rd_kafka_last_error(), doing: "open \(topicPartition)")
        }
        guard let queue = rd_kafka_queue_new(client.handle) else {
            preconditionFailure("out of memory")
        }
        self.topic = topic
        self.queue = queue
        messages = .allocate(capacity: Self.capacity)
        guard rd_kafka_consume_start_queue(topic, topicPartition.partition, offset, queue) == 0
        else {
            throw KafkaError(
                native: rd_kafka_last_error(), doing: "read \(topicPartition) from \(offset)",
                topicPartition: topicPartition, offset: offset)
        }
    }

    deinit {
        dropBuffered()
        rd_kafka_consume_stop(topic, topicPartition.partition)
        rd_kafka_queue_destroy(queue)
        rd_kafka_topic_destroy(topic)
        messages.deallocate()
    }

    /// Moves to `offset`; free where it is there already, as it is from batch to batch.
    func seek(to offset: Int64) throws(KafkaError) {
        if offset == position { return }
        if offset > position, offset - position <= Self.shortSkip {
            position = offset  // `read` drops what lies before
            return
        }
        dropBuffered()
        // Asynchronous; messages fetched before are outdated from here on and never delivered.
        let code = rd_kafka_seek(topic, topicPartition.partition, offset, 0)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(
                native: code, doing: "seek \(topicPartition) to \(offset)",
                topicPartition: topicPartition, offset: offset)
        }
        position = offset
    }

    /// Appends buffered records below `until` until `records` holds `limit`. Never waits.
    func read(
        into records: inout [KafkaRecord], until: Int64, limit: Int, includeHeaders: Bool
    ) -> Outcome {
        while position < until {
            if consumed == filled, !refill() { return .drained }
            guard let message = messages[consumed] else { preconditionFailure("empty slot") }
            let offset = message.pointee.offset
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                if offset > position { return .gap(next: min(offset, until)) }
                if records.count >= limit { return .full }
                if offset == position {
                    records.append(record(message, includeHeaders))
                    position = offset + 1
                }
            } else if message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                // Its offset is where the log ends: markers and aborted records before it are
                // behind us.
                if offset > position { return .gap(next: min(offset, until)) }
            } else {
                let error = failure(message)
                pop(message)
                return .failed(error)
            }
            pop(message)
        }
        return .reachedEnd
    }

    /// Accepts a gap that `read` reported: the next record may start at `next`.
    func skip(to next: Int64) { position = next }

    /// Waits for something to read, at most so long.
    func wait(milliseconds: Int32) {
        guard consumed == filled else { return }
        let first = min(milliseconds, Self.patienceMs)
        var message = rd_kafka_consume_queue(queue, first)
        if message == nil, milliseconds > first {
            nudge()
            message = rd_kafka_consume_queue(queue, milliseconds - first)
        }
        guard let message else { return }
        messages[0] = message
        consumed = 0
        filled = 1
    }

    /// Makes the client look at the partition now.
    ///
    /// A partition whose prefetch queue was full is looked at again only when its broker's thread
    /// wakes, which in librdkafka 2.0 takes up to a second (measured: one stall of 0.8 to 1.0 s for
    /// each 64 MiB of backlog). A request to that broker wakes it; its answer is of no interest.
    private func nudge() {
        _ = try? client.listOffsets(
            .earliest, of: [topicPartition], deadline: Deadline(after: .milliseconds(1)))
    }

    /// The first offset the broker still held at the last fetch, without a round trip; nil before
    /// the first.
    var logStart: Int64? {
        var low: Int64 = 0
        var high: Int64 = 0
        let code = rd_kafka_get_watermark_offsets(
            client.handle, topicPartition.topic, topicPartition.partition, &low, &high)
        return code == RD_KAFKA_RESP_ERR_NO_ERROR && low >= 0 ? low : nil
    }

    private func refill() -> Bool {
        consumed = 0
        filled = max(0, rd_kafka_consume_batch_queue(queue, 0, messages, Self.capacity))
        return filled > 0
    }

    private func pop(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        consumed += 1
        rd_kafka_message_destroy(message)
    }

    private func failure(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> KafkaError {
        KafkaError(
            native: message.pointee.err, doing: "read \(topicPartition) at offset \(position)",
            detail: rd_kafka_message_errstr(message).map { String(cString: $0) },
            topicPartition: topicPartition, offset: position)
    }

    private func dropBuffered() {
        while consumed < filled {
            if let message = messages[consumed] { rd_kafka_message_destroy(message) }
            consumed += 1
        }
    }

    private func record(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ includeHeaders: Bool
    ) -> KafkaRecord {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(message, &type)
        return KafkaRecord(
            key: message.pointee.key.map { bytes($0, message.pointee.key_len) },
            value: message.pointee.payload.map { bytes($0, message.pointee.len) } ?? [],
            topic: topicPartition.topic, partition: topicPartition.partition,
            offset: message.pointee.offset, timestampMs: timestamp,
            timestampType: type == RD_KAFKA_TIMESTAMP_CREATE_TIME
                ? .createTime : type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? .logAppendTime : .none,
            isTombstone: message.pointee.payload == nil,
            headers: includeHeaders ? headers(message) : [])
    }
}

private func bytes(_ start: UnsafeMutableRawPointer, _ count: Int) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: start, count: count))
}

private func headers(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> [KafkaHeader] {
    var list: OpaquePointer?
    guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else {
        return []
    }
    var result: [KafkaHeader] = []
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while rd_kafka_header_get_all(list, result.count, &name, &value, &size)
        == RD_KAFKA_RESP_ERR_NO_ERROR, let name
    {
        result.append(
            KafkaHeader(
                name: String(cString: name),
                value: value.map { Array(UnsafeRawBufferPointer(start: $0, count: size)) }))
    }
    return result
}
