import MillraceExecutor
import MillraceWire

extension RDD {
    /// A partitioner with about `partitions` ranges of nearly equal size. Runs a job that samples
    /// the keys: 20 per partition of the result, three times as many per partition here in case
    /// some are larger (Spark's numbers), and a second one for partitions that are much larger than
    /// the others.
    @inlinable public func rangePartitioner<Key: Comparable & Codable & Sendable, Value>(
        _ partitions: Int, ascending: Bool = true
    ) async throws -> RangePartitioner<Key> where Element == (Key, Value) {
        if partitions <= 1 || numPartitions == 0 {
            return RangePartitioner(bounds: [], ascending: ascending)
        }
        let wanted = Swift.min(20 * partitions, 1_000_000)
        let share = (3 * wanted + numPartitions - 1) / numPartitions
        let sketch = try await sampleKeys(share)
        let total = sketch.reduce(0) { $0 + $1.count }
        guard total > 0 else { return RangePartitioner(bounds: [], ascending: ascending) }
        let fraction = Swift.min(Double(wanted) / Double(total), 1)
        var sample: [(key: Key, weight: Double)] = []
        var large: [Int] = []
        for part in sketch where part.count > 0 {
            if fraction * Double(part.count) > Double(share) {
                large.append(part.partition)
            } else {
                let weight = Double(part.count) / Double(part.keys.count)
                sample += part.keys.map { ($0, weight) }
            }
        }
        if !large.isEmpty {
            let counts = large.map { number in sketch.first { $0.partition == number }!.count }
            let most = Int(fraction * Double(counts.max() ?? 0)) + 1
            for part in try await sampleKeys(most, partitions: large) {
                let weight = Double(part.count) / Double(Swift.max(part.keys.count, 1))
                sample += part.keys.map { ($0, weight) }
            }
        }
        return Self.cut(sample, partitions, ascending)
    }

    @usableFromInline static func cut<Key: Comparable & Codable & Sendable>(
        _ sample: [(key: Key, weight: Double)], _ partitions: Int, _ ascending: Bool
    ) -> RangePartitioner<Key> {
        RangePartitioner(
            bounds: RangePartitioner<Key>.bounds(of: sample, partitions: partitions),
            ascending: ascending)
    }

    /// Each partition's number, rows and a uniform sample of up to `capacity` keys.
    @inlinable func sampleKeys<Key: SendableMetatype, Value>(
        _ capacity: Int, partitions: [Int]? = nil
    ) async throws -> [(partition: Int, count: Int, keys: [Key])] where Element == (Key, Value) {
        let kernel: ReduceSink<Element, (Int, Int, Key)>.Kernel = { partition, rows in
            var reservoir = Reservoir<Key>(capacity: capacity, seed: 42, stream: UInt64(partition))
            let chunk = RowBuffer<(Key, Value)>()
            while try rows.next(into: chunk) {
                for row in chunk { reservoir.add(row.0) }
            }
            let count = reservoir.seen
            return reservoir.keys.map { (partition, count, $0) }
        }
        let rows = try await runReduce("sortByKey: sample", partitions: partitions, kernel)
        var sketch: [(partition: Int, count: Int, keys: [Key])] = []
        for (partition, count, key) in rows {
            if sketch.last?.partition != partition { sketch.append((partition, count, [])) }
            sketch[sketch.count - 1].keys.append(key)
        }
        return sketch
    }

    /// The rows sorted by key over all partitions: each partition sorted, and all its keys before
    /// the next one's. Runs a job that samples the keys. Rows with equal keys keep no particular
    /// order.
    @inlinable public func sortByKey<Key: Comparable & Codable & Sendable, Value>(
        ascending: Bool = true, numPartitions: Int? = nil
    ) async throws -> RDD<(Key, Value)> where Element == (Key, Value) {
        let partitioner: RangePartitioner<Key> = try await rangePartitioner(
            numPartitions ?? Swift.max(self.numPartitions, 1), ascending: ascending)
        return sortedWithinPartitions(
            "sortByKey", partitioner, KeyedSort.naturally(ascending: ascending))
    }

    /// The rows sorted by what `key` makes of them. Runs a job that samples the keys.
    @inlinable public func sortBy<Key: Comparable & Codable & Sendable>(
        ascending: Bool = true, numPartitions: Int? = nil,
        _ key: @escaping @Sendable (Element) throws -> Key
    ) async throws -> RDD<Element> {
        try await keyBy(key).sortByKey(ascending: ascending, numPartitions: numPartitions).values()
    }

    /// The rows moved to the partitions of their keys, and each partition sorted by key: cheaper
    /// than `partitionBy` and a sort of its own.
    @inlinable
    public func repartitionAndSortWithinPartitions<
        Key: Comparable & SendableMetatype, Value, P: Partitioner<Key> & SendableMetatype
    >(_ partitioner: P) -> RDD<(Key, Value)> where Element == (Key, Value) {
        sortedWithinPartitions(
            "repartitionAndSortWithinPartitions", partitioner, KeyedSort.naturally(ascending: true))
    }

    /// `repartitionAndSortWithinPartitions` for keys that are not `Comparable`, or in another
    /// order.
    @inlinable
    public func repartitionAndSortWithinPartitions<
        Key, Value, P: Partitioner<Key> & SendableMetatype
    >(
        _ partitioner: P, by areInIncreasingOrder: @escaping @Sendable (Key, Key) throws -> Bool
    ) -> RDD<(Key, Value)> where Element == (Key, Value) {
        sortedWithinPartitions(
            "repartitionAndSortWithinPartitions", partitioner, KeyedSort.by(areInIncreasingOrder))
    }

    @usableFromInline
    func sortedWithinPartitions<Key, Value, P: Partitioner<Key> & SendableMetatype>(
        _ name: String, _ partitioner: P, _ sort: SortPartition<Key, Value>,
        _ scatter: ShuffleWrite<(Key, Value), (Key, Value)>
    ) -> RDD<(Key, Value)> where Element == (Key, Value) {
        let placed: RDD<(Key, Value)> = shuffled(
            name, sink: scatter, reducers: partitioner.numPartitions,
            partitioner: AnyPartitioner(partitioner))
        return placed.derived(name, sort, keepsPartitioner: true)
    }

    @inlinable
    func sortedWithinPartitions<Key, Value, P: Partitioner<Key> & SendableMetatype>(
        _ name: String, _ partitioner: P, _ sort: SortPartition<Key, Value>
    ) -> RDD<(Key, Value)> where Element == (Key, Value) {
        sortedWithinPartitions(name, partitioner, sort, KeyedShuffle.scatter(partitioner))
    }
}

/// How a partition's rows are sorted: kernels made where the key's type is known.
@usableFromInline enum KeyedSort {
    /// By the keys' own order.
    @inlinable static func naturally<Key: Comparable & SendableMetatype, Value>(
        ascending: Bool
    ) -> SortPartition<Key, Value> {
        SortPartition(
            sort: { RowSort.sort($0, ascending: ascending) },
            merge: { runs, limit, output in
                try runs.pull(limit, into: output) { ascending ? $0 < $1 : $1 < $0 }
            })
    }

    /// By a closure.
    @inlinable static func by<Key, Value>(
        _ precedes: @escaping @Sendable (Key, Key) throws -> Bool
    ) -> SortPartition<Key, Value> {
        SortPartition(
            sort: { try RowSort.sort($0, by: precedes) },
            merge: { runs, limit, output in try runs.pull(limit, into: output, by: precedes) })
    }
}
