extension KafkaOffsets {
    /// These ends of a batch cut to `limit` offsets in all, each partition in proportion to its
    /// volume.
    ///
    /// Spark's arithmetic (`KafkaOffsetReader.rateLimit`), so that the same offsets give the same
    /// batches: shares are rounded down, but up where that would starve a small partition; a
    /// partition without volume keeps its end. So a batch may exceed the limit by less than one
    /// record per partition.
    /// - Parameters:
    ///   - start: where the batch begins; a partition it does not know begins where `firsts` says.
    ///   - firsts: the beginnings of partitions that are new.
    public func limited(
        to limit: Int64, from start: KafkaOffsets, firsts: KafkaOffsets = KafkaOffsets()
    ) -> KafkaOffsets {
        func begin(_ entry: Entry) -> Int64? {
            start[entry.topicPartition] ?? firsts[entry.topicPartition]
        }
        var total = 0.0
        for entry in entries {
            if let begin = begin(entry), entry.offset > begin {
                total += Double(entry.offset - begin)
            }
        }
        guard total >= 1 else { return self }
        return KafkaOffsets(
            entries.map { entry in
                guard let begin = begin(entry), entry.offset > begin else {
                    return (entry.topicPartition, entry.offset)
                }
                let share = Double(limit) * (Double(entry.offset - begin) / total)
                let rounded = share < 1 ? share.rounded(.up) : share.rounded(.down)
                let count = Int64(exactly: rounded) ?? Int64.max
                let (end, overflow) = begin.addingReportingOverflow(count)
                return (entry.topicPartition, overflow ? entry.offset : min(entry.offset, end))
            })
    }
}
