import MillraceExecutor
import MillraceWire

/// A dataset whose next function is called in all partitions at once. Made by `RDD.barrier()`.
/// Spark's RDDBarrier.
public struct RDDBarrier<Element>: Sendable {
    @usableFromInline let rdd: RDD<Element>

    @usableFromInline init(_ rdd: RDD<Element>) { self.rdd = rdd }

    /// As `RDD.mapPartitions`, with `BarrierTaskContext.get()` for the function: the tasks of all
    /// partitions run at the same time and can wait for each other.
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
        rdd.mapWholePartitions(
            "barrier", preservesPartitioning: preservesPartitioning, isBarrier: true, transform)
    }
}

extension RDD {
    /// Makes the stage of the following `mapPartitions` a barrier stage: its tasks, one for each
    /// partition, are launched together or not at all, and when one fails all are tried again. For
    /// programs whose tasks talk to each other, such as distributed training.
    ///
    /// A job with more partitions in such a stage than the executors have cores waits for more
    /// (`millrace.scheduler.barrier.maxConcurrentTasksCheck.interval`, 15 s, up to 40 times) and
    /// then throws `invalidArgument`; with dynamic allocation the cores are asked for. So does at
    /// once one whose stage also has RDDs of another number of partitions (`union`, `coalesce`),
    /// that wants only some partitions (`take`, `first`), or that joins two such RDDs without a
    /// shuffle between them. Rows of a barrier stage that are persisted and lost in part, with an
    /// executor say, fail the job that needs them: the tasks that compute would wait for others
    /// that only read. Keep them with `checkpoint()` or write them out.
    /// Spark's `RDD.barrier()`.
    public func barrier() -> RDDBarrier<Element> { RDDBarrier(self) }
}
