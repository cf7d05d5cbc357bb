import MillraceBase
import MillraceExecutor
import MillraceWire
import Synchronization

/// A stream that a test fills: `addData` adds rows, each call a partition of the batch that reads
/// it. Spark's `MemoryStream`.
///
/// What a committed batch has read is dropped. The same stream may be given to a restarted query:
/// it goes on where the checkpoint says.
public final class MemoryStream<Element: Sendable>: Sendable {
    private struct State: Sendable {
        /// Chunks from number `first` on.
        var chunks: [[Element]] = []
        var first: Int64 = 0
        var wakers: [Int: @Sendable () -> Void] = [:]
        var nextWaker = 0
    }
    private let state = Mutex(State())
    private let context: MillraceContext

    public init(_ context: MillraceContext) { self.context = context }

    /// Returns the offset that covers these rows.
    @discardableResult public func addData(_ rows: Element...) -> Int64 { addData(rows) }

    @discardableResult public func addData(_ rows: [Element]) -> Int64 {
        let (offset, wakers) = state.withLock { state in
            state.chunks.append(rows)
            return (state.first + Int64(state.chunks.count) - 1, Array(state.wakers.values))
        }
        for wake in wakers { wake() }
        return offset
    }

    public func toDS() -> Dataset<Element> {
        Dataset.source("memory", StreamRows<Element>(), Provider(stream: self), context)
    }

    struct Provider: StreamSourceProvider {
        let stream: MemoryStream
        func open(_ place: SourcePlace) throws -> any MicroBatchSource {
            Source(stream, codec: try RowCodec(), wake: place.wake)
        }
    }

    final class Source: MicroBatchSource {
        private let stream: MemoryStream
        private let codec: RowCodec<Element>
        private let waker: Int
        private var target: Int64?

        init(_ stream: MemoryStream, codec: RowCodec<Element>, wake: @escaping @Sendable () -> Void)
        {
            self.stream = stream
            self.codec = codec
            waker = stream.state.withLock { state in
                state.nextWaker += 1
                state.wakers[state.nextWaker] = wake
                return state.nextWaker
            }
        }

        var description: String { "MemoryStream[value]" }
        func initialOffset() -> String { "-1" }
        private var last: Int64 {
            stream.state.withLock { $0.first + Int64($0.chunks.count) - 1 }
        }
        var newestOffset: String? { String(last) }

        func latestOffset(from start: String) throws -> String? {
            let start = try IntegerOffset.value(start, of: description)
            let end = target ?? last
            return end > start ? String(end) : nil
        }
        func prepareAvailableNow(from start: String) { target = last }

        func plan(from start: String, to end: String) throws -> [[UInt8]] {
            let from = try IntegerOffset.value(start, of: description)
            let to = try IntegerOffset.value(end, of: description)
            let chunks = try stream.state.withLock { state in
                guard from + 1 >= state.first, to < state.first + Int64(state.chunks.count) else {
                    throw MillraceError(
                        .incompatibleState,
                        "the memory stream has no rows of offsets \(from + 1) to \(to)")
                }
                return Array(state.chunks[Int(from + 1 - state.first)...Int(to - state.first)])
            }
            return try chunks.map { try codec.bytes(of: $0) }
        }

        func backlog(after end: String, rows: Int64) -> Int64? {
            guard let end = Int64(end) else { return nil }
            return stream.state.withLock { state in
                let read = min(max(Int(end + 1 - state.first), 0), state.chunks.count)
                return Int64(state.chunks[read...].reduce(0) { $0 + $1.count })
            }
        }

        func commit(_ end: String) {
            guard let end = Int64(end) else { return }
            stream.state.withLock { state in
                let count = min(max(Int(end + 1 - state.first), 0), state.chunks.count)
                state.chunks.removeFirst(count)
                state.first += Int64(count)
            }
        }
        func stop() { stream.state.withLock { $0.wakers[waker] = nil } }
    }
}

extension Dataset {
    /// A stream without transformations yet.
    static func source(
        _ name: String, _ op: any PlanOperator, _ provider: any StreamSourceProvider,
        _ context: MillraceContext
    ) -> Dataset {
        let node = RDDNode(
            context: context, name: name, partitions: 1, op: op,
            input: { _, _ in throw PlanError("a streaming dataset runs as a query, not as a job") })
        var stream = StreamLineage()
        stream.sources.append(.init(node: node, provider: provider))
        return Dataset(rdd: RDD(context: context, node: node), stream: stream)
    }
}
