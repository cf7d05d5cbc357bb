import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceKafka

/// Makes streams out of sources. Spark's `DataStreamReader`; a source's rows have a Swift type, so
/// each source is a method, and `format(…).load(as:)` is the same by name.
public struct DataStreamReader: Sendable {
    let context: MillraceContext
    private var options: [String: String] = [:]
    private var format: String?

    init(context: MillraceContext) { self.context = context }

    /// `rate`, `rate-micro-batch`, `kafka`, `text` or `socket`.
    public func format(_ name: String) -> DataStreamReader {
        var copy = self
        copy.format = name.lowercased()
        return copy
    }

    /// An option of the source, under Spark's name, in any case.
    public func option(_ name: String, _ value: some CustomStringConvertible) -> DataStreamReader {
        var copy = self
        copy.options = options.filter { $0.key.lowercased() != name.lowercased() }
        copy.options[name] = value.description
        return copy
    }

    public func options(_ options: [String: String]) -> DataStreamReader {
        options.sorted { $0.key < $1.key }.reduce(self) { $0.option($1.key, $1.value) }
    }

    /// Rows by time: `rowsPerSecond` (1), `rampUpTime` ("0s"), `numPartitions` (the cluster's
    /// cores).
    public func rate(rowsPerSecond: Int? = nil) throws -> Dataset<RateRow> {
        let reader = rowsPerSecond.map { option("rowsPerSecond", $0) } ?? self
        let ramp = reader.value("rampUpTime") ?? "0s"
        guard let rampUp = IntervalText.duration(ramp), rampUp >= .zero else {
            throw invalid("rampUpTime", ramp, "an interval such as \"5s\"")
        }
        let provider = RateSourceProvider(
            rowsPerSecond: try reader.integer("rowsPerSecond", 1, atLeast: 1),
            rampUpSeconds: rampUp.nanoseconds / 1_000_000_000,
            partitions: try reader.partitions("numPartitions"))
        return Dataset.source("rate", RateRows(), provider, context)
    }

    /// As many rows in each batch: `rowsPerBatch`, `numPartitions` (the cluster's cores),
    /// `startTimestamp` (0) and `advanceMillisPerBatch` (1000) in milliseconds.
    public func rateMicroBatch(rowsPerBatch: Int? = nil) throws -> Dataset<RateRow> {
        let reader = rowsPerBatch.map { option("rowsPerBatch", $0) } ?? self
        let provider = RatePerMicroBatchProvider(
            rowsPerBatch: try reader.integer("rowsPerBatch", 0, atLeast: 1),
            partitions: try reader.partitions("numPartitions"),
            startTimestampMs: try reader.integer("startTimestamp", 0, atLeast: 0),
            advanceMs: try reader.integer("advanceMillisPerBatch", 1000, atLeast: 0))
        return Dataset.source("rate-micro-batch", RateRows(), provider, context)
    }

    /// The lines of the files in a folder (or that a glob matches), each file once:
    /// `maxFilesPerTrigger`.
    public func text(_ path: String) throws -> Dataset<String> {
        let limit = try value("maxFilesPerTrigger").map { _ in
            Int(try integer("maxFilesPerTrigger", 1, atLeast: 1))
        }
        let provider = FileSourceProvider(path: path, maxFilesPerTrigger: limit)
        return Dataset.source("text", TextFileLines(), provider, context)
    }

    /// Lines from a TCP server. For trying things out: what a failed driver has read is lost.
    public func socket(host: String, port: Int) throws -> Dataset<String> {
        guard (1...65_535).contains(port) else { throw invalid("port", String(port), "1 to 65535") }
        let provider = SocketSourceProvider(
            host: host, port: port, partitions: try partitions("numPartitions"))
        return Dataset.source("socket", StreamRows<String>(), provider, context)
    }

    /// The records of topics: Spark's options (`startingOffsets`, `maxOffsetsPerTrigger`,
    /// `kafka.…`, …).
    public func kafka(_ bootstrapServers: String, subscribe: String) throws -> Dataset<KafkaRecord>
    {
        try option("kafka.bootstrap.servers", bootstrapServers).option("subscribe", subscribe)
            .kafka()
    }

    /// The same with all that is needed in the options: `kafka.bootstrap.servers` and one of
    /// `assign`, `subscribe`, `subscribePattern`.
    public func kafka() throws -> Dataset<KafkaRecord> {
        let parsed: KafkaSourceOptions
        do {
            parsed = try KafkaSourceOptions(options)
        } catch {
            throw MillraceError(.invalidArgument, "\(error)", cause: error)
        }
        let leaf = KafkaRecords(settings: parsed.readerSettings(group: ""))
        return Dataset.source("kafka", leaf, KafkaSourceProvider(options: parsed), context)
    }

    /// The source of `format`, its rows as `Row`: `RateRow`, `KafkaRecord` or `String`. Throws
    /// `invalidArgument` for an unknown format and for another row type.
    public func load<Row>(_ path: String? = nil, as: Row.Type = Row.self) throws -> Dataset<Row> {
        let dataset: Any
        switch format {
        case "rate": dataset = try rate()
        case "rate-micro-batch": dataset = try rateMicroBatch()
        case "kafka": dataset = try kafka()
        case "text":
            guard let path = path ?? value("path") else {
                throw MillraceError(.invalidArgument, "'path' is not specified")
            }
            dataset = try text(path)
        case "socket":
            guard let host = value("host") else {
                throw MillraceError(
                    .invalidArgument, "Set a host to read from with option(\"host\", ...).")
            }
            guard value("port") != nil else {
                throw MillraceError(
                    .invalidArgument, "Set a port to read from with option(\"port\", ...).")
            }
            dataset = try socket(host: host, port: Int(integer("port", 0, atLeast: 1)))
        default:
            throw MillraceError(
                .invalidArgument,
                "Failed to find data source: \(format ?? "none given"); known are rate, "
                    + "rate-micro-batch, "
                    + "kafka, text and socket")
        }
        guard let typed = dataset as? Dataset<Row> else {
            throw MillraceError(
                .invalidArgument, "the source \(format ?? "") has other rows than \(Row.self)")
        }
        return typed
    }

    // MARK: Options

    private func value(_ name: String) -> String? {
        options.first { $0.key.lowercased() == name.lowercased() }?.value
    }

    private func integer(
        _ name: String, _ standard: Int64, atLeast least: Int64
    ) throws -> Int64 {
        let text = value(name)
        guard let value = text.map({ Int64($0) }) ?? standard, value >= least else {
            throw invalid(name, text ?? "", "a whole number from \(least)")
        }
        return value
    }

    private func partitions(_ name: String) throws -> Int {
        let count = try integer(name, Int64(context.defaultParallelism), atLeast: 1)
        guard count <= 100_000 else { throw invalid(name, String(count), "at most 100000") }
        return Int(count)
    }

    private func invalid(_ name: String, _ value: String, _ expected: String) -> MillraceError {
        let shown = value.isEmpty ? "is not set" : "is \"\(value)\""
        return MillraceError(
            .invalidArgument, "the option \(name) \(shown); expected is \(expected)")
    }
}
