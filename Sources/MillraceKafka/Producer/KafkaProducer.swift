/// Sends records with idempotence (`acks=all`, no duplicates, order kept per partition). Belongs to one thread.
///
/// Transactions (init, begin, commit, abort) will live beside this in `KafkaProducer+Transactions.swift`.
public final class KafkaProducer {
    /// - Parameter properties: librdkafka's; `bootstrap.servers` is required.
    public init(properties: [KafkaProperty]) throws(KafkaError) { preconditionFailure("soon") }

    /// Records acknowledged by the brokers so far.
    public var delivered: Int { 0 }
    /// Records queued or in flight.
    public var outstanding: Int { 0 }

    /// Queues a record; waits up to `timeout` for room. `partition` nil chooses by the key's hash.
    /// Throws `.deliveryFailed` when an earlier record was lost, `.timedOut` when there is no room.
    public func send(
        topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?,
        headers: [KafkaHeader] = [], timeout: Duration = .seconds(60)
    ) throws(KafkaError) { preconditionFailure("soon") }

    /// Waits until every record is acknowledged. Throws `.deliveryFailed` for the first that was not, `.timedOut`
    /// when the deadline passes with records outstanding.
    public func flush(timeout: Duration) throws(KafkaError) {}

    public func close() {}
}
