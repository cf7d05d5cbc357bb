import CRdkafka

extension ProducerHandle {
    func initTransactions(_ deadline: Deadline) throws(KafkaError) {
        try check(
            rd_kafka_init_transactions(client.handle, deadline.milliseconds()),
            "fence older producers")
    }
    func beginTransaction() throws(KafkaError) {
        try check(rd_kafka_begin_transaction(client.handle), "begin a transaction")
    }
    func commitTransaction(_ deadline: Deadline) throws(KafkaError) {
        try check(
            rd_kafka_commit_transaction(client.handle, deadline.milliseconds()),
            "commit the transaction")
    }
    func abortTransaction(_ deadline: Deadline) throws(KafkaError) {
        try check(
            rd_kafka_abort_transaction(client.handle, deadline.milliseconds()),
            "abort the transaction")
    }

    private func check(_ error: OpaquePointer?, _ what: String) throws(KafkaError) {
        guard let error else { return }
        defer { rd_kafka_error_destroy(error) }
        var result = KafkaError(
            native: rd_kafka_error_code(error), doing: what,
            detail: rd_kafka_error_string(error).map { String(cString: $0) })
        result.isRetriable = rd_kafka_error_is_retriable(error) != 0
        result.isFatal = rd_kafka_error_is_fatal(error) != 0
        throw result
    }
}
