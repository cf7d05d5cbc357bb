/// Sends records with idempotence (`acks=all`, no duplicates, order kept per partition) through
/// broker restarts, for as long as `delivery.timeout.ms` (5 minutes) allows. Belongs to one thread.
///
/// Transactions are in `KafkaProducer+Transactions.swift`.
public final class KafkaProducer {
    private var handle: ProducerHandle?
    private var sinceLastPoll = 0
    /// Delivery reports are served after so many records, so that their queue stays short.
    private static let pollInterval = 256

    /// - Parameter properties: librdkafka's; `bootstrap.servers` is required.
    public init(properties: [KafkaProperty]) throws(KafkaError) {
        guard properties.contains(where: { $0.name == "bootstrap.servers" && !$0.value.isEmpty })
        else {
            throw KafkaError(
                .invalidOption,
                "Option 'kafka.bootstrap.servers' must be specified for configuring Kafka producer")
        }
        handle = try ProducerHandle(properties: properties)
    }
    public convenience init(bootstrapServers: String) throws(KafkaError) {
        try self.init(properties: [KafkaProperty("bootstrap.servers", bootstrapServers)])
    }

    /// Records acknowledged by the brokers so far; current after `poll` and `flush`.
    public var delivered: Int { handle?.client.notes.acknowledged ?? 0 }
    /// Records queued or in flight.
    public var outstanding: Int { handle?.outstanding ?? 0 }

    /// Queues a record (copied); waits up to `timeout` for room. `partition` nil chooses by the
    /// key's hash. Throws `.deliveryFailed` when an earlier record was lost, `.timedOut` when there
    /// is no room.
    public func send(
        topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?,
        headers: [KafkaHeader] = [], timeout: Duration = .seconds(60)
    ) throws(KafkaError) {
        let handle = try openHandle()
        sinceLastPoll += 1
        if sinceLastPoll >= Self.pollInterval { try poll(timeout: .zero) }
        if try handle.enqueue(
            topic: topic, partition: partition, key: key, value: value, headers: headers)
        {
            return
        }
        let deadline = Deadline(after: timeout)
        repeat {
            // Returns as soon as one report comes, that is, as soon as there is room.
            handle.poll(milliseconds: deadline.milliseconds(atMost: 100))
            try throwFailure(of: handle)
            if try handle.enqueue(
                topic: topic, partition: partition, key: key, value: value, headers: headers)
            {
                return
            }
        } while !deadline.isPast
        throw KafkaError(
            .timedOut,
            "no room for another record to '\(topic)' within \(timeout): \(handle.outstanding) "
                + "wait for the brokers",
            isRetriable: true
        ).withComplaint(of: handle.client)
    }

    /// Serves delivery reports: those there are, or, with a timeout, waits that long for the next.
    /// Throws `.deliveryFailed` for the first record that was lost.
    public func poll(timeout: Duration) throws(KafkaError) {
        let handle = try openHandle()
        sinceLastPoll = 0
        handle.poll(milliseconds: Deadline(after: timeout).milliseconds())
        try throwFailure(of: handle)
    }

    /// Waits until every record is acknowledged. Throws `.deliveryFailed` for the first that was
    /// not, `.timedOut` when the deadline passes with records outstanding.
    public func flush(timeout: Duration) throws(KafkaError) {
        let handle = try openHandle()
        let isDone = handle.flush(milliseconds: Deadline(after: timeout).milliseconds())
        try throwFailure(of: handle)
        guard isDone else {
            throw KafkaError(
                .timedOut, "\(handle.outstanding) records are not acknowledged after \(timeout)",
                isRetriable: true
            ).withComplaint(of: handle.client)
        }
    }

    /// Ends the client. Records that were not flushed are dropped.
    public func close() { handle = nil }

    func openHandle() throws(KafkaError) -> ProducerHandle {
        guard let handle else { throw KafkaError(.cancelled, "the Kafka producer is closed") }
        return handle
    }

    /// After an abort: what it dropped is no failure.
    func forgetFailure() { handle?.client.notes.firstFailure = nil }

    private func throwFailure(of handle: ProducerHandle) throws(KafkaError) {
        if let failure = handle.client.notes.firstFailure { throw failure }
    }
}
