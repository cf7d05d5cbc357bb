import MillraceBase
import MillraceExecutor
import MillraceWire

extension RDD {
    /// Each row transformed.
    @inlinable public func map<Output>(
        _ transform: @escaping @Sendable (Element) throws -> Output
    ) -> RDD<Output> {
        mapRows("map", keepsPartitioner: false, transform)
    }

    @inlinable func mapRows<Output>(
        _ name: String, keepsPartitioner: Bool,
        _ transform: @escaping @Sendable (Element) throws -> Output
    ) -> RDD<Output> {
        derived(
            name,
            MapChunks<Element, Output> { input, output in
                output.reserveCapacity(input.count)
                try input.moveEach { output.append(try transform($0)) }
            }, keepsPartitioner: keepsPartitioner)
    }

    /// The rows for which `isIncluded` says true.
    @inlinable public func filter(
        _ isIncluded: @escaping @Sendable (Element) throws -> Bool
    ) -> RDD<Element> {
        derived(
            "filter",
            EditChunks<Element> { rows in try rows.removeAll { try !isIncluded($0) } },
            keepsPartitioner: true)
    }

    /// All that `transform` makes of each row, one sequence after the other. The sequence may be
    /// lazy and as long as it likes: it is consumed a chunk at a time.
    @inlinable public func flatMap<Output: Sequence>(
        _ transform: @escaping @Sendable (Element) throws -> Output
    ) -> RDD<Output.Element>
    where Output: SendableMetatype, Output.Iterator: SendableMetatype {
        flatMapRows("flatMap", keepsPartitioner: false, transform)
    }

    /// The same for a sequence that gives many elements at once, such as `String.words()`.
    @inlinable public func flatMap<Output: Sequence>(
        _ transform: @escaping @Sendable (Element) throws -> Output
    ) -> RDD<Output.Element>
    where Output: SendableMetatype, Output.Iterator: ChunkIterator & SendableMetatype {
        flatMapRows("flatMap", keepsPartitioner: false, transform) { iterator, output, limit in
            iterator.append(to: output, upTo: limit)
        }
    }

    /// `fill` appends an iterator's elements until there are `limit` or the iterator is at its end.
    @inlinable func flatMapRows<Output: Sequence>(
        _ name: String, keepsPartitioner: Bool,
        _ transform: @escaping @Sendable (Element) throws -> Output,
        fill: @escaping @Sendable (inout Output.Iterator, RowBuffer<Output.Element>, Int) -> Void =
            {
                iterator, output, limit in
                while output.count < limit, let row = iterator.next() { output.append(row) }
            }
    ) -> RDD<Output.Element>
    where Output: SendableMetatype, Output.Iterator: SendableMetatype {
        derived(
            name,
            MapPartition<Element, Output.Element> { _, rows in
                let chunk = RowBuffer<Element>()
                var position = 0
                var pending: Output.Iterator?
                return { output in
                    // Local variables, because each access to a captured one is checked.
                    var index = position
                    var open = pending.take()
                    defer {
                        position = index
                        pending = open
                    }
                    let limit = FlatMapLimit.rows
                    output.reserveCapacity(limit)
                    while true {
                        if var iterator = open.take() {
                            fill(&iterator, output, limit)
                            if output.count >= limit {
                                open = iterator
                                return true
                            }
                        }
                        if index == chunk.count {
                            index = 0
                            guard try rows.next(into: chunk) else { return !output.isEmpty }
                        }
                        open = try transform(chunk[index]).makeIterator()
                        index += 1
                    }
                }
            }, keepsPartitioner: keepsPartitioner)
    }

    /// One call per partition: gets the rows as a sequence that pulls them as it is consumed, and
    /// gives back any sequence, which is consumed in turn as the next operator asks for rows.
    @inlinable public func mapPartitions<Output: Sequence>(
        preservesPartitioning: Bool = false,
        _ transform: @escaping @Sendable (Rows<Element>) throws -> Output
    ) -> RDD<Output.Element>
    where Output: SendableMetatype, Output.Iterator: SendableMetatype {
        mapPartitionsWithIndex(preservesPartitioning: preservesPartitioning) { _, rows in
            try transform(rows)
        }
    }

    /// `mapPartitions` with the partition's number.
    @inlinable public func mapPartitionsWithIndex<Output: Sequence>(
        preservesPartitioning: Bool = false,
        _ transform: @escaping @Sendable (Int, Rows<Element>) throws -> Output
    ) -> RDD<Output.Element>
    where Output: SendableMetatype, Output.Iterator: SendableMetatype {
        mapWholePartitions(
            "mapPartitions", preservesPartitioning: preservesPartitioning, isBarrier: false,
            transform)
    }

    @inlinable func mapWholePartitions<Output: Sequence>(
        _ name: String, preservesPartitioning: Bool, isBarrier: Bool,
        _ transform: @escaping @Sendable (Int, Rows<Element>) throws -> Output
    ) -> RDD<Output.Element>
    where Output: SendableMetatype, Output.Iterator: SendableMetatype {
        derived(
            name,
            MapPartition<Element, Output.Element> { partition, cursor in
                let rows = Rows(cursor)
                let failure = rows.failure
                let output = try transform(partition, rows)
                try failure.check()
                var pending: Output.Iterator? = output.makeIterator()
                return { chunk in
                    // A local variable, because each access to a captured one is checked.
                    guard var iterator = pending.take() else { return false }
                    while chunk.count < Chunk.rows, let row = iterator.next() { chunk.append(row) }
                    pending = iterator
                    try failure.check()
                    return !chunk.isEmpty
                }
            }, keepsPartitioner: preservesPartitioning, isBarrier: isBarrier)
    }

    /// The rows of each partition as one array.
    public func glom() -> RDD<[Element]> {
        derived(
            "glom",
            MapPartition<Element, [Element]> { _, rows in
                var isDone = false
                return { output in
                    if isDone { return false }
                    isDone = true
                    output.append(try rows.all().takeArray())
                    return true
                }
            })
    }

    /// Each row with a key that is computed from it.
    @inlinable public func keyBy<Key>(
        _ key: @escaping @Sendable (Element) throws -> Key
    ) -> RDD<(Key, Element)> {
        mapRows("keyBy", keepsPartitioner: false) { (try key($0), $0) }
    }

    /// The rows of both, this one's partitions first. Duplicates stay.
    public func union(_ other: RDD<Element>) -> RDD<Element> { context.union([self, other]) }

    /// A random part of the rows: each with probability `fraction`, or, `withReplacement`, each a
    /// Poisson-distributed number of times with mean `fraction`. The same seed gives the same rows
    /// as long as the partitions are the same.
    @inlinable public func sample(
        withReplacement: Bool = false, fraction: Double, seed: UInt64 = 0
    ) -> RDD<Element> {
        precondition(fraction >= 0, "a sample's fraction is not negative")
        return derived(
            "sample",
            MapPartition<Element, Element> { partition, rows in
                var random = SplitMix64(seed: seed, stream: UInt64(partition))
                let chunk = RowBuffer<Element>()
                return { output in
                    guard try rows.next(into: chunk) else { return false }
                    for row in chunk {
                        let times =
                            withReplacement
                            ? random.nextPoisson(fraction) : random.nextUnit() < fraction ? 1 : 0
                        for _ in 0..<times { output.append(row) }
                    }
                    return true
                }
            }, keepsPartitioner: true, isOrderSensitive: true)
    }
}

/// How many rows `flatMap` puts into a chunk before it waits to be asked again.
@usableFromInline enum FlatMapLimit {
    @inlinable static var rows: Int { 4 * Chunk.rows }
}
