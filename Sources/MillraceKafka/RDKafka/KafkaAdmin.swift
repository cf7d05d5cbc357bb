import CRdkafka

/// Makes and removes topics on real brokers. (The mock cluster cannot: see
/// `MockCluster.createTopic`.)
///
/// Every call blocks, up to its `timeout`.
public final class KafkaAdmin {
    private let client: KafkaClient

    /// - Parameters:
    ///   - properties: librdkafka's; `bootstrap.servers` is required.
    ///   - makesTopics: whether asking for a topic may make it, where the brokers do such a thing.
    public init(properties: [KafkaProperty], makesTopics: Bool = false) throws(KafkaError) {
        client = try KafkaClient(makesTopics ? .producer : .consumer, properties: properties)
    }

    /// Makes a topic; one that exists already is left as it is (returns false).
    /// - Parameters:
    ///   - replicationFactor: -1 takes the brokers' default.
    ///   - settings: the topic's own, such as `retention.ms`.
    public func createTopic(
        _ name: String, partitions: Int, replicationFactor: Int = -1,
        settings: [KafkaProperty] = [], timeout: Duration
    ) throws(KafkaError) -> Bool {
        var text = [CChar](repeating: 0, count: 512)
        guard
            let topic = rd_kafka_NewTopic_new(
                name, Int32(clamping: partitions), Int32(clamping: replicationFactor), &text,
                text.count)
        else {
            throw KafkaError(.invalidOption, "cannot create topic '\(name)': \(String(text))")
        }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for setting in settings {
            rd_kafka_NewTopic_set_config(topic, setting.name, setting.value)
        }
        let code = try perform("create topic '\(name)'", RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout) {
            var topics: [OpaquePointer?] = [topic]
            rd_kafka_CreateTopics(client.handle, &topics, 1, $0, $1)
        } results: {
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result($0), &$1)
        }
        return code == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Removes a topic with its records.
    public func deleteTopic(_ name: String, timeout: Duration) throws(KafkaError) {
        guard let topic = rd_kafka_DeleteTopic_new(name) else {
            preconditionFailure("out of memory")
        }
        defer { rd_kafka_DeleteTopic_destroy(topic) }
        _ = try perform("delete topic '\(name)'", RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout) {
            var topics: [OpaquePointer?] = [topic]
            rd_kafka_DeleteTopics(client.handle, &topics, 1, $0, $1)
        } results: {
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result($0), &$1)
        }
    }

    /// Sends one request and waits for its answer. "Exists already" is an answer, other errors are
    /// thrown.
    private func perform(
        _ what: String, _ kind: rd_kafka_admin_op_t, _ timeout: Duration,
        request: (_ options: OpaquePointer, _ queue: OpaquePointer) -> Void,
        results: (
            _ event: OpaquePointer, _ count: inout Int
        ) -> UnsafeMutablePointer<OpaquePointer?>?
    ) throws(KafkaError) -> rd_kafka_resp_err_t {
        guard let queue = rd_kafka_queue_new(client.handle),
            let options = rd_kafka_AdminOptions_new(client.handle, kind)
        else { preconditionFailure("out of memory") }
        defer {
            rd_kafka_AdminOptions_destroy(options)
            rd_kafka_queue_destroy(queue)
        }
        let milliseconds = Deadline(after: timeout).milliseconds(atMost: 3_600_000)
        var text = [CChar](repeating: 0, count: 512)
        for set in [
            rd_kafka_AdminOptions_set_request_timeout,
            rd_kafka_AdminOptions_set_operation_timeout,
        ] where set(options, max(milliseconds, 1), &text, text.count) != RD_KAFKA_RESP_ERR_NO_ERROR
        {
            throw KafkaError(.invalidOption, "cannot \(what): \(String(text))")
        }
        request(options, queue)
        guard let event = rd_kafka_queue_poll(queue, milliseconds &+ 1000) else {
            throw KafkaError(native: RD_KAFKA_RESP_ERR__TIMED_OUT, doing: what)
                .withComplaint(of: client)
        }
        defer { rd_kafka_event_destroy(event) }
        var code = rd_kafka_event_error(event)
        var detail = rd_kafka_event_error_string(event).map { String(cString: $0) }
        if code == RD_KAFKA_RESP_ERR_NO_ERROR {
            var count = 0
            let answers = results(event, &count)
            if count > 0, let answer = answers?[0] {
                code = rd_kafka_topic_result_error(answer)
                detail = rd_kafka_topic_result_error_string(answer).map { String(cString: $0) }
            }
        }
        guard
            code == RD_KAFKA_RESP_ERR_NO_ERROR
                || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS
        else { throw KafkaError(native: code, doing: what, detail: detail) }
        return code
    }

    /// How many partitions a topic has; 0 when there is no such topic.
    public func partitions(ofTopic name: String, timeout: Duration) throws(KafkaError) -> Int {
        try client.partitions(ofTopic: name, deadline: Deadline(after: timeout)).count
    }
}

extension KafkaAdmin {
    /// Lets the client's threads work before the next attempt.
    func pause(milliseconds: Int32) { rd_kafka_poll(client.handle, milliseconds) }
}
