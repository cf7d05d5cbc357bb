import MillraceBase

/// The executor's side of a Kafka source: the records of one range, in chunks, from a consumer that
/// is borrowed from the cache and stays positioned for the next batch.
///
/// Every call blocks its (task) thread, up to `pollTimeoutMs` without progress. Offsets without a
/// record (aborted transactions, their markers, compaction) are passed over; offsets that the
/// broker no longer holds are data loss.
public final class KafkaRangeReader {
    public let range: KafkaOffsetRange
    private let settings: KafkaReaderSettings
    private let cache: KafkaConsumerCache
    private let key: KafkaConsumerCache.Key
    private let chunkSize: Int
    private let isCancelled: @Sendable () -> Bool
    private var consumer: PartitionConsumer?
    /// What the broker said last, for the message of a timeout.
    private var lastError: String?

    /// How often a waiting reader looks whether it is cancelled.
    private static let waitSliceMs = 50

    /// - Parameter isCancelled: asked at least every 50 ms while waiting.
    public init(
        _ settings: KafkaReaderSettings, range: KafkaOffsetRange,
        cache: KafkaConsumerCache = .shared, chunkSize: Int = 1024,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(KafkaError) {
        guard range.from >= 0, range.until >= range.from, range.topicPartition.partition >= 0 else {
            throw KafkaError(.invalidOption, "\(range) is no range of offsets")
        }
        precondition(chunkSize > 0, "a chunk holds at least one record")
        self.range = range
        self.settings = settings
        self.cache = cache
        self.chunkSize = chunkSize
        self.isCancelled = isCancelled
        key = KafkaConsumerCache.Key(
            group: settings.group, properties: settings.properties,
            topicPartition: range.topicPartition)
        if range.count > 0 { consumer = try cache.borrow(key, at: range.from) }
    }

    deinit { close() }

    /// Replaces `chunk` by the next records (at most `chunkSize`); false at the range's end, with
    /// `chunk` empty. Throws `.dataLoss`, `.timedOut` or `.broker`, each naming topic, partition
    /// and offset; the reader is at its end then.
    public func next(into chunk: inout [KafkaRecord]) throws(KafkaError) -> Bool {
        chunk.removeAll(keepingCapacity: true)
        guard consumer != nil else { return false }
        if chunk.capacity < chunkSize { chunk.reserveCapacity(chunkSize) }
        do throws(KafkaError) {
            return try fill(&chunk)
        } catch {
            consumer = nil  // in an unknown state: not for the next batch
            chunk.removeAll(keepingCapacity: true)
            throw error
        }
    }

    /// Gives the consumer back to the cache. Also done at the range's end and when the reader is
    /// released.
    public func close() {
        if let consumer { cache.giveBack(consumer, key) }
        consumer = nil
    }

    private func fill(_ chunk: inout [KafkaRecord]) throws(KafkaError) -> Bool {
        let deadline = Deadline(after: .milliseconds(settings.pollTimeoutMs))
        while let consumer {
            let outcome = consumer.read(
                into: &chunk, until: range.until, limit: chunkSize,
                includeHeaders: settings.includeHeaders)
            switch outcome {
            case .full: return true
            case .reachedEnd:
                close()
                return !chunk.isEmpty
            case .gap(let next): try passGap(consumer, to: next, deadline)
            case .failed(let error): try handle(error, consumer, deadline)
            case .drained:
                if !chunk.isEmpty { return true }
                if isCancelled() { throw failure(.cancelled, consumer, "was cancelled") }
                guard !deadline.isPast else { throw timeout(consumer) }
                consumer.wait(milliseconds: deadline.milliseconds(atMost: Self.waitSliceMs))
            }
        }
        return false
    }

    /// Offsets in front of us have no record. Where the log still begins at or before them, none
    /// was lost.
    private func passGap(
        _ consumer: PartitionConsumer, to next: Int64, _ deadline: Deadline
    ) throws(KafkaError) {
        let position = consumer.position
        let start: Int64
        if let known = consumer.logStart {
            start = known
        } else {
            start = try earliest(consumer, deadline)
        }
        if start > position {
            let lost = min(start, next)
            try reportLoss(
                "Cannot fetch records in [\(position), \(lost)) of \(range.topicPartition).",
                position)
        }
        consumer.skip(to: next)
    }

    private func handle(
        _ error: KafkaError, _ consumer: PartitionConsumer, _ deadline: Deadline
    ) throws(KafkaError) {
        if error.code == .dataLoss { return try restart(consumer, deadline) }
        guard error.isRetriable else { throw error }
        lastError = error.message
        Log.info("kafka", "waiting for the broker", ["why": error.message])
    }

    /// The position lies outside what the broker holds. Goes on at the first offset it has, if that
    /// may be.
    private func restart(_ old: PartitionConsumer, _ deadline: Deadline) throws(KafkaError) {
        let position = old.position
        let first = try earliest(old, deadline)
        let last =
            try old.client.listOffsets(
                .latest, of: [range.topicPartition], deadline: deadline)[range.topicPartition] ?? 0
        guard first > position || last < range.until else {
            guard !deadline.isPast else { throw timeout(old) }
            // Valid after all: a leader that had not caught up, or a log that grew meanwhile.
            consumer = try PartitionConsumer(
                range.topicPartition, at: position, properties: settings.properties)
            return
        }
        try reportLoss(
            "Cannot fetch offset \(position) of \(range.topicPartition): the broker holds "
                + "[\(first), \(last)).",
            position)
        guard first < range.until, position < last else {
            consumer = nil  // nothing of the range is left
            return
        }
        consumer = try PartitionConsumer(
            range.topicPartition, at: max(first, position), properties: settings.properties)
    }

    private func earliest(
        _ consumer: PartitionConsumer, _ deadline: Deadline
    ) throws(KafkaError) -> Int64 {
        let offsets = try consumer.client.listOffsets(
            .earliest, of: [range.topicPartition], deadline: deadline)
        return offsets[range.topicPartition] ?? 0
    }

    private func reportLoss(_ what: String, _ offset: Int64) throws(KafkaError) {
        if settings.failOnDataLoss { throw .dataLoss(what, range.topicPartition, offset) }
        Log.warn("kafka", "data is lost; going on, as failOnDataLoss is false", ["what": what])
    }

    private func timeout(_ consumer: PartitionConsumer) -> KafkaError {
        let detail = lastError.map { " (\($0))" } ?? ""
        return failure(
            .timedOut, consumer, "got nothing within \(settings.pollTimeoutMs) ms\(detail)",
            isRetriable: true
        ).withComplaint(of: consumer.client)
    }

    private func failure(
        _ code: KafkaError.Code, _ consumer: PartitionConsumer, _ what: String,
        isRetriable: Bool = false
    ) -> KafkaError {
        KafkaError(
            code,
            "reading topic '\(range.topicPartition.topic)', partition "
                + "\(range.topicPartition.partition) at offset "
                + "\(consumer.position) of [\(range.from), \(range.until)) \(what)",
            isRetriable: isRetriable, topicPartition: range.topicPartition,
            offset: consumer.position)
    }
}
