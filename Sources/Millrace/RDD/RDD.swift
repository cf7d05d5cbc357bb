import MillraceBase
import MillraceExecutor

/// A resilient distributed dataset: how the rows of `partitions` partitions are computed, not the rows themselves.
///
/// Transformations make a new RDD and do no work; actions (`collect`, `count` …) run a job. A value: copies share the
/// lineage node and the plans that were encoded for it.
public struct RDD<Element>: Sendable {
    public let context: MillraceContext
    public let node: RDDNode

    public init(context: MillraceContext, node: RDDNode) {
        self.context = context
        self.node = node
    }

    public var id: RDDID { node.id }
    public var numPartitions: Int { node.partitions }
}
