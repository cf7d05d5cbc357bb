import CRdkafka

/// librdkafka's mock cluster: brokers in this process, on loopback, that keep at most 5 MiB a
/// partition.
///
/// Ends with the value. Its topics are made by `createTopic` or, with one partition count for all,
/// on first use.
public final class MockCluster: @unchecked Sendable {
    private let client: KafkaClient
    private let cluster: OpaquePointer

    /// Starts `brokers` brokers on ports of the system's choice.
    public init(brokers: Int) throws(KafkaError) {
        guard (1...64).contains(brokers) else {
            throw KafkaError(.invalidOption, "a mock cluster has 1 to 64 brokers, not \(brokers)")
        }
        // The client only carries the cluster; it never connects. Its one log line about that
        // (CONFWARN) is below the threshold.
        client = try KafkaClient(.producer, properties: [KafkaProperty("log_level", "4")])
        guard let cluster = rd_kafka_mock_cluster_new(client.handle, Int32(brokers)) else {
            throw KafkaError(.broker, "the mock cluster cannot start")
        }
        self.cluster = cluster
    }

    deinit { rd_kafka_mock_cluster_destroy(cluster) }

    /// `127.0.0.1:port,…`
    public var bootstrapServers: String {
        String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    /// Makes a topic. Throws `.invalidOption` when it exists or has no partitions.
    public func createTopic(
        _ name: String, partitions: Int, replicationFactor: Int = 1
    ) throws(KafkaError) {
        guard (1...10_000).contains(partitions) else {
            throw KafkaError(.invalidOption, "a topic has 1 to 10000 partitions, not \(partitions)")
        }
        let code = rd_kafka_mock_topic_create(
            cluster, name, Int32(partitions), Int32(replicationFactor))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(native: code, doing: "create topic '\(name)'")
        }
    }

    /// Closes a broker's connections and refuses new ones (broker ids start at 1), or lets it
    /// answer again.
    public func setBroker(_ id: Int, isUp: Bool) {
        _ =
            isUp
            ? rd_kafka_mock_broker_set_up(cluster, Int32(id))
            : rd_kafka_mock_broker_set_down(cluster, Int32(id))
    }
}
