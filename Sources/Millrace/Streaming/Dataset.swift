import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceWire

/// The rows of a stream, as they come, typed: what is to be done with each of them, batch after
/// batch.
///
/// Wraps the same lineage as `RDD`, with streaming leaves in place of slices and splits, so each
/// transformation makes the same specialised kernel. Nothing happens before `writeStream …
/// start()`. A value: copies share the lineage.
public struct Dataset<Element>: Sendable {
    public let rdd: RDD<Element>
    public let stream: StreamLineage

    public init(rdd: RDD<Element>, stream: StreamLineage) {
        self.rdd = rdd
        self.stream = stream
    }

    public var isStreaming: Bool { true }

    /// Where the rows go.
    public var writeStream: DataStreamWriter<Element> { DataStreamWriter(self) }
}

/// What in a lineage is particular to streaming: its sources and its stateful operators.
public struct StreamLineage: Sendable {
    struct Source: Sendable {
        var node: RDDNode
        var provider: any StreamSourceProvider
    }
    struct Stateful: Sendable {
        var node: RDDNode
        /// As progress reports name it.
        var name: String
    }
    var sources: [Source] = []
    var stateful: [Stateful] = []

    @usableFromInline func adding(stateful node: RDDNode, _ name: String) -> StreamLineage {
        var copy = self
        copy.stateful.append(Stateful(node: node, name: name))
        return copy
    }
}

extension Dataset {
    /// Each row transformed.
    @inlinable public func map<Output>(
        _ transform: @escaping @Sendable (Element) throws -> Output
    ) -> Dataset<Output> {
        Dataset<Output>(rdd: rdd.map(transform), stream: stream)
    }

    /// The rows for which `isIncluded` says true.
    @inlinable public func filter(
        _ isIncluded: @escaping @Sendable (Element) throws -> Bool
    ) -> Dataset<Element> {
        Dataset(rdd: rdd.filter(isIncluded), stream: stream)
    }

    /// All that `transform` makes of each row.
    @inlinable public func flatMap<Output: Sequence>(
        _ transform: @escaping @Sendable (Element) throws -> Output
    ) -> Dataset<Output.Element>
    where Output: SendableMetatype, Output.Iterator: SendableMetatype {
        Dataset<Output.Element>(rdd: rdd.flatMap(transform), stream: stream)
    }

    /// One call per partition and batch.
    @inlinable public func mapPartitions<Output: Sequence>(
        _ transform: @escaping @Sendable (Rows<Element>) throws -> Output
    ) -> Dataset<Output.Element>
    where Output: SendableMetatype, Output.Iterator: SendableMetatype {
        Dataset<Output.Element>(rdd: rdd.mapPartitions(transform), stream: stream)
    }

    /// The rows by key, to be aggregated over the whole life of the query.
    @inlinable public func groupByKey<Key: Hashable & SendableMetatype>(
        _ key: @escaping @Sendable (Element) throws -> Key
    ) -> KeyValueGroupedDataset<Key, Element> {
        KeyValueGroupedDataset(dataset: self, key: key)
    }
}
