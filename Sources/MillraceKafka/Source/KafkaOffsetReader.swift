import MillraceBase

/// The driver's side of a Kafka source: which partitions there are, and where they begin and end
/// now.
///
/// Every call blocks, up to its `timeout`: call it from a worker thread, never from an event loop,
/// and from one thread at a time. One client lives as long as the query. Offsets of all partitions
/// take one round trip per leader; the list of partitions is asked for again at most once a second
/// (`discoveryInterval`), `assign` never asks, so that a batch of a few milliseconds pays one round
/// trip. Batches are planned in `KafkaOffsetReader+Planning.swift`.
public final class KafkaOffsetReader: @unchecked Sendable {
    public let options: KafkaSourceOptions
    /// How old the list of partitions may be when the latest offsets are fetched.
    public var discoveryInterval: Duration = .seconds(1)

    /// The pause between two attempts doubles up to this.
    private static let longestPauseMs: Int32 = 200

    private var client: KafkaClient?
    private let pattern: TopicPattern?
    private var known: (partitions: [TopicPartition], at: Instant)?

    /// Connects lazily: an unreachable broker shows in the first call. Throws `.invalidOption` for
    /// a property that librdkafka refuses.
    public init(_ options: KafkaSourceOptions) throws(KafkaError) {
        self.options = options
        if case .pattern(let text) = options.subscription {
            pattern = try TopicPattern(text)
        } else {
            pattern = nil
        }
        client = try KafkaClient(
            .consumer, properties: options.properties,
            defaults: [
                KafkaProperty("isolation.level", "read_committed"),
                KafkaProperty("reconnect.backoff.ms", "20"),
                KafkaProperty("reconnect.backoff.max.ms", "1000"),
                KafkaProperty("topic.metadata.refresh.fast.interval.ms", "50"),
            ])
    }

    /// The partitions of the subscription as of now, sorted.
    /// Throws `.unknownTopic` when no topic of `subscribe` exists.
    public func fetchPartitions(timeout: Duration) throws(KafkaError) -> [TopicPartition] {
        try retrying(timeout) { (client, deadline) throws(KafkaError) in
            try self.partitions(client, deadline)
        }
    }

    /// Where a query without a checkpoint starts: `startingOffsets` with -1 and -2 resolved.
    public func startingOffsets(timeout: Duration) throws(KafkaError) -> KafkaOffsets {
        try retrying(timeout) { (client, deadline) throws(KafkaError) in
            let partitions = try self.partitions(client, deadline)
            switch self.options.startingOffsets {
            case .earliest:
                return try client.listOffsets(.earliest, of: partitions, deadline: deadline)
            case .latest: return try client.listOffsets(.latest, of: partitions, deadline: deadline)
            case .specific(let offsets):
                return try self.resolve(offsets, partitions, client, deadline)
            }
        }
    }

    /// The end of every partition now, those discovered since the last call included. Under
    /// read_committed (the default), the last stable offset. One round trip per leader.
    public func latestOffsets(timeout: Duration) throws(KafkaError) -> KafkaOffsets {
        try retrying(timeout) { (client, deadline) throws(KafkaError) in
            do throws(KafkaError) {
                return try client.listOffsets(
                    .latest, of: try self.recentPartitions(client, deadline), deadline: deadline)
            } catch {
                self.known = nil  // perhaps a topic is gone: the next attempt asks
                throw error
            }
        }
    }

    /// The beginning of these partitions now.
    public func earliestOffsets(
        _ partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> KafkaOffsets {
        try retrying(timeout) { (client, deadline) throws(KafkaError) in
            try client.listOffsets(.earliest, of: partitions, deadline: deadline)
        }
    }

    /// Ends the client; no call may follow. Also done when the reader is released.
    public func close() { client = nil }

    /// Repeats what may pass by itself: brokers that are away until the timeout, as the Java client
    /// does inside each of its calls; a topic that is not there `fetchOffset.numRetries` times.
    private func retrying<Result>(
        _ timeout: Duration,
        _ attempt: (KafkaClient, Deadline) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        guard let client else {
            throw KafkaError(.cancelled, "the Kafka offset reader is closed")
        }
        let deadline = Deadline(after: timeout)
        var attempts = 0
        var pauseMs = Int32(clamping: options.fetchRetryIntervalMs)
        while true {
            attempts += 1
            do throws(KafkaError) {
                return try attempt(client, deadline)
            } catch {
                let isWorthIt = error.code != .unknownTopic || attempts < options.fetchRetries
                guard error.isRetriable, isWorthIt, !deadline.isPast else { throw error }
                Log.info(
                    "kafka", "fetching offsets again", ["attempt": attempts, "why": error.message])
                client.pause(milliseconds: min(pauseMs, deadline.milliseconds()))
                pauseMs = min(max(pauseMs, 1) * 2, Self.longestPauseMs)
            }
        }
    }

    private func recentPartitions(
        _ client: KafkaClient, _ deadline: Deadline
    ) throws(KafkaError) -> [TopicPartition] {
        if let known, Deadline.now - known.at < discoveryInterval { return known.partitions }
        return try partitions(client, deadline)
    }

    private func partitions(
        _ client: KafkaClient, _ deadline: Deadline
    ) throws(KafkaError) -> [TopicPartition] {
        let found: [TopicPartition]
        switch options.subscription {
        case .assign(let partitions): return partitions
        case .subscribe(let topics):
            // One topic costs a broker less than the list of all.
            if topics.count == 1 {
                found = try client.partitions(ofTopic: topics[0], deadline: deadline)
            } else {
                let wanted = Set(topics)
                found = try client.partitions(
                    ofTopic: nil, deadline: deadline, where: { wanted.contains($0) })
            }
            if found.isEmpty {
                throw KafkaError(
                    .unknownTopic,
                    "topic '\(topics.joined(separator: "', '"))' does not exist; create it "
                        + "before the query starts",
                    isRetriable: true)
            }
        case .pattern:
            guard let pattern else { preconditionFailure("a pattern that was not compiled") }
            found = try client.partitions(
                ofTopic: nil, deadline: deadline,
                where: { !$0.hasPrefix("__") && pattern.matches($0) })
        }
        known = (found, Deadline.now)
        return found
    }

    private func resolve(
        _ offsets: KafkaOffsets, _ partitions: [TopicPartition], _ client: KafkaClient,
        _ deadline: Deadline
    ) throws(KafkaError) -> KafkaOffsets {
        guard offsets.partitions == partitions else {
            throw KafkaError(
                .invalidOption,
                "If startingOffsets contains specific offsets, you must specify all "
                    + "TopicPartitions. Use -1 for latest, "
                    + "-2 for earliest. Specified: \(offsets.partitions) Assigned: \(partitions)")
        }
        var result = offsets
        for (marker, end) in [
            (KafkaOffsets.latest, KafkaClient.LogEnd.latest), (KafkaOffsets.earliest, .earliest),
        ] {
            let wanted = offsets.entries.filter { $0.offset == marker }.map(\.topicPartition)
            for entry in try client.listOffsets(end, of: wanted, deadline: deadline).entries {
                result[entry.topicPartition] = entry.offset
            }
        }
        return result
    }
}
