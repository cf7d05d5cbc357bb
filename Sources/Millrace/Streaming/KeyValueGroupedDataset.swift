import MillraceBase
import MillraceExecutor
import MillraceWire

/// A stream's rows by key. Each aggregation is a running one: per key one value, kept in the
/// query's state from batch to batch; rows of one map task are combined before they are shuffled.
/// Spark's `KeyValueGroupedDataset`.
///
/// Keys need a stable hash (a string, an integer, a tuple of such, any `Codable`), values a
/// `RowCodec`.
public struct KeyValueGroupedDataset<Key: Hashable & SendableMetatype, Element>: Sendable {
    public let dataset: Dataset<Element>
    @usableFromInline let key: @Sendable (Element) throws -> Key

    @usableFromInline init(
        dataset: Dataset<Element>, key: @escaping @Sendable (Element) throws -> Key
    ) {
        self.dataset = dataset
        self.key = key
    }

    /// How many rows there have been of each key.
    @inlinable public func count() -> Dataset<(Key, Int)> {
        running("count", { _ in 1 }, { total, _ in total += 1 }, { $0 += $1 })
    }

    /// The rows of each key combined by an associative and commutative function.
    @inlinable public func reduce(
        _ combine: @escaping @Sendable (Element, Element) throws -> Element
    ) -> Dataset<(Key, Element)> {
        running(
            "reduce", { $0 }, { $0 = try combine($0, $1) }, { $0 = try combine($0, $1) })
    }

    /// The rows of each key folded by `update`, from `initial` in each map task and batch; `merge`
    /// combines the results of two of them, so `initial` is to be neutral.
    @inlinable public func aggregate<Value: Sendable>(
        _ initial: Value, _ update: @escaping @Sendable (inout Value, Element) throws -> Void,
        _ merge: @escaping @Sendable (inout Value, Value) throws -> Void
    ) -> Dataset<(Key, Value)> {
        running(
            "aggregate",
            { row in
                var value = initial
                try update(&value, row)
                return value
            }, update, merge)
    }

    /// Several aggregates at once: `agg(.count(), .sum { $0.amount })`.
    @inlinable public func agg<A: Sendable>(
        _ first: StreamAggregate<Element, A>
    ) -> Dataset<(Key, A)> {
        let (update, merge) = (first.update, first.merge)
        return aggregate(first.initial, { try update(&$0, $1) }, { try merge(&$0, $1) })
    }

    @inlinable public func agg<A: Sendable, B: Sendable>(
        _ first: StreamAggregate<Element, A>, _ second: StreamAggregate<Element, B>
    ) -> Dataset<(Key, A, B)> {
        let (updateA, mergeA) = (first.update, first.merge)
        let (updateB, mergeB) = (second.update, second.merge)
        return aggregate(
            (first.initial, second.initial),
            { value, row in
                try updateA(&value.0, row)
                try updateB(&value.1, row)
            },
            { value, other in
                try mergeA(&value.0, other.0)
                try mergeB(&value.1, other.1)
            }
        ).map { ($0.0, $0.1.0, $0.1.1) }
    }

    @inlinable public func agg<A: Sendable, B: Sendable, C: Sendable>(
        _ first: StreamAggregate<Element, A>, _ second: StreamAggregate<Element, B>,
        _ third: StreamAggregate<Element, C>
    ) -> Dataset<(Key, A, B, C)> {
        let (updateA, mergeA) = (first.update, first.merge)
        let (updateB, mergeB) = (second.update, second.merge)
        let (updateC, mergeC) = (third.update, third.merge)
        return aggregate(
            (first.initial, second.initial, third.initial),
            { value, row in
                try updateA(&value.0, row)
                try updateB(&value.1, row)
                try updateC(&value.2, row)
            },
            { value, other in
                try mergeA(&value.0, other.0)
                try mergeB(&value.1, other.1)
                try mergeC(&value.2, other.2)
            }
        ).map { ($0.0, $0.1.0, $0.1.1, $0.1.2) }
    }

    /// All of the above: `create` makes the value of a key's first row in a task, `update` adds a
    /// row.
    @inlinable func running<Value>(
        _ name: String, _ create: @escaping @Sendable (Element) throws -> Value,
        _ update: @escaping @Sendable (inout Value, Element) throws -> Void,
        _ merge: @escaping @Sendable (inout Value, Value) throws -> Void
    ) -> Dataset<(Key, Value)> {
        let groups = dataset.rdd.context.stateKeyGroups
        let partitions = dataset.rdd.context.statePartitions
        let sink: ShuffleWrite<Element, (Key, Value)> = RunningAggregate.partial(
            key, create, update, keyGroups: groups, partitions: partitions)
        let partial: RDD<(Key, Value)> = dataset.rdd.shuffled(
            name, sink: sink, reducers: partitions, partitioner: nil)
        let kernels: StateKernels<Key, Value> = RunningAggregate.kernels(merge)
        return dataset.stateful("stateStoreSave", partial, StatefulAggregate(kernels))
    }
}

/// One aggregate of `agg`: a value per key, how a row changes it, how two of them combine.
public struct StreamAggregate<Element, Value: Sendable>: Sendable {
    @usableFromInline let initial: Value
    @usableFromInline let update: @Sendable (inout Value, Element) throws -> Void
    @usableFromInline let merge: @Sendable (inout Value, Value) throws -> Void

    @inlinable public init(
        _ initial: Value, _ update: @escaping @Sendable (inout Value, Element) throws -> Void,
        _ merge: @escaping @Sendable (inout Value, Value) throws -> Void
    ) {
        self.initial = initial
        self.update = update
        self.merge = merge
    }

    /// The number of rows.
    @inlinable public static func count() -> StreamAggregate where Value == Int {
        StreamAggregate(0, { total, _ in total += 1 }, { $0 += $1 })
    }

    /// The sum of what `value` makes of each row.
    @inlinable public static func sum(
        _ value: @escaping @Sendable (Element) throws -> Value
    ) -> StreamAggregate where Value: AdditiveArithmetic {
        StreamAggregate(.zero, { $0 += try value($1) }, { $0 += $1 })
    }

    /// The largest of what `value` makes of the rows.
    @inlinable public static func max<Number: Comparable & SendableMetatype>(
        _ value: @escaping @Sendable (Element) throws -> Number
    ) -> StreamAggregate where Value == Number? {
        StreamAggregate(
            nil, { $0 = RunningAggregate.larger($0, try value($1)) },
            { $0 = RunningAggregate.larger($0, $1) })
    }

    /// The smallest of what `value` makes of the rows.
    @inlinable public static func min<Number: Comparable & SendableMetatype>(
        _ value: @escaping @Sendable (Element) throws -> Number
    ) -> StreamAggregate where Value == Number? {
        StreamAggregate(
            nil, { $0 = RunningAggregate.smaller($0, try value($1)) },
            { $0 = RunningAggregate.smaller($0, $1) })
    }
}

/// The kernels of running aggregates.
@usableFromInline enum RunningAggregate {
    /// Map side: one value per key and task, to the partition that owns the key's group.
    @inlinable static func partial<Key: Hashable & SendableMetatype, Element, Value>(
        _ key: @escaping @Sendable (Element) throws -> Key,
        _ create: @escaping @Sendable (Element) throws -> Value,
        _ update: @escaping @Sendable (inout Value, Element) throws -> Void, keyGroups: Int,
        partitions: Int
    ) -> ShuffleWrite<Element, (Key, Value)> {
        ShuffleWrite(reducers: partitions) { _, rows, buckets in
            func emit(_ key: Key, _ value: Value, _ hash: UInt64) throws {
                let group = KeyGroups.group(hash, of: keyGroups)
                try buckets.append(
                    (key, value),
                    to: KeyGroups.partition(
                        ofGroup: group, keyGroups: keyGroups, partitions: buckets.reducers))
            }
            let hasher = try KeyHasher<Key>()
            let combine = PartialCombine<Key, Value>()
            let chunk = RowBuffer<Element>()
            while try rows.next(into: chunk) {
                let isCombining = try combine.prepare(for: chunk.count, emit: emit)
                for row in chunk {
                    let key = try key(row)
                    let hash = try hasher.hash(key)
                    if isCombining {
                        try combine.table.update(
                            key, hash: hash, insert: { try create(row) },
                            merge: { try update(&$0, row) })
                    } else {
                        try emit(key, try create(row), hash)
                    }
                }
            }
            try combine.finish(emit: emit)
        }
    }

    /// Reduce side.
    @inlinable static func kernels<Key: Hashable & SendableMetatype, Value>(
        _ merge: @escaping @Sendable (inout Value, Value) throws -> Void
    ) -> StateKernels<Key, Value> {
        StateKernels(
            merge: { rows, table in
                let hasher = try KeyHasher<Key>()
                let chunk = RowBuffer<(Key, Value)>()
                while try rows.next(into: chunk) {
                    for (key, value) in chunk {
                        try table.update(
                            key, hash: try hasher.hash(key), insert: { value },
                            merge: { try merge(&$0, value) })
                    }
                }
            },
            rows: { table, entries, output in
                output.reserveCapacity(output.count + entries.count)
                for entry in entries { output.append(table[entry]) }
            },
            load: { rows, table in
                let hasher = try KeyHasher<Key>()
                for (key, value) in rows {
                    table.update(
                        key, hash: try hasher.hash(key), insert: { value }, merge: { $0 = value })
                }
            })
    }

    @inlinable static func larger<Number: Comparable>(_ one: Number?, _ other: Number?) -> Number? {
        guard let one, let other else { return one ?? other }
        return one < other ? other : one
    }
    @inlinable static func smaller<Number: Comparable>(_ one: Number?, _ other: Number?) -> Number?
    {
        guard let one, let other else { return one ?? other }
        return other < one ? other : one
    }
}

extension Dataset {
    /// A stateful operator over rows that are where their key groups belong.
    @usableFromInline func stateful<Input, Output>(
        _ name: String, _ rows: RDD<Input>, _ op: any PlanOperator
    ) -> Dataset<Output> {
        let node = RDDNode(
            context: rows.context, name: name, partitions: rows.numPartitions, op: op,
            dependencies: [.oneToOne(rows.node)],
            input: { _, _ in throw PlanError("a streaming dataset runs as a query, not as a job") },
            check: { _ = try RowCodec<Output>() })
        return Dataset<Output>(
            rdd: RDD(context: rows.context, node: node), stream: stream.adding(stateful: node, name)
        )
    }
}

extension MillraceContext {
    /// Groups that the keys of new queries are divided into.
    @usableFromInline var stateKeyGroups: Int { conf.state.keyGroups }
    /// Partitions of stateful operators: `millrace.shuffle.partitions`, else the cluster's cores.
    @usableFromInline var statePartitions: Int {
        min(conf.shuffle.partitions ?? streamParallelism, stateKeyGroups)
    }
}
