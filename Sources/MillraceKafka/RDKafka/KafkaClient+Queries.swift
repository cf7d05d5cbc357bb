import CRdkafka

extension KafkaClient {
    /// One end of a partition, as the brokers' ListOffsets request names it.
    enum LogEnd: Int64 {
        case latest = -1
        case earliest = -2
    }

    /// Where these partitions end (or begin), in one round trip per leader.
    ///
    /// librdkafka 2.0 has no ListOffsets call, but its `offsets_for_times` passes the timestamps -1
    /// and -2 through, which mean latest and earliest to a broker: 0.6 ms for 4 partitions of one
    /// real broker, where `query_watermark_offsets` takes 5 ms (two requests a partition). Throws
    /// for the first partition that has no answer.
    func listOffsets(
        _ end: LogEnd, of partitions: [TopicPartition], deadline: Deadline
    ) throws(KafkaError) -> KafkaOffsets {
        guard !partitions.isEmpty else { return KafkaOffsets() }
        guard let list = rd_kafka_topic_partition_list_new(Int32(partitions.count)) else {
            preconditionFailure("out of memory")
        }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for each in partitions {
            rd_kafka_topic_partition_list_add(list, each.topic, each.partition).pointee.offset =
                end.rawValue
        }
        let code = rd_kafka_offsets_for_times(handle, list, deadline.milliseconds())
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(
                native: code, doing: "fetch the \(end) offsets of \(describe(partitions))",
                topicPartition: partitions.count == 1 ? partitions[0] : nil
            ).withComplaint(of: self)
        }
        var result = KafkaOffsets()
        for index in 0..<Int(list.pointee.cnt) {
            let element = list.pointee.elems[index]
            let partition = TopicPartition(String(cString: element.topic), element.partition)
            guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR, element.offset >= 0 else {
                let answer =
                    element.err == RD_KAFKA_RESP_ERR_NO_ERROR
                    ? RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE : element.err
                throw KafkaError(
                    native: answer, doing: "fetch the \(end) offset of \(partition)",
                    topicPartition: partition)
            }
            result[partition] = element.offset
        }
        return result
    }

    /// The partitions of the topics that `isWanted` accepts; `topic` non-nil asks the broker for
    /// that one only. A topic that does not exist is no error: it has no partitions.
    func partitions(
        ofTopic topic: String?, deadline: Deadline, where isWanted: (String) -> Bool = { _ in true }
    ) throws(KafkaError) -> [TopicPartition] {
        var topicHandle: OpaquePointer?
        if let topic {
            topicHandle = rd_kafka_topic_new(handle, topic, nil)
            guard topicHandle != nil else {
                throw KafkaError(native: rd_kafka_last_error(), doing: "look up topic '\(topic)'")
            }
        }
        defer { topicHandle.map(rd_kafka_topic_destroy) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(
            handle, topic == nil ? 1 : 0, topicHandle, &metadata, deadline.milliseconds())
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw KafkaError(
                native: code,
                doing: "list the partitions of \(topic.map { "'\($0)'" } ?? "all topics")"
            ).withComplaint(of: self)
        }
        defer { rd_kafka_metadata_destroy(metadata) }
        var result: [TopicPartition] = []
        for index in 0..<Int(metadata.pointee.topic_cnt) {
            let found = metadata.pointee.topics[index]
            let name = String(cString: found.topic)
            guard topic == nil || topic == name, isWanted(name) else { continue }
            switch found.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR: break
            case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: continue
            default: throw KafkaError(native: found.err, doing: "list the partitions of '\(name)'")
            }
            for number in 0..<Int(found.partition_cnt) {
                result.append(TopicPartition(name, found.partitions[number].id))
            }
        }
        return result.sorted()
    }

    private func describe(_ partitions: [TopicPartition]) -> String {
        let shown = partitions.prefix(3).map(\.description).joined(separator: ", ")
        return partitions.count > 3 ? "\(shown) and \(partitions.count - 3) more" : shown
    }
}

extension KafkaClient {
    /// Blocks while the client's own threads work: the pause between two attempts.
    func pause(milliseconds: Int32) { rd_kafka_poll(handle, milliseconds) }
}
