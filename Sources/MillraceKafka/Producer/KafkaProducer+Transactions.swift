/// Transactions, for a producer made with `transactional.id`. The sink that builds on them comes
/// later.
///
/// Order: `initTransactions` once, then `beginTransaction`, sends, and `commitTransaction` or
/// `abortTransaction`. A call that throws a retriable error may be repeated; after a fatal one (a
/// newer producer has the same id) only `close` is left; after any other, abort.
extension KafkaProducer {
    /// Fences older producers of the same `transactional.id` and finishes what they left open.
    public func initTransactions(timeout: Duration) throws(KafkaError) {
        try openHandle().initTransactions(Deadline(after: timeout))
    }
    public func beginTransaction() throws(KafkaError) { try openHandle().beginTransaction() }
    /// Waits for the records' acknowledgements, then commits.
    public func commitTransaction(timeout: Duration) throws(KafkaError) {
        try openHandle().commitTransaction(Deadline(after: timeout))
    }
    /// Drops what is queued and makes the rest invisible to read_committed readers.
    public func abortTransaction(timeout: Duration) throws(KafkaError) {
        try openHandle().abortTransaction(Deadline(after: timeout))
        forgetFailure()  // records purged by the abort are reported as failed
    }
}
