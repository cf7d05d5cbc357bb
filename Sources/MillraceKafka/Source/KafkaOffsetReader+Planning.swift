import MillraceBase

extension KafkaOffsetReader {
    /// Where the next batch ends: latest offsets, cut to `maxOffsetsPerTrigger` in proportion to
    /// each partition's volume, exactly as Spark splits it. `latest` nil fetches them.
    public func endOffsets(
        from start: KafkaOffsets, latest given: KafkaOffsets? = nil, timeout: Duration
    ) throws(KafkaError) -> KafkaOffsets {
        let deadline = Deadline(after: timeout)
        let latest: KafkaOffsets
        if let given { latest = given } else { latest = try latestOffsets(timeout: timeout) }
        guard let limit = options.maxOffsetsPerTrigger else { return latest }
        let new = latest.partitions.filter { start[$0] == nil }
        let firsts =
            new.isEmpty ? KafkaOffsets() : try earliestOffsets(new, timeout: deadline.remaining)
        return latest.limited(to: limit, from: start, firsts: firsts)
    }

    /// The ranges of the batch [start, end), as tasks: a new partition starts at its beginning, a
    /// deleted or rewound one is data loss (an error or a warning, by `failOnDataLoss`),
    /// `minPartitions` splits the large ones. Empty ranges are left out. Asks the brokers only when
    /// there are new partitions.
    public func plan(
        from start: KafkaOffsets, to end: KafkaOffsets, timeout: Duration
    ) throws(KafkaError) -> [KafkaOffsetRange] {
        let new = end.partitions.filter { start[$0] == nil }
        let firsts = new.isEmpty ? KafkaOffsets() : try earliestOffsets(new, timeout: timeout)
        return try plan(from: start, to: end, firsts: firsts)
    }

    /// The same without a broker: `firsts` are the beginnings of the partitions that `start` lacks.
    func plan(
        from start: KafkaOffsets, to end: KafkaOffsets, firsts: KafkaOffsets
    ) throws(KafkaError) -> [KafkaOffsetRange] {
        let deleted = start.partitions.filter { end[$0] == nil }
        if !deleted.isEmpty {
            try reportDataLoss(
                "\(deleted) are gone. Some data may have been missed.", deleted.first)
        }
        var ranges: [KafkaOffsetRange] = []
        for entry in end.entries {
            let partition = entry.topicPartition
            let first: Int64
            if let known = start[partition] {
                first = known
            } else {
                first = firsts[partition] ?? entry.offset
                Log.info("kafka", "partition added", ["partition": partition, "offset": first])
                if first != 0 {
                    try reportDataLoss(
                        "Added partition \(partition) starts from \(first) instead of 0. Some "
                            + "data may have been "
                            + "missed.", partition, offset: first)
                }
            }
            if entry.offset < first {
                try reportDataLoss(
                    "Partition \(partition)'s offset was changed from \(first) to "
                        + "\(entry.offset). This could be "
                        + "either 1) a user error that the start offset is set beyond available "
                        + "offset when "
                        + "starting query, or 2) the kafka topic-partition is deleted and "
                        + "re-created.",
                    partition, offset: first)
            }
            ranges.append(
                KafkaOffsetRange(partition, from: first, until: max(first, entry.offset)))
        }
        return KafkaOffsetRangeCalculator(
            minPartitions: options.minPartitions,
            maxRecordsPerPartition: options.maxRecordsPerPartition
        ).ranges(ranges)
    }

    private func reportDataLoss(
        _ what: String, _ partition: TopicPartition?, offset: Int64? = nil
    ) throws(KafkaError) {
        if options.failOnDataLoss {
            throw KafkaError.dataLoss(what, partition, offset)
        }
        Log.warn("kafka", "data may be lost; going on, as failOnDataLoss is false", ["what": what])
    }
}

extension KafkaError {
    /// Spark's sentence about data that is gone.
    static func dataLoss(
        _ what: String, _ partition: TopicPartition?, _ offset: Int64?
    ) -> KafkaError {
        KafkaError(
            .dataLoss,
            "\(what) Some data may have been lost because they are not available in Kafka any "
                + "more; either the data was "
                + "aged out by Kafka or the topic may have been deleted before all the data in "
                + "the topic was "
                + "processed. If you don't want your streaming query to fail on such cases, set "
                + "the source option "
                + "\"failOnDataLoss\" to \"false\".",
            topicPartition: partition, offset: offset)
    }
}
