import MillraceBase
import MillraceExecutor
import MillraceWire
import Synchronization

extension MillraceContext {
    /// The rows of a sequence, cut into `numSlices` partitions of nearly equal size
    /// (`defaultParallelism` by default). The rows travel with the tasks. Same slicing as Spark's
    /// `parallelize`.
    public func parallelize<Rows: Sequence>(
        _ rows: Rows, _ numSlices: Int? = nil
    ) -> RDD<Rows.Element> where Rows.Element: Sendable {
        let slices = max(numSlices ?? defaultParallelism, 1)
        let rows = Array(rows)
        let count = rows.count
        return RDD(
            context: self,
            node: RDDNode(
                context: self, name: "parallelize", partitions: slices,
                op: ParallelizeSource<Rows.Element>(),
                input: { slice, writer in
                    let bounds = (slice * count / slices)..<((slice + 1) * count / slices)
                    writer.writeRaw(try RowCodec<Rows.Element>().bytes(of: Array(rows[bounds])))
                },
                check: { _ = try RowCodec<Rows.Element>() }))
    }

    /// The integers from `start` up to but without `end` in steps of `step` (which may be negative,
    /// not 0). Spark's `sc.range`.
    public func range(
        _ start: Int, _ end: Int, _ step: Int = 1, _ numSlices: Int? = nil
    ) -> RDD<Int> {
        precondition(step != 0, "a range needs a step other than 0")
        let slices = max(numSlices ?? defaultParallelism, 1)
        let count = Self.rangeCount(start, end, step)
        return RDD(
            context: self,
            node: RDDNode(
                context: self, name: "range", partitions: slices, op: RangeSource(),
                input: { slice, writer in
                    let from = Self.share(slice, of: count, slices)
                    let to = Self.share(slice + 1, of: count, slices)
                    SourceInput.write(
                        start &+ from &* step, to - from, step, into: &writer)
                }))
    }

    /// The integers from 0 up to but without `end`.
    public func range(_ end: Int) -> RDD<Int> { range(0, end) }

    /// No rows in no partitions.
    public func emptyRDD<Element>(_: Element.Type = Element.self) -> RDD<Element> {
        RDD(
            context: self,
            node: RDDNode(
                context: self, name: "empty", partitions: 0, op: Union<Element>(counts: [])))
    }

    /// The rows of all datasets, one's partitions after the other's.
    public func union<Element>(_ datasets: [RDD<Element>]) -> RDD<Element> {
        var from = 0
        let dependencies = datasets.map { dataset in
            defer { from += dataset.numPartitions }
            return RDDDependency.range(dataset.node, from: from)
        }
        return RDD(
            context: self,
            node: RDDNode(
                context: self, name: "union", partitions: from,
                op: Union<Element>(counts: datasets.map(\.numPartitions)),
                dependencies: dependencies))
    }

    /// Numbers in the range; saturates at `Int.max`.
    private static func rangeCount(_ start: Int, _ end: Int, _ step: Int) -> Int {
        guard step > 0 ? start < end : start > end else { return 0 }
        let distance = UInt(bitPattern: step > 0 ? end &- start : start &- end)
        let count = (distance - 1) / step.magnitude + 1
        return Int(clamping: count)
    }

    /// `slice * count / slices` without overflow.
    private static func share(_ slice: Int, of count: Int, _ slices: Int) -> Int {
        let product = count.multipliedFullWidth(by: slice)
        return slices.dividingFullWidth(product).quotient
    }
}
