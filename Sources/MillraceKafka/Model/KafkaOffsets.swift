/// An offset for each of some partitions; as text `{"topic":{"0":123,"1":45}}`, Spark's format in
/// `offsets/` and in `startingOffsets`, where -1 is "latest" and -2 "earliest".
///
/// Always sorted by topic and partition, so equal offsets have equal text and equal bytes.
/// The text is read and written in `KafkaOffsets+JSON.swift`.
public struct KafkaOffsets: Hashable, Sendable, Codable {
    public struct Entry: Hashable, Sendable, Codable {
        public var topicPartition: TopicPartition
        public var offset: Int64
    }

    /// In `startingOffsets`: wherever the partition ends.
    public static let latest: Int64 = -1
    /// In `startingOffsets`: wherever the partition begins.
    public static let earliest: Int64 = -2

    public private(set) var entries: [Entry] = []

    public init() {}
    public init(_ pairs: some Sequence<(TopicPartition, Int64)>) {
        for (topicPartition, offset) in pairs { self[topicPartition] = offset }
    }

    /// For a parser: each partition at most once, in any order.
    init(unsorted entries: [Entry]) {
        self.entries = entries.sorted { $0.topicPartition < $1.topicPartition }
    }

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }
    public var partitions: [TopicPartition] { entries.map(\.topicPartition) }
    /// Sum of all offsets' differences from `start`; what an unknown partition starts with counts
    /// from 0.
    public func records(since start: KafkaOffsets) -> Int64 {
        entries.reduce(0) { $0 + max($1.offset - (start[$1.topicPartition] ?? 0), 0) }
    }

    /// The offset of a partition, or nil where it has none. O(log n); appending in order is O(1).
    public subscript(_ topicPartition: TopicPartition) -> Int64? {
        get {
            let index = position(of: topicPartition)
            guard index < entries.count, entries[index].topicPartition == topicPartition else {
                return nil
            }
            return entries[index].offset
        }
        set {
            let index = position(of: topicPartition)
            let isPresent =
                index < entries.count && entries[index].topicPartition == topicPartition
            switch (newValue, isPresent) {
            case (let offset?, true): entries[index].offset = offset
            case (let offset?, false):
                entries.insert(
                    Entry(topicPartition: topicPartition, offset: offset), at: index)
            case (nil, true): entries.remove(at: index)
            case (nil, false): break
            }
        }
    }

    private func position(of topicPartition: TopicPartition) -> Int {
        if let last = entries.last, last.topicPartition < topicPartition { return entries.count }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].topicPartition < topicPartition {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
