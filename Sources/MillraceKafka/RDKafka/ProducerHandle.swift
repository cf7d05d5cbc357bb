import CRdkafka

/// The C side of `KafkaProducer`: the client, its topic handles, and the delivery callback, which
/// only counts.
///
/// Belongs to one thread: the callback runs inside this thread's `poll`.
final class ProducerHandle {
    let client: KafkaClient
    private var topics: [String: OpaquePointer] = [:]
    private var lastTopic: (name: String, handle: OpaquePointer)?

    init(properties: [KafkaProperty]) throws(KafkaError) {
        client = try KafkaClient(
            .producer, properties: properties,
            defaults: [
                KafkaProperty("reconnect.backoff.ms", "20"),
                KafkaProperty("reconnect.backoff.max.ms", "1000"),
            ],
            required: [
                KafkaProperty("enable.idempotence", "true"), KafkaProperty("acks", "all"),
            ],
            configure: { rd_kafka_conf_set_dr_msg_cb($0, countDelivery) })
    }

    deinit {
        // Without this the end would wait for every record in the queue, also when no broker is
        // there.
        rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        rd_kafka_poll(client.handle, 0)
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
    }

    var outstanding: Int { Int(rd_kafka_outq_len(client.handle)) }

    /// Serves delivery reports, waiting for the first one at most so long.
    func poll(milliseconds: Int32) { rd_kafka_poll(client.handle, milliseconds) }

    /// Waits for all reports; false when the time passes before.
    func flush(milliseconds: Int32) -> Bool {
        rd_kafka_flush(client.handle, milliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Queues one record (copied). False when the queue is full.
    func enqueue(
        topic: String, partition: Int32?, key: [UInt8]?, value: [UInt8]?, headers: [KafkaHeader]
    ) throws(KafkaError) -> Bool {
        let topicHandle = try open(topic)
        let code =
            headers.isEmpty
            ? enqueue(topicHandle, partition ?? -1, key, value)
            : enqueue(topicHandle, partition ?? -1, key, value, headers)
        switch code {
        case RD_KAFKA_RESP_ERR_NO_ERROR: return true
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: return false
        case RD_KAFKA_RESP_ERR__FATAL: throw client.fatalError ?? failure(code, topic)
        default: throw failure(code, topic)
        }
    }

    private func failure(_ code: rd_kafka_resp_err_t, _ topic: String) -> KafkaError {
        KafkaError(native: code, doing: "send a record to '\(topic)'")
    }

    private func enqueue(
        _ topic: OpaquePointer, _ partition: Int32, _ key: [UInt8]?, _ value: [UInt8]?
    ) -> rd_kafka_resp_err_t {
        withOptionalBytes(key) { key in
            withOptionalBytes(value) { value in
                let result = rd_kafka_produce(
                    topic, partition, RD_KAFKA_MSG_F_COPY,
                    UnsafeMutableRawPointer(mutating: value.baseAddress), value.count,
                    key.baseAddress, key.count, nil)
                return result == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error()
            }
        }
    }

    private func enqueue(
        _ topic: OpaquePointer, _ partition: Int32, _ key: [UInt8]?, _ value: [UInt8]?,
        _ headers: [KafkaHeader]
    ) -> rd_kafka_resp_err_t {
        withOptionalBytes(key) { key in
            withOptionalBytes(value) { value in
                let list = rd_kafka_headers_new(headers.count)
                for header in headers {
                    withOptionalBytes(header.value) {
                        _ = rd_kafka_header_add(list, header.name, -1, $0.baseAddress, $0.count)
                    }
                }
                var fields = [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 6)
                fields[0].vtype = RD_KAFKA_VTYPE_RKT
                fields[0].u.rkt = topic
                fields[1].vtype = RD_KAFKA_VTYPE_PARTITION
                fields[1].u.i32 = partition
                fields[2].vtype = RD_KAFKA_VTYPE_VALUE
                fields[2].u.mem = .init(
                    ptr: UnsafeMutableRawPointer(mutating: value.baseAddress), size: value.count)
                fields[3].vtype = RD_KAFKA_VTYPE_KEY
                fields[3].u.mem = .init(
                    ptr: UnsafeMutableRawPointer(mutating: key.baseAddress), size: key.count)
                fields[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS
                fields[4].u.i = RD_KAFKA_MSG_F_COPY
                fields[5].vtype = RD_KAFKA_VTYPE_HEADERS
                fields[5].u.headers = list
                guard let error = rd_kafka_produceva(client.handle, &fields, fields.count) else {
                    return RD_KAFKA_RESP_ERR_NO_ERROR
                }
                defer { rd_kafka_error_destroy(error) }
                rd_kafka_headers_destroy(list)  // taken only by a record that was queued
                return rd_kafka_error_code(error)
            }
        }
    }

    private func open(_ name: String) throws(KafkaError) -> OpaquePointer {
        if let lastTopic, lastTopic.name == name { return lastTopic.handle }
        if let known = topics[name] {
            lastTopic = (name, known)
            return known
        }
        guard let handle = rd_kafka_topic_new(client.handle, name, nil) else {
            throw KafkaError(native: rd_kafka_last_error(), doing: "open topic '\(name)'")
        }
        topics[name] = handle
        lastTopic = (name, handle)
        return handle
    }
}

/// A null array is a null pointer; an empty one is not.
private func withOptionalBytes<Result>(
    _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) -> Result
) -> Result {
    guard let bytes else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    if bytes.isEmpty {
        return withUnsafeBytes(of: UInt8(0)) { body(UnsafeRawBufferPointer(rebasing: $0[..<0])) }
    }
    return bytes.withUnsafeBytes(body)
}

private func countDelivery(
    _: OpaquePointer?, _ message: UnsafePointer<rd_kafka_message_t>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    guard let message, let opaque else { return }
    let notes = Unmanaged<ClientNotes>.fromOpaque(opaque).takeUnretainedValue()
    let code = message.pointee.err
    guard code != RD_KAFKA_RESP_ERR_NO_ERROR else {
        notes.acknowledged += 1
        return
    }
    guard notes.firstFailure == nil else { return }
    let topic = rd_kafka_topic_name(message.pointee.rkt).map { String(cString: $0) } ?? "?"
    var error = KafkaError(
        native: code, doing: "deliver a record to \(topic)-\(message.pointee.partition)",
        topicPartition: TopicPartition(topic, message.pointee.partition))
    error.code = .deliveryFailed
    notes.firstFailure = error
}
