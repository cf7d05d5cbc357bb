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
        keepsRows: Bool = false, _ create: @escaping @Sendable (Value) throws -> Combined,
        _ merge: @escaping @Sendable (inout Combined, Value) throws -> Void,
        _ mergeCombiners: @escaping @Sendable (inout Combined, Combined) throws -> Void
    ) -> RDD<(Key, Combined)> where Element == (Key, Value), P: SendableMetatype {
        let combine: MapPartition<(Key, Value), (Key, Combined)> = KeyedShuffle.combine(
            keepsRows: keepsRows, create, merge, mergeCombiners)
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
            keepsRows: false, { $0 }, mergeCombiners, mergeCombiners)
        return partial.derived(name, total, keepsPartitioner: true)
    }
}

/// The kernels of keyed operations.
@usableFromInline enum KeyedShuffle {
    /// Rows into a table, and the table as rows. `keepsRows`: what is combined grows with each row.
    @inlinable static func combine<Key: Hashable & SendableMetatype, Value, Combined>(
        keepsRows: Bool, _ create: @escaping @Sendable (Value) throws -> Combined,
        _ merge: @escaping @Sendable (inout Combined, Value) throws -> Void,
        _ mergeCombiners: @escaping @Sendable (inout Combined, Combined) throws -> Void
    ) -> MapPartition<(Key, Value), (Key, Combined)> {
        MapPartition { _, rows in
            let hasher = try KeyHasher<Key>()
            let combine = ExternalCombineTable<Key, Combined>()
            let footprint = keepsRows ? GroupFootprint<Key, Value>() : nil
            let chunk = RowBuffer<(Key, Value)>()
            while try rows.next(into: chunk) {
                try combine.prepare(
                    for: chunk.count, keeping: footprint?.bytes(of: chunk) ?? 0)
                try combine.table.update(
                    moving: chunk, hasher: hasher, insert: create, merge: merge)
            }
            return { output in try combine.pull(into: output, merge: mergeCombiners) }
        }
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
            func emit(_ key: Key, _ value: Combined, _ hash: UInt64) throws {
                try buckets.append(
                    (key, value), to: try partitioner.partition(for: key, hash: hash))
            }
            let hasher = try KeyHasher<Key>()
            let combine = PartialCombine<Key, Combined>()
            let chunk = RowBuffer<(Key, Value)>()
            while try rows.next(into: chunk) {
                if try combine.prepare(for: chunk.count, emit: emit) {
                    try combine.table.update(
                        moving: chunk, hasher: hasher, insert: create, merge: merge)
                } else {
                    try chunk.moveEach { row in
                        let hash = try hasher.hash(row.0)
                        try emit(row.0, try create(row.1), hash)
                    }
                }
            }
            try combine.finish(emit: emit)
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

    /// Each row of a partition once, as far as there is memory, to the partition of its hash.
    @inlinable static func scatterDistinct<Row: Hashable & SendableMetatype>(
        _ reducers: Int
    ) -> ShuffleWrite<Row, Row> {
        ShuffleWrite(reducers: reducers) { _, rows, buckets in
            func emit(_ row: Row, _: Void, _ hash: UInt64) throws {
                try buckets.append(row, to: KeyHash.partition(hash, of: buckets.reducers))
            }
            let hasher = try KeyHasher<Row>()
            let combine = PartialCombine<Row, Void>()
            let chunk = RowBuffer<Row>()
            while try rows.next(into: chunk) {
                let isCombining = try combine.prepare(for: chunk.count, emit: emit)
                try chunk.moveEach { row in
                    let hash = try hasher.hash(row)
                    if isCombining {
                        combine.table.update(row, hash: hash, insert: {}, merge: { _ in })
                    } else {
                        try emit(row, (), hash)
                    }
                }
            }
            try combine.finish(emit: emit)
        }
    }

    /// Each row of a partition once.
    @inlinable static func distinct<Row: Hashable & SendableMetatype>() -> MapPartition<Row, Row> {
        MapPartition { _, rows in
            let hasher = try KeyHasher<Row>()
            let combine = ExternalCombineTable<Row, Void>()
            let chunk = RowBuffer<Row>()
            while try rows.next(into: chunk) {
                try combine.prepare(for: chunk.count)
                try chunk.moveEach { row in
                    let hash = try hasher.hash(row)
                    combine.table.update(row, hash: hash, insert: {}, merge: { _ in })
                }
            }
            let pulled = RowBuffer<(Row, Void)>()
            return { output in
                pulled.removeAll()
                guard try combine.pull(into: pulled, merge: { _, _ in }) else { return false }
                output.reserveCapacity(pulled.count)
                pulled.moveEach { output.append($0.0) }
                return true
            }
        }
    }
}
