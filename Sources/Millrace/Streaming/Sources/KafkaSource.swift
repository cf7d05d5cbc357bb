import MillraceBase
import MillraceExecutor
import MillraceKafka
import MillraceWire

/// Topics of a Kafka cluster. Offsets are resolved here, once per batch; executors read exactly the
/// ranges they are given. Spark's `KafkaMicroBatchStream`.
struct KafkaSourceProvider: StreamSourceProvider {
    var options: KafkaSourceOptions
    /// How long the brokers have for one question.
    static let timeout = Duration.seconds(60)

    func open(_ place: SourcePlace) throws -> any MicroBatchSource {
        do throws(KafkaError) {
            return KafkaSource(
                try KafkaOffsetReader(options),
                group: "\(options.groupIdPrefix)-\(place.queryID)", place)
        } catch {
            throw MillraceError(
                .invalidArgument, "\(error)", cause: error, isRetriable: error.isRetriable)
        }
    }
}

final class KafkaSource: MicroBatchSource {
    private let reader: KafkaOffsetReader
    private let group: String
    private let place: SourcePlace
    private var first: String?
    private var newest: KafkaOffsets?
    private var target: KafkaOffsets?

    init(_ reader: KafkaOffsetReader, group: String, _ place: SourcePlace) {
        self.reader = reader
        self.group = group
        self.place = place
    }

    var description: String {
        let what =
            switch reader.options.subscription {
            case .subscribe(let topics): "Subscribe[\(topics.joined(separator: ", "))]"
            case .pattern(let pattern): "SubscribePattern[\(pattern)]"
            case .assign(let partitions):
                "Assign[\(partitions.map(\.description).joined(separator: ", "))]"
            }
        return "KafkaV2[\(what)]"
    }

    func initialOffset() throws -> String {
        if let first { return first }
        let json = try place.kept {
            try self.reader.startingOffsets(timeout: KafkaSourceProvider.timeout).json
        }
        first = json
        return json
    }

    var newestOffset: String? { newest?.json }

    func latestOffset(from start: String) throws -> String? {
        let start = try KafkaOffsets(json: start)
        let latest = try target ?? reader.latestOffsets(timeout: KafkaSourceProvider.timeout)
        newest = latest
        let end = try reader.endOffsets(
            from: start, latest: latest, timeout: KafkaSourceProvider.timeout)
        return end == start ? nil : end.json
    }

    func prepareAvailableNow(from start: String) throws {
        target = try reader.latestOffsets(timeout: KafkaSourceProvider.timeout)
    }

    func plan(from start: String, to end: String) throws -> [[UInt8]] {
        let ranges = try reader.plan(
            from: try KafkaOffsets(json: start), to: try KafkaOffsets(json: end),
            timeout: KafkaSourceProvider.timeout)
        let inputs = ranges.map { KafkaRecords.encode($0, group: group) }
        return inputs.isEmpty ? [KafkaRecords.nothing] : inputs
    }

    /// How far behind the end of each partition the batch ends.
    func metrics(at end: String) -> [String: String] {
        guard let newest, let end = try? KafkaOffsets(json: end) else { return [:] }
        let lags = newest.entries.map { max($0.offset - (end[$0.topicPartition] ?? 0), 0) }
        guard let least = lags.min(), let most = lags.max() else { return [:] }
        let average = Double(lags.reduce(0, +)) / Double(lags.count)
        return [
            "minOffsetsBehindLatest": String(least), "maxOffsetsBehindLatest": String(most),
            "avgOffsetsBehindLatest": String(average),
        ]
    }

    /// Latest minus processed, over all partitions.
    func backlog(after end: String, rows: Int64) -> Int64? {
        guard let newest, let end = try? KafkaOffsets(json: end) else { return nil }
        return newest.entries.reduce(0) { sum, entry in
            sum + max(entry.offset - (end[entry.topicPartition] ?? 0), 0)
        }
    }

    func stop() { reader.close() }
}

/// The executors' half: the records of one range of one partition.
struct KafkaRecords: PlanOperator {
    /// All but the group, which differs from query to query and comes with the input.
    let settings: KafkaReaderSettings

    static let nothing: [UInt8] = []

    static func encode(_ range: KafkaOffsetRange, group: String) -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.writeString(group)
        range.encode(into: &writer)
        return writer.bytes
    }

    func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let bytes = try inputs.input(partition: partition)
        if bytes.isEmpty { return KafkaRecordsCursor(nil, task: task) }
        var bytesReader = ByteReader(bytes)
        var settings = settings
        settings.group = try bytesReader.readString()
        let range = try KafkaOffsetRange(from: &bytesReader)
        try bytesReader.expectEnd()
        let reader = try KafkaRangeReader(
            settings, range: range, chunkSize: Chunk.rows, isCancelled: { task.isInterrupted })
        return KafkaRecordsCursor(reader, task: task)
    }
}

final class KafkaRecordsCursor: StreamLeafCursor<KafkaRecord> {
    private let reader: KafkaRangeReader?
    private var records: [KafkaRecord] = []

    init(_ reader: KafkaRangeReader?, task: TaskContext) {
        self.reader = reader
        super.init(task: task)
    }

    override func read(into chunk: RowBuffer<KafkaRecord>) throws -> Bool {
        let isMore = try reader?.next(into: &records) ?? false
        chunk.append(contentsOf: records)
        return isMore
    }
}
