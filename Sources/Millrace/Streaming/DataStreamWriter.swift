import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceWire

/// Which rows of the result a batch puts out. Spark's `OutputMode`.
public enum OutputMode: String, Sendable, CaseIterable {
    /// Rows that will never change. Not with a running aggregate.
    case append
    /// With an aggregate: the keys that the batch changed. Without: as append.
    case update
    /// With an aggregate: all keys, in each batch.
    case complete

    /// As Spark writes it in messages.
    var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}

/// Says where a stream goes and starts it. Spark's `DataStreamWriter`.
public struct DataStreamWriter<Element>: Sendable {
    let dataset: Dataset<Element>
    private var mode: OutputMode?
    private var trigger = Trigger.processingTime(.zero)
    private var name: String?
    private var options: [String: String] = [:]
    private var sink: StreamSink?
    /// Set when `format` names a sink; made into `sink` when the query starts.
    private var format: String?

    init(_ dataset: Dataset<Element>) { self.dataset = dataset }

    /// `append` when not given.
    public func outputMode(_ mode: OutputMode) -> DataStreamWriter { with { $0.mode = mode } }
    /// As fast as possible when not given.
    public func trigger(_ trigger: Trigger) -> DataStreamWriter { with { $0.trigger = trigger } }
    /// A name that no other running query has.
    public func queryName(_ name: String) -> DataStreamWriter { with { $0.name = name } }
    /// Where offsets, commits and state are kept: a path or a `file://` URI, the same again to go
    /// on after a stop.
    public func checkpointLocation(_ location: String) -> DataStreamWriter {
        option("checkpointLocation", location)
    }
    /// An option under Spark's name, in any case.
    public func option(_ name: String, _ value: some CustomStringConvertible) -> DataStreamWriter {
        with { $0.options[name.lowercased()] = value.description }
    }
    /// `console`, `memory`, `noop`, `text` (rows are strings) or `json`.
    public func format(_ name: String) -> DataStreamWriter {
        with { $0.format = name.lowercased() }
    }

    /// Calls `body` on the driver with the rows of each batch. After a failure a batch may come
    /// again, with the same number and the same rows: what `body` does can be exactly once by that
    /// number.
    public func foreachBatch(
        _ body: @escaping @Sendable (StreamBatch<Element>, Int) async throws -> Void
    ) -> DataStreamWriter {
        let context = dataset.rdd.context
        return with { $0.sink = .foreachBatch(context, body) }
    }

    /// Calls `body` for each row on the executors; rows of a repeated task come again.
    @inlinable public func foreach(
        _ body: @escaping @Sendable (Element) throws -> Void
    ) -> DataStreamWriter {
        foreachChunk(ForeachSink<Element> { rows in for row in rows { try body(row) } })
    }

    @usableFromInline func foreachChunk(_ sink: ForeachSink<Element>) -> DataStreamWriter {
        with { $0.sink = .discarding("ForeachTable", sink) }
    }

    /// Starts the query. Throws what can be known now: a mode that does not fit, a name or
    /// checkpoint in use, a source that cannot be opened, a closure that cannot travel. Later
    /// failures end the query (`exception`).
    public func start(_ path: String? = nil) async throws -> StreamingQuery {
        try await start(path, fault: nil)
    }

    /// `fault` is for tests (`StreamingQuerySpec.fault`).
    package func start(
        _ path: String?, fault: (@Sendable (StreamingStep) throws -> Void)?
    ) async throws -> StreamingQuery {
        let writer = path.map { option("path", $0) } ?? self
        let sink = try writer.sink ?? writer.namedSink()
        let mode = writer.mode ?? .append
        try writer.check(mode, sink)
        let context = dataset.rdd.context
        let (location, isTemporary) = try writer.checkpoint(sink, context.conf)
        return try StreamingQueryRunner.start(
            StreamingQuerySpec(
                context: context, node: dataset.rdd.node, stream: dataset.stream, sink: sink,
                mode: mode,
                trigger: trigger, name: name, pool: context.schedulerPool,
                localProperties: context.currentLabels.properties, checkpoint: location,
                isTemporary: isTemporary,
                fault: fault))
    }

    // MARK: Checks

    private func namedSink() throws -> StreamSink {
        switch format {
        case "noop": return .discarding("NoopTable", NoopSink<Element>())
        case "console":
            return try .console(
                Element.self, rows: count("numRows", 20), truncate: options["truncate"] ?? "true")
        case "memory":
            guard let name else {
                throw MillraceError(.invalidArgument, "queryName must be specified for memory sink")
            }
            return .memory(Element.self, table: name, dataset.rdd.context.streams)
        case "text", "json":
            guard let path = options["path"] else {
                throw MillraceError(.invalidArgument, "'path' is not specified")
            }
            return try .files(Element.self, path: path, isJSON: format == "json")
        case nil:
            throw MillraceError(
                .invalidArgument,
                "the query has no sink; name one with format(…) or use foreachBatch")
        case let other?:
            throw MillraceError(
                .invalidArgument,
                "Data source \(other) does not support streamed writing; known are console, "
                    + "memory, noop, "
                    + "text and json")
        }
    }

    private func count(_ name: String, _ standard: Int) throws -> Int {
        guard let text = options[name.lowercased()] else { return standard }
        guard let value = Int(text), value >= 0 else {
            throw MillraceError(
                .invalidArgument, "the option \(name) is \"\(text)\"; expected is a whole number")
        }
        return value
    }

    private func check(_ mode: OutputMode, _ sink: StreamSink) throws {
        if let problem = trigger.problem { throw problem }
        guard !dataset.stream.sources.isEmpty else {
            throw MillraceError(
                .invalidArgument, "'writeStream' can be called only on streaming Datasets")
        }
        let isAggregated = !dataset.stream.stateful.isEmpty
        if mode == .append && isAggregated {
            throw MillraceError(
                .invalidArgument,
                "Append output mode not supported when there are streaming aggregations on "
                    + "streaming "
                    + "DataFrames/DataSets without watermark; use update or complete")
        }
        if mode == .complete && !isAggregated {
            throw MillraceError(
                .invalidArgument,
                "Complete output mode not supported when there are no streaming aggregations on "
                    + "streaming "
                    + "DataFrames/Datasets")
        }
        if dataset.stream.stateful.count > 1 {
            throw MillraceError(
                .invalidArgument,
                "Multiple streaming aggregations are not supported with streaming "
                    + "DataFrames/Datasets in "
                    + "\(mode.title) output mode")
        }
        guard sink.modes.contains(mode) else {
            throw MillraceError(
                .invalidArgument,
                "Data source \(sink.description) does not support \(mode.title) output mode")
        }
    }

    private func checkpoint(
        _ sink: StreamSink, _ conf: Conf
    ) throws -> (location: String, isTemporary: Bool) {
        if let location = options["checkpointlocation"] { return (location, false) }
        if let root = conf.streaming.checkpointLocation {
            return ("\(root)/\(name ?? QueryFolders.random())", false)
        }
        guard sink.allowsTemporaryCheckpoint else {
            throw MillraceError(
                .invalidArgument,
                "checkpointLocation must be specified either through "
                    + "option(\"checkpointLocation\", ...) or "
                    + "the setting millrace.streaming.checkpointLocation")
        }
        return (QueryFolders.temporary(), true)
    }

    private func with(_ change: (inout DataStreamWriter) -> Void) -> DataStreamWriter {
        var copy = self
        change(&copy)
        return copy
    }
}
