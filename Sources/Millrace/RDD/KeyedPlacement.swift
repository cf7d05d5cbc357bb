import MillraceExecutor
import MillraceWire

/// Where a keyed operation puts its result: in the partitions of `partitioner`, after a shuffle
/// unless the rows are there already.
public struct KeyedPlacement<P: Partitioner> {
    @usableFromInline let partitioner: P
    @usableFromInline let needsShuffle: Bool

    /// To the partitions of `partitioner`.
    @inlinable public init<Value>(_ rows: RDD<(P.Key, Value)>, to partitioner: P) {
        self.partitioner = partitioner
        needsShuffle = rows.partitioner != AnyPartitioner(partitioner)
    }

    /// To `numPartitions` hash partitions; nil means where the rows are, when some partitioner
    /// placed them, and otherwise as many partitions as now.
    @inlinable public init<Key, Value>(_ rows: RDD<(Key, Value)>, _ numPartitions: Int?)
    where P == HashPartitioner<Key> {
        let count = numPartitions ?? rows.context.shuffleParallelism(rows.numPartitions)
        partitioner = HashPartitioner(Swift.max(count, 1))
        needsShuffle =
            numPartitions == nil
            ? rows.partitioner == nil : rows.partitioner != AnyPartitioner(partitioner)
    }
}

extension MillraceContext {
    /// Reduce partitions when the user names no number and the largest parent has `parents`:
    /// `millrace.default.parallelism` where it is set, otherwise as many as the parent (Spark's
    /// rule).
    @usableFromInline func shuffleParallelism(_ parents: Int) -> Int {
        conf.application.defaultParallelism ?? parents
    }
}

extension RDD {
    /// All aggregations by key: combine per map task, shuffle, combine per reduce task.
    @inlinable
    func combined<Key: Hashable & SendableMetatype, Value, Combined, P: Partitioner<Key>>(
        _ name: String, _ placement: KeyedPlacement<P>, mapSideCombine: Bool,
        _ create: @escaping @Sendable (Value) throws -> Combined,
        _ merge: @escaping @Sendable (inout Combined, Value) throws -> Void,
        _ mergeCombiners: @escaping @Sendable (inout Combined, Combined) throws -> Void
    ) -> RDD<(Key, Combined)> where Element == (Key, Value), P: SendableMetatype {
        let combine: MapPartition<(Key, Value), (Key, Combined)> = KeyedShuffle.combine(
            create, merge)
        guard placement.needsShuffle else { return derived(name, combine, keepsPartitioner: true) }
        let partitioner = placement.partitioner
        let identity = AnyPartitioner(partitioner)
        let reducers = partitioner.numPartitions
        guard mapSideCombine else {
            let scatter: ShuffleWrite<(Key, Value), (Key, Value)> = KeyedShuffle.scatter(
                partitioner)
            let rows: RDD<(Key, Value)> = shuffled(
                name, sink: scatter, reducers: reducers, partitioner: identity)
            return rows.derived(name, combine, keepsPartitioner: true)
        }
        let sink: ShuffleWrite<(Key, Value), (Key, Combined)> = KeyedShuffle.combineAndScatter(
            partitioner, create, merge)
        let partial: RDD<(Key, Combined)> = shuffled(
            name, sink: sink, reducers: reducers, partitioner: identity)
        let total: MapPartition<(Key, Combined), (Key, Combined)> = KeyedShuffle.combine(
            { $0 }, mergeCombiners)
        return partial.derived(name, total, keepsPartitioner: true)
    }
}

/// The kernels of keyed operations.
@usableFromInline enum KeyedShuffle {
    /// Rows into a table, and the table as rows.
    @inlinable static func combine<Key: Hashable & SendableMetatype, Value, Combined>(
        _ create: @escaping @Sendable (Value) throws -> Combined,
        _ merge: @escaping @Sendable (inout Combined, Value) throws -> Void
    ) -> MapPartition<(Key, Value), (Key, Combined)> {
        MapPartition { _, rows in
            let table = try fill(rows, create, merge)
            return { output in table.pull(into: output) }
        }
    }

    /// A table of combined values, by key.
    @inlinable @inline(__always) static func fill<Key: Hashable, Value, Combined>(
        _ rows: Cursor<(Key, Value)>, _ create: (Value) throws -> Combined,
        _ merge: (inout Combined, Value) throws -> Void
    ) throws -> CombineTable<Key, Combined> {
        let hasher = try KeyHasher<Key>()
        let table = CombineTable<Key, Combined>()
        let chunk = RowBuffer<(Key, Value)>()
        while try rows.next(into: chunk) {
            try table.update(moving: chunk, hasher: hasher, insert: create, merge: merge)
        }
        return table
    }

    /// Map side of an aggregation.
    @inlinable
    static func combineAndScatter<
        Key: Hashable & SendableMetatype, Value, Combined, P: Partitioner<Key> & SendableMetatype
    >(
        _ partitioner: P, _ create: @escaping @Sendable (Value) throws -> Combined,
        _ merge: @escaping @Sendable (inout Combined, Value) throws -> Void
    ) -> ShuffleWrite<(Key, Value), (Key, Combined)> {
        ShuffleWrite(reducers: partitioner.numPartitions) { _, rows, buckets in
            let table = try fill(rows, create, merge)
            _ = try table.drain(Int.max) { key, value, hash in
                try buckets.append(
                    (key, value), to: try partitioner.partition(for: key, hash: hash))
            }
        }
    }

    /// Rows to the partitions of their keys, as they are.
    @inlinable static func scatter<Key, Value, P: Partitioner<Key> & SendableMetatype>(
        _ partitioner: P
    ) -> ShuffleWrite<(Key, Value), (Key, Value)> {
        ShuffleWrite(reducers: partitioner.numPartitions) { _, rows, buckets in
            let place = try partitioner.placement()
            let chunk = RowBuffer<(Key, Value)>()
            while try rows.next(into: chunk) {
                try chunk.moveEach { row in
                    let reduce = try place(row.0)
                    try buckets.append(row, to: reduce)
                }
            }
        }
    }

    /// Each row of a partition once, to the partition of its hash.
    @inlinable static func scatterDistinct<Row: Hashable & SendableMetatype>(
        _ reducers: Int
    ) -> ShuffleWrite<Row, Row> {
        ShuffleWrite(reducers: reducers) { _, rows, buckets in
            let table = try distinctTable(rows)
            _ = try table.drain(Int.max) { row, _, hash in
                try buckets.append(row, to: KeyHash.partition(hash, of: buckets.reducers))
            }
        }
    }

    @inlinable @inline(__always) static func distinctTable<Row: Hashable>(
        _ rows: Cursor<Row>
    ) throws -> CombineTable<Row, Void> {
        let hasher = try KeyHasher<Row>()
        let table = CombineTable<Row, Void>()
        let chunk = RowBuffer<Row>()
        while try rows.next(into: chunk) {
            for row in chunk {
                table.update(row, hash: try hasher.hash(row), insert: {}, merge: { _ in })
            }
        }
        return table
    }
}
