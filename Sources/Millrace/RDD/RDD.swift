import MillraceBase
import MillraceExecutor
import MillraceWire

/// A resilient distributed dataset: how the rows of `numPartitions` partitions are computed, not
/// the rows themselves.
///
/// Transformations make a new RDD and do no work; actions (`collect`, `count` …) run a job. A
/// value: copies share the lineage node and the plans that were encoded for it. Transformations are
/// `@inlinable`: each makes a kernel out of the user's closure where it is called, so that the loop
/// over rows is compiled for the user's types.
public struct RDD<Element>: Sendable {
    public let context: MillraceContext
    public let node: RDDNode

    public init(context: MillraceContext, node: RDDNode) {
        self.context = context
        self.node = node
    }

    public var id: RDDID { node.id }
    public var numPartitions: Int { node.partitions }
    /// How the keys are placed, when that is known.
    public var partitioner: AnyPartitioner? { node.partitioner }
}

extension RDD {
    /// A dataset whose partition p is computed from this one's partition p.
    @usableFromInline func derived<Output>(
        _ name: String, _ op: any PlanOperator, keepsPartitioner: Bool = false,
        isOrderSensitive: Bool = false, isBarrier: Bool = false
    ) -> RDD<Output> {
        RDD<Output>(
            context: context,
            node: RDDNode(
                context: context, name: name, partitions: numPartitions, op: op,
                dependencies: [.oneToOne(node)],
                partitioner: keepsPartitioner ? node.partitioner : nil,
                isOrderSensitive: isOrderSensitive, isBarrier: isBarrier))
    }

    /// The rows that `sink` writes for each of `reducers` partitions, after a shuffle.
    @usableFromInline func shuffled<Output>(
        _ name: String, sink: any PlanSink, reducers: Int, partitioner: AnyPartitioner?,
        isOrderSensitive: Bool = false, of: Output.Type = Output.self
    ) -> RDD<Output> {
        let shuffle = RDDShuffle(
            context: context, parent: node, sink: sink, reducers: reducers,
            isOrderSensitive: isOrderSensitive, check: { _ = try RowCodec<Output>() })
        return RDD<Output>(
            context: context,
            node: RDDNode(
                context: context, name: name, partitions: reducers, op: ShuffleRead<Output>(),
                dependencies: [.shuffle(shuffle)], partitioner: partitioner))
    }
}
