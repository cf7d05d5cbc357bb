import Glibc
import MillraceBase
import MillraceExecutor
import MillraceStore
import MillraceWire
import Synchronization

/// A sink without its row type: what the tasks run at the end of the plan, and what the driver does
/// with their results.
struct StreamSink: Sendable {
    /// As progress reports name it.
    var description: String
    var modes: Set<OutputMode>
    /// Whether a query without a checkpoint location may keep its checkpoint in a temporary folder.
    var allowsTemporaryCheckpoint: Bool
    var plan: any PlanSink
    /// Called when the query starts.
    var open: @Sendable (SinkPlace) throws -> any StreamSinkCommitter
}

/// What a sink gets from its query.
struct SinkPlace: Sendable {
    var fileSystem: any FileSystem
    var mode: OutputMode
    var queryID: String
}

/// The driver's half of a sink. Used on the query's thread.
protocol StreamSinkCommitter: AnyObject {
    /// Publishes a batch, by its tasks' results in the order of the partitions. A batch that was
    /// published before is left as it is, where the sink can tell.
    func commit(_ batch: BatchID, _ results: [[UInt8]]) async throws
}

extension StreamSink {
    /// The tasks do everything themselves.
    static func discarding(_ name: String, _ plan: any PlanSink) -> StreamSink {
        StreamSink(
            description: name, modes: [.append, .update, .complete],
            allowsTemporaryCheckpoint: true,
            plan: plan, open: { _ in Discarding() })
    }

    private final class Discarding: StreamSinkCommitter {
        func commit(_ batch: BatchID, _ results: [[UInt8]]) {}
    }

    static func foreachBatch<Element>(
        _ context: MillraceContext,
        _ body: @escaping @Sendable (StreamBatch<Element>, Int) async throws -> Void
    ) -> StreamSink {
        collecting("ForeachBatchSink") { _ in
            { batch, rows in
                try await body(StreamBatch(rows: rows, context: context), batch.rawValue)
            }
        }
    }

    /// All rows come to the driver.
    static func collecting<Element>(
        _ name: String,
        _ make: @escaping @Sendable (SinkPlace) throws -> (BatchID, [Element]) async throws -> Void
    ) -> StreamSink {
        StreamSink(
            description: name, modes: [.append, .update, .complete],
            allowsTemporaryCheckpoint: true,
            plan: StreamCollectSink<Element>(),
            open: { place in
                Collecting(codec: try RowCodec<Element>(), body: try make(place))
            })
    }

    private final class Collecting<Element>: StreamSinkCommitter {
        private let codec: RowCodec<Element>
        private let body: (BatchID, [Element]) async throws -> Void

        init(
            codec: RowCodec<Element>, body: @escaping (BatchID, [Element]) async throws -> Void
        ) {
            self.codec = codec
            self.body = body
        }

        func commit(_ batch: BatchID, _ results: [[UInt8]]) async throws {
            var rows: [Element] = []
            for result in results { try codec.append(result, to: &rows) }
            try await body(batch, rows)
        }
    }
}

/// The rows of one batch, for `foreachBatch`.
public struct StreamBatch<Element> {
    public let rows: [Element]
    public let context: MillraceContext

    public var isEmpty: Bool { rows.isEmpty }
    public var count: Int { rows.count }
}

extension StreamBatch where Element: Sendable {
    /// The rows as a dataset, to go on with on the cluster.
    public var rdd: RDD<Element> { context.parallelize(rows) }
}
