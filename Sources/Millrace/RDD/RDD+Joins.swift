import MillraceExecutor
import MillraceWire

/// Joins are cogroups whose groups are paired lazily. A side that is placed by the result's
/// partitioner already is read where it is; the other one is shuffled.
extension RDD {
    /// For each key of either side all its values here and there.
    @inlinable public func cogroup<Key: Hashable & SendableMetatype, Value, Other>(
        _ other: RDD<(Key, Other)>, numPartitions: Int? = nil
    ) -> RDD<(Key, ([Value], [Other]))> where Element == (Key, Value) {
        if numPartitions == nil, let existing = existingPlacement(other) {
            return cogroup(other, existing)
        }
        let count =
            numPartitions
            ?? context.shuffleParallelism(
                Swift.max(self.numPartitions, other.numPartitions))
        return cogroup(other, partitioner: HashPartitioner<Key>(Swift.max(count, 1)))
    }

    /// `cogroup` in the partitions of a partitioner of your own.
    @inlinable
    public func cogroup<
        Key: Hashable & SendableMetatype, Value, Other, P: Partitioner<Key> & SendableMetatype
    >(
        _ other: RDD<(Key, Other)>, partitioner: P
    ) -> RDD<(Key, ([Value], [Other]))> where Element == (Key, Value) {
        let left = partitionBy(partitioner)
        let right = other.partitionBy(partitioner)
        let kernel: MapPartitionPair<(Key, Value), (Key, Other), (Key, ([Value], [Other]))> =
            KeyedShuffle.cogroup()
        return RDD<(Key, ([Value], [Other]))>(
            context: context,
            node: RDDNode(
                context: context, name: "cogroup", partitions: partitioner.numPartitions,
                op: kernel,
                dependencies: [.oneToOne(left.node), .oneToOne(right.node)],
                partitioner: AnyPartitioner(partitioner)))
    }

    /// The partitioner of the side with more partitions, when one side has one that knows these
    /// keys and it is not much smaller than what a new one would get (Spark's rule: at most ten
    /// times).
    @usableFromInline func existingPlacement<Key, Value, Other>(
        _ other: RDD<(Key, Other)>
    ) -> (any Partitioner<Key>)? where Element == (Key, Value) {
        let known = [partitioner, other.partitioner].compactMap {
            $0?.base as? any Partitioner<Key>
        }
        guard let best = known.max(by: { $0.numPartitions < $1.numPartitions }) else { return nil }
        let count = context.shuffleParallelism(Swift.max(numPartitions, other.numPartitions))
        return best.numPartitions * 10 >= count ? best : nil
    }

    @usableFromInline func cogroup<Key: Hashable & SendableMetatype, Value, Other>(
        _ other: RDD<(Key, Other)>, _ partitioner: any Partitioner<Key>
    ) -> RDD<(Key, ([Value], [Other]))> where Element == (Key, Value) {
        func open<P: Partitioner<Key> & SendableMetatype>(
            _ partitioner: P
        ) -> RDD<(Key, ([Value], [Other]))> { cogroup(other, partitioner: partitioner) }
        if let hash = partitioner as? HashPartitioner<Key> { return open(hash) }
        return open(partitioner)
    }

    /// Every pair of a value here and a value there with the same key.
    @inlinable public func join<Key: Hashable & SendableMetatype, Value, Other>(
        _ other: RDD<(Key, Other)>, numPartitions: Int? = nil
    ) -> RDD<(Key, (Value, Other))> where Element == (Key, Value) {
        cogroup(other, numPartitions: numPartitions).flatMapValues { groups in
            let right = groups.1
            return groups.0.lazy.flatMap { left in right.lazy.map { (left, $0) } }
        }
    }

    /// `join`, and each value here whose key is not there, with nil.
    @inlinable public func leftOuterJoin<Key: Hashable & SendableMetatype, Value, Other>(
        _ other: RDD<(Key, Other)>, numPartitions: Int? = nil
    ) -> RDD<(Key, (Value, Other?))> where Element == (Key, Value) {
        cogroup(other, numPartitions: numPartitions).flatMapValues { groups in
            let right: [Other?] = groups.1.isEmpty ? [nil] : groups.1
            return groups.0.lazy.flatMap { left in right.lazy.map { (left, $0) } }
        }
    }

    /// `join`, and each value there whose key is not here, with nil.
    @inlinable public func rightOuterJoin<Key: Hashable & SendableMetatype, Value, Other>(
        _ other: RDD<(Key, Other)>, numPartitions: Int? = nil
    ) -> RDD<(Key, (Value?, Other))> where Element == (Key, Value) {
        cogroup(other, numPartitions: numPartitions).flatMapValues { groups in
            let left: [Value?] = groups.0.isEmpty ? [nil] : groups.0
            let right = groups.1
            return left.lazy.flatMap { value in right.lazy.map { (value, $0) } }
        }
    }

    /// Every value of either side, with nil where the other side has none of its key.
    @inlinable public func fullOuterJoin<Key: Hashable & SendableMetatype, Value, Other>(
        _ other: RDD<(Key, Other)>, numPartitions: Int? = nil
    ) -> RDD<(Key, (Value?, Other?))> where Element == (Key, Value) {
        cogroup(other, numPartitions: numPartitions).flatMapValues { groups in
            let left: [Value?] = groups.0.isEmpty ? [nil] : groups.0
            let right: [Other?] = groups.1.isEmpty ? [nil] : groups.1
            return left.lazy.flatMap { value in right.lazy.map { (value, $0) } }
        }
    }
}

extension KeyedShuffle {
    /// Both sides into one table, and the table as rows.
    @inlinable static func cogroup<Key: Hashable & SendableMetatype, Left, Right>()
        -> MapPartitionPair<(Key, Left), (Key, Right), (Key, ([Left], [Right]))>
    {
        MapPartitionPair { _, left, right in
            let hasher = try KeyHasher<Key>()
            let groups = ExternalCombineTable<Key, ([Left], [Right])>()
            let leftFootprint = GroupFootprint<Key, Left>()
            let lefts = RowBuffer<(Key, Left)>()
            while try left.next(into: lefts) {
                try groups.prepare(for: lefts.count, keeping: leftFootprint.bytes(of: lefts))
                try groups.table.update(
                    moving: lefts, hasher: hasher, insert: { ([$0], []) },
                    merge: { $0.0.append($1) })
            }
            let rightFootprint = GroupFootprint<Key, Right>()
            let rights = RowBuffer<(Key, Right)>()
            while try right.next(into: rights) {
                try groups.prepare(for: rights.count, keeping: rightFootprint.bytes(of: rights))
                try groups.table.update(
                    moving: rights, hasher: hasher, insert: { ([], [$0]) },
                    merge: { $0.1.append($1) })
            }
            return { output in
                try groups.pull(into: output) { whole, part in
                    whole.0.append(contentsOf: part.0)
                    whole.1.append(contentsOf: part.1)
                }
            }
        }
    }
}
