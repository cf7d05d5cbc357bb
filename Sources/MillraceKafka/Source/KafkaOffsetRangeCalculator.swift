/// Cuts the ranges of a batch into tasks as Spark's class of this name does: one per partition, or,
/// with `maxRecordsPerPartition` or `minPartitions`, large ones in equal pieces.
public struct KafkaOffsetRangeCalculator: Sendable {
    public var minPartitions: Int?
    public var maxRecordsPerPartition: Int64?

    public init(minPartitions: Int? = nil, maxRecordsPerPartition: Int64? = nil) {
        self.minPartitions = minPartitions
        self.maxRecordsPerPartition = maxRecordsPerPartition
    }

    /// Empty ranges are left out; pieces stay in the order of their ranges.
    public func ranges(_ given: [KafkaOffsetRange]) -> [KafkaOffsetRange] {
        var ranges = given.filter { $0.count > 0 }
        if let most = maxRecordsPerPartition {
            ranges = ranges.flatMap {
                split($0, into: Int(clamping: ($0.count - 1) / most + 1))
            }
        }
        guard let minPartitions, ranges.count < minPartitions else { return ranges }
        // Small ranges stay whole and are left out of the proportions of the rest.
        let total = sum(ranges)
        let whole = ranges.filter { pieces($0.count, of: total, minPartitions) == 1 }
        let rest = total - sum(whole)
        let restPieces = max(minPartitions - whole.count, 1)
        return ranges.flatMap { range in
            pieces(range.count, of: total, minPartitions) == 1
                ? [range] : split(range, into: pieces(range.count, of: rest, restPieces))
        }
    }

    private func sum(_ ranges: [KafkaOffsetRange]) -> Int64 {
        ranges.reduce(0) { $0.addingReportingOverflow($1.count).partialValue }
    }

    /// Java's `Math.round`: half goes up.
    private func pieces(_ size: Int64, of total: Int64, _ wanted: Int) -> Int {
        max(Int((Double(size) / Double(total) * Double(wanted) + 0.5).rounded(.down)), 1)
    }

    /// Equal pieces; the last takes what division leaves.
    private func split(_ range: KafkaOffsetRange, into parts: Int) -> [KafkaOffsetRange] {
        var remaining = range.count
        var start = range.from
        var result: [KafkaOffsetRange] = []
        for part in 0..<parts {
            let size = remaining / Int64(parts - part)
            remaining -= size
            let end = min(start + size, range.until)
            if end > start {
                result.append(KafkaOffsetRange(range.topicPartition, from: start, until: end))
            }
            start = end
        }
        return result
    }
}
