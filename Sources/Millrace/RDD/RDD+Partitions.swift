import MillraceBase
import MillraceExecutor
import MillraceWire

extension RDD {
    /// The same rows in fewer partitions, without moving them: neighbours are read one after the
    /// other by one task. With `shuffle` also in more, spread evenly (`repartition`).
    @inlinable public func coalesce(_ numPartitions: Int, shuffle: Bool = false) -> RDD<Element> {
        precondition(numPartitions > 0, "coalesce needs at least one partition")
        return shuffle ? redistributed(numPartitions) : merged(numPartitions)
    }

    /// The same rows spread evenly over `numPartitions`, by a shuffle.
    @inlinable public func repartition(_ numPartitions: Int) -> RDD<Element> {
        precondition(numPartitions > 0, "repartition needs at least one partition")
        return redistributed(numPartitions)
    }

    @usableFromInline func merged(_ count: Int) -> RDD<Element> {
        let parents = numPartitions
        if count >= parents { return self }
        let starts = (0...count).map { $0 * parents / count }
        return RDD(
            context: context,
            node: RDDNode(
                context: context, name: "coalesce", partitions: count,
                op: Coalesce<Element>(starts: starts), dependencies: [.groups(node, starts: starts)]
            ))
    }

    @inlinable func redistributed(_ count: Int) -> RDD<Element> {
        let sink = ShuffleWrite<Element, Element>(reducers: count) { partition, rows, buckets in
            // Each task begins somewhere else, so that many small partitions don't all fill the
            // first ones.
            var random = SplitMix64(seed: UInt64(partition))
            var next = Int(random.nextUnit() * Double(buckets.reducers))
            let chunk = RowBuffer<Element>()
            while try rows.next(into: chunk) {
                for row in chunk {
                    try buckets.append(row, to: next)
                    next = next + 1 == buckets.reducers ? 0 : next + 1
                }
            }
        }
        return shuffled(
            "repartition", sink: sink, reducers: count, partitioner: nil, isOrderSensitive: true)
    }
}
