import MillraceExecutor
import MillraceWire

/// Keyed datasets are datasets of pairs. Aggregations combine on the map side in a table per task,
/// shuffle once, and merge; when the rows are placed by an equal partitioner already, nothing is
/// shuffled (as in Spark).
extension RDD {
    /// Each value transformed; the keys stay where they are.
    @inlinable public func mapValues<Key, Value, Output>(
        _ transform: @escaping @Sendable (Value) throws -> Output
    ) -> RDD<(Key, Output)> where Element == (Key, Value) {
        mapRows("mapValues", keepsPartitioner: true) { ($0.0, try transform($0.1)) }
    }

    /// All that `transform` makes of each value, each with the key; the keys stay where they are.
    @inlinable public func flatMapValues<Key, Value, Output: Sequence>(
        _ transform: @escaping @Sendable (Value) throws -> Output
    ) -> RDD<(Key, Output.Element)>
    where Element == (Key, Value), Output: SendableMetatype, Output.Iterator: SendableMetatype {
        flatMapRows("flatMapValues", keepsPartitioner: true) { row in
            let key = row.0
            return try transform(row.1).lazy.map { (key, $0) }
        }
    }

    /// The keys, duplicates too.
    @inlinable public func keys<Key, Value>() -> RDD<Key> where Element == (Key, Value) {
        mapRows("keys", keepsPartitioner: false) { $0.0 }
    }

    /// The values.
    @inlinable public func values<Key, Value>() -> RDD<Value> where Element == (Key, Value) {
        mapRows("values", keepsPartitioner: false) { $0.1 }
    }

    /// The rows moved to the partitions of their keys.
    @inlinable public func partitionBy<Key, Value, P: Partitioner<Key>>(
        _ partitioner: P
    ) -> RDD<(Key, Value)> where Element == (Key, Value), P: SendableMetatype {
        if self.partitioner == AnyPartitioner(partitioner) { return self }
        let scatter: ShuffleWrite<(Key, Value), (Key, Value)> = KeyedShuffle.scatter(partitioner)
        return shuffled(
            "partitionBy", sink: scatter, reducers: partitioner.numPartitions,
            partitioner: AnyPartitioner(partitioner))
    }

    /// The general aggregation by key: `create` makes a combined value of a key's first value,
    /// `merge` adds another value, `mergeCombiners` merges the combined values of two map tasks.
    /// `numPartitions` nil means as many as here. Without `mapSideCombine` rows are shuffled as
    /// they are.
    @inlinable public func combineByKey<Key: Hashable & SendableMetatype, Value, Combined>(
        numPartitions: Int? = nil, mapSideCombine: Bool = true,
        _ create: @escaping @Sendable (Value) throws -> Combined,
        _ merge: @escaping @Sendable (Combined, Value) throws -> Combined,
        _ mergeCombiners: @escaping @Sendable (Combined, Combined) throws -> Combined
    ) -> RDD<(Key, Combined)> where Element == (Key, Value) {
        combined(
            "combineByKey", KeyedPlacement(self, numPartitions), mapSideCombine: mapSideCombine,
            create,
            { $0 = try merge($0, $1) }, { $0 = try mergeCombiners($0, $1) })
    }

    /// `combineByKey` to the partitions of a partitioner of your own.
    @inlinable
    public func combineByKey<
        Key: Hashable & SendableMetatype, Value, Combined, P: Partitioner<Key> & SendableMetatype
    >(
        partitioner: P, mapSideCombine: Bool = true,
        _ create: @escaping @Sendable (Value) throws -> Combined,
        _ merge: @escaping @Sendable (Combined, Value) throws -> Combined,
        _ mergeCombiners: @escaping @Sendable (Combined, Combined) throws -> Combined
    ) -> RDD<(Key, Combined)> where Element == (Key, Value) {
        combined(
            "combineByKey", KeyedPlacement(self, to: partitioner), mapSideCombine: mapSideCombine,
            create, { $0 = try merge($0, $1) }, { $0 = try mergeCombiners($0, $1) })
    }

    /// The values of each key combined by an associative and commutative function.
    @inlinable public func reduceByKey<Key: Hashable & SendableMetatype, Value>(
        numPartitions: Int? = nil, _ combine: @escaping @Sendable (Value, Value) throws -> Value
    ) -> RDD<(Key, Value)> where Element == (Key, Value) {
        combined(
            "reduceByKey", KeyedPlacement(self, numPartitions), mapSideCombine: true, { $0 },
            { $0 = try combine($0, $1) }, { $0 = try combine($0, $1) })
    }

    /// `reduceByKey` to the partitions of a partitioner of your own.
    @inlinable
    public func reduceByKey<
        Key: Hashable & SendableMetatype, Value, P: Partitioner<Key> & SendableMetatype
    >(
        partitioner: P, _ combine: @escaping @Sendable (Value, Value) throws -> Value
    ) -> RDD<(Key, Value)> where Element == (Key, Value) {
        combined(
            "reduceByKey", KeyedPlacement(self, to: partitioner), mapSideCombine: true, { $0 },
            { $0 = try combine($0, $1) }, { $0 = try combine($0, $1) })
    }

    /// The values of each key folded from `zero` by `add` in each map task, and the results merged.
    @inlinable
    public func aggregateByKey<Key: Hashable & SendableMetatype, Value, Result: Sendable>(
        _ zero: Result, numPartitions: Int? = nil,
        _ add: @escaping @Sendable (Result, Value) throws -> Result,
        _ merge: @escaping @Sendable (Result, Result) throws -> Result
    ) -> RDD<(Key, Result)> where Element == (Key, Value) {
        combined(
            "aggregateByKey", KeyedPlacement(self, numPartitions), mapSideCombine: true,
            { try add(zero, $0) }, { $0 = try add($0, $1) }, { $0 = try merge($0, $1) })
    }

    /// The values of each key folded from `zero` (once per key and map task, so it is to be
    /// neutral).
    @inlinable public func foldByKey<Key: Hashable & SendableMetatype, Value: Sendable>(
        _ zero: Value, numPartitions: Int? = nil,
        _ combine: @escaping @Sendable (Value, Value) throws -> Value
    ) -> RDD<(Key, Value)> where Element == (Key, Value) {
        combined(
            "foldByKey", KeyedPlacement(self, numPartitions), mapSideCombine: true,
            { try combine(zero, $0) }, { $0 = try combine($0, $1) }, { $0 = try combine($0, $1) })
    }

    /// All values of each key, in no order that holds from run to run. Prefer an aggregation where
    /// one will do: here every row is shuffled.
    @inlinable public func groupByKey<Key: Hashable & SendableMetatype, Value>(
        numPartitions: Int? = nil
    ) -> RDD<(Key, [Value])> where Element == (Key, Value) {
        combined(
            "groupByKey", KeyedPlacement(self, numPartitions), mapSideCombine: false,
            keepsRows: true, { [$0] }, { $0.append($1) }, { $0.append(contentsOf: $1) })
    }

    /// The rows by what `key` makes of them.
    @inlinable public func groupBy<Key: Hashable & SendableMetatype>(
        numPartitions: Int? = nil, _ key: @escaping @Sendable (Element) throws -> Key
    ) -> RDD<(Key, [Element])> {
        keyBy(key).groupByKey(numPartitions: numPartitions)
    }

    /// The number of rows of each key, on the driver.
    @inlinable public func countByKey<Key: Hashable & SendableMetatype, Value>() async throws
        -> [Key: Int]
    where Element == (Key, Value) {
        try await keys().countByValue()
    }

    /// How often each row occurs, on the driver.
    @inlinable public func countByValue() async throws -> [Element: Int]
    where Element: Hashable & SendableMetatype {
        let counts = try await mapRows("countByValue", keepsPartitioner: false) { ($0, 1) }
            .reduceByKey { $0 + $1 }.collect()
        return Dictionary(counts) { $0 + $1 }
    }

    /// The pairs as a dictionary on the driver; of a key that occurs several times one value stays.
    public func collectAsMap<Key: Hashable, Value>() async throws -> [Key: Value]
    where Element == (Key, Value) {
        Dictionary(try await collect()) { $1 }
    }

    /// Each row once. `numPartitions` nil means as many as here.
    @inlinable public func distinct(numPartitions: Int? = nil) -> RDD<Element>
    where Element: Hashable & SendableMetatype {
        let reducers = Swift.max(numPartitions ?? context.shuffleParallelism(self.numPartitions), 1)
        let sink: ShuffleWrite<Element, Element> = KeyedShuffle.scatterDistinct(reducers)
        let unique: RDD<Element> = shuffled(
            "distinct", sink: sink, reducers: reducers, partitioner: nil)
        let kernel: MapPartition<Element, Element> = KeyedShuffle.distinct()
        return unique.derived("distinct", kernel)
    }
}
