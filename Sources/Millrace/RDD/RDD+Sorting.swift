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
        return sortedWithinPartitions("sortByKey", partitioner) {
            ascending ? $0 < $1 : $1 < $0
        }
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
        sortedWithinPartitions("repartitionAndSortWithinPartitions", partitioner) { $0 < $1 }
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
            "repartitionAndSortWithinPartitions", partitioner, areInIncreasingOrder)
    }

    @inlinable func sortedWithinPartitions<Key, Value, P: Partitioner<Key> & SendableMetatype>(
        _ name: String, _ partitioner: P,
        _ areInIncreasingOrder: @escaping @Sendable (Key, Key) throws -> Bool
    ) -> RDD<(Key, Value)> where Element == (Key, Value) {
        let scatter: ShuffleWrite<(Key, Value), (Key, Value)> = KeyedShuffle.scatter(partitioner)
        let placed: RDD<(Key, Value)> = shuffled(
            name, sink: scatter, reducers: partitioner.numPartitions,
            partitioner: AnyPartitioner(partitioner))
        return placed.derived(
            name,
            MapPartition<(Key, Value), (Key, Value)> { _, cursor in
                var rows = try cursor.all().takeArray()
                try rows.sort { try areInIncreasingOrder($0.0, $1.0) }
                var position = 0
                return { output in
                    let end = Swift.min(position + Chunk.rows, rows.count)
                    output.append(contentsOf: rows[position..<end])
                    position = end
                    return !output.isEmpty
                }
            }, keepsPartitioner: true)
    }
}
