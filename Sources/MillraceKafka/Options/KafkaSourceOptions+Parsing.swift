import MillraceBase

extension KafkaSourceOptions {
    /// Checks and reads a streaming query's options. Throws `.invalidOption` with Spark's reason.
    public init(_ options: [String: String]) throws(KafkaError) {
        let reader = try OptionReader(options)
        subscription = try reader.subscription()
        startingOffsets = try reader.startingOffsets()
        if case (.assign(let partitions), .specific(let offsets)) = (subscription, startingOffsets)
        {
            guard offsets.partitions == partitions else {
                throw KafkaError(
                    .invalidOption,
                    "If startingOffsets contains specific offsets, you must specify all "
                        + "TopicPartitions. Use -1 for "
                        + "latest, -2 for earliest. Specified: \(offsets.partitions) Assigned: "
                        + "\(partitions)"
                )
            }
        }
        failOnDataLoss = try reader.bool("failOnDataLoss") ?? true
        fetchRetries = try reader.integer("fetchOffset.numRetries", atLeast: 1).map { Int($0) } ?? 3
        fetchRetryIntervalMs =
            try reader.integer("fetchOffset.retryIntervalMs", atLeast: 0).map { Int($0) } ?? 10
        maxOffsetsPerTrigger = try reader.integer("maxOffsetsPerTrigger", atLeast: 1)
        minPartitions = try reader.integer("minPartitions", atLeast: 1, atMost: 1 << 20)
            .map { Int($0) }
        maxRecordsPerPartition = try reader.integer("maxRecordsPerPartition", atLeast: 1)
        pollTimeoutMs =
            try reader.integer("kafkaConsumer.pollTimeoutMs", atLeast: 1, atMost: 1 << 31)
            .map { Int($0) } ?? 120_000
        includeHeaders = try reader.bool("includeHeaders") ?? false
        groupIdPrefix = reader["groupIdPrefix"] ?? "spark-kafka-source"
        properties = try reader.properties()
    }
}

/// The options by lower-case name, each checked as it is read.
private struct OptionReader {
    private let values: [String: String]
    private let given: [String: String]

    private static let known = [
        "assign", "subscribe", "subscribePattern", "startingOffsets", "failOnDataLoss",
        "fetchOffset.numRetries", "fetchOffset.retryIntervalMs", "maxOffsetsPerTrigger",
        "minPartitions", "maxRecordsPerPartition", "kafkaConsumer.pollTimeoutMs",
        "includeHeaders", "groupIdPrefix",
    ]
    /// Spark's, that this source doesn't have yet. A query must not start as if they were not
    /// there.
    private static let missing = [
        "startingTimestamp", "startingOffsetsByTimestamp", "startingOffsetsByTimestampStrategy",
        "minOffsetsPerTrigger", "maxTriggerDelay",
    ]
    private static let batchOnly = [
        "endingOffsets", "endingTimestamp", "endingOffsetsByTimestamp",
    ]

    init(_ options: [String: String]) throws(KafkaError) {
        var values: [String: String] = [:]
        for name in options.keys.sorted() {
            let lower = name.lowercased()
            guard values.updateValue(options[name] ?? "", forKey: lower) == nil else {
                throw Self.refusal("option '\(name)' is given twice, in different spellings")
            }
            if lower.hasPrefix("kafka.") || Self.known.contains(where: { $0.lowercased() == lower })
            {
                continue
            }
            if Self.missing.contains(where: { $0.lowercased() == lower }) {
                throw Self.refusal("Kafka source option '\(name)' is not supported yet")
            }
            if Self.batchOnly.contains(where: { $0.lowercased() == lower }) {
                throw Self.refusal("\(name) not valid in streaming queries")
            }
            let hint =
                EditDistance.nearest(to: name, among: Self.known)
                .map { "did you mean '\($0)'?" } ?? "librdkafka's own start with 'kafka.'"
            throw Self.refusal("unknown Kafka source option '\(name)'; \(hint)")
        }
        self.values = values
        given = options
    }

    subscript(_ name: String) -> String? { values[name.lowercased()] }

    func subscription() throws(KafkaError) -> KafkaSubscription {
        let strategies = ["subscribe", "subscribePattern", "assign"].filter { self[$0] != nil }
        guard let strategy = strategies.first else {
            throw Self.refusal(
                "One of the following options must be specified for Kafka source: subscribe, "
                    + "subscribepattern, assign"
            )
        }
        guard strategies.count == 1 else {
            throw Self.refusal(
                "Only one of the following options can be specified for Kafka source: subscribe, "
                    + "subscribepattern, "
                    + "assign; given: \(strategies.joined(separator: ", "))")
        }
        let value = self[strategy] ?? ""
        switch strategy {
        case "assign":
            let partitions = try KafkaJSON.partitions(value)
            guard !partitions.isEmpty else {
                throw Self.refusal(
                    "No topicpartitions to assign as specified value for option 'assign' is "
                        + "'\(value)'"
                )
            }
            return .assign(partitions)
        case "subscribe":
            let topics = Set(value.split(separator: ",").map { String($0.trimmed) })
                .filter { !$0.isEmpty }.sorted { TopicPartition($0, 0) < TopicPartition($1, 0) }
            guard !topics.isEmpty else {
                throw Self.refusal(
                    "No topics to subscribe to as specified value for option 'subscribe' is "
                        + "'\(value)'"
                )
            }
            return .subscribe(topics)
        default:
            guard !value.trimmed.isEmpty else {
                throw Self.refusal(
                    "Pattern to subscribe is empty as specified value for option "
                        + "'subscribePattern' is '\(value)'"
                )
            }
            _ = try TopicPattern(value)
            return .pattern(value)
        }
    }

    func startingOffsets() throws(KafkaError) -> KafkaStartingOffsets {
        guard let value = self["startingOffsets"] else { return .latest }
        switch value.trimmed.lowercased() {
        case "earliest": return .earliest
        case "latest": return .latest
        default: return .specific(try KafkaOffsets(json: value))
        }
    }

    func bool(_ name: String) throws(KafkaError) -> Bool? {
        guard let value = self[name] else { return nil }
        switch value.trimmed.lowercased() {
        case "true": return true
        case "false": return false
        default:
            throw Self.refusal(
                "Kafka source option '\(name)' is '\(value)'; it takes true or false")
        }
    }

    func integer(
        _ name: String, atLeast least: Int64, atMost most: Int64 = .max
    ) throws(KafkaError) -> Int64? {
        guard let value = self[name] else { return nil }
        guard let number = Int64(value.trimmed), (least...most).contains(number) else {
            let range = most == .max ? "from \(least)" : "from \(least) to \(most)"
            throw Self.refusal(
                "Kafka source option '\(name)' is '\(value)'; it takes a number \(range)")
        }
        return number
    }

    /// The `kafka.` options without the prefix, sorted by name.
    func properties() throws(KafkaError) -> [KafkaProperty] {
        var properties: [KafkaProperty] = []
        for (name, value) in given where name.lowercased().hasPrefix("kafka.") {
            let bare = String(name.dropFirst("kafka.".count))
            if let reason = Self.forbidden(bare.lowercased()) { throw Self.refusal(reason) }
            properties.append(KafkaProperty(bare, value))
        }
        properties.sort { $0.name < $1.name }
        let servers = properties.first { $0.name == "bootstrap.servers" }
        guard let servers, !servers.value.trimmed.isEmpty else {
            throw Self.refusal(
                "Option 'kafka.bootstrap.servers' must be specified for configuring Kafka consumer")
        }
        return properties
    }

    /// Why Spark refuses a consumer property, or nil.
    private static func forbidden(_ name: String) -> String? {
        switch name {
        case "auto.offset.reset":
            "Kafka option 'auto.offset.reset' is not supported. Instead set the source option "
                + "'startingoffsets' to "
                + "'earliest' or 'latest' to specify where to start. Structured Streaming "
                + "manages which offsets are "
                + "consumed internally, rather than relying on the kafkaConsumer to do it. This "
                + "will ensure that no "
                + "data is missed when new topics/partitions are dynamically subscribed."
        case "key.deserializer":
            "Kafka option 'key.deserializer' is not supported as keys are deserialized as byte "
                + "arrays"
        case "value.deserializer":
            "Kafka option 'value.deserializer' is not supported as values are deserialized as "
                + "byte arrays"
        case "enable.auto.commit", "enable.auto.offset.store":
            "Kafka option '\(name)' is not supported: the checkpoint holds the offsets"
        case "interceptor.classes":
            "Kafka option 'interceptor.classes' is not supported: there is no Java here to run them"
        case "enable.partition.eof":
            "Kafka option 'enable.partition.eof' is not supported: the source needs it as it is"
        default: nil
        }
    }

    static func refusal(_ reason: String) -> KafkaError { KafkaError(.invalidOption, reason) }
}

extension StringProtocol {
    /// Without blanks at both ends.
    var trimmed: SubSequence {
        guard let first = firstIndex(where: { !$0.isWhitespace }),
            let last = lastIndex(where: { !$0.isWhitespace })
        else { return self[endIndex...] }
        return self[first...last]
    }
}
