import MillraceBase

extension KafkaOffsets: CustomStringConvertible {
    /// Spark's text: sorted, no blanks, so the same offsets always give the same bytes.
    public var json: String {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        var topic: String?
        for entry in entries {
            if entry.topicPartition.topic == topic {
                bytes.append(UInt8(ascii: ","))
            } else {
                if topic != nil { bytes.append(contentsOf: "},".utf8) }
                topic = entry.topicPartition.topic
                JSONValue.writeQuoted(entry.topicPartition.topic, into: &bytes)
                bytes.append(contentsOf: ":{".utf8)
            }
            bytes.append(contentsOf: "\"\(entry.topicPartition.partition)\":\(entry.offset)".utf8)
        }
        if topic != nil { bytes.append(UInt8(ascii: "}")) }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads Spark's text. Throws `.malformedJSON` with what was expected, what was found and
    /// where.
    public init(json: String) throws(KafkaError) {
        let topics = try KafkaJSON.topics(json, example: KafkaJSON.offsetsExample)
        var entries: [Entry] = []
        for topic in topics {
            guard let partitions = topic.value.objectValue else {
                throw KafkaJSON.failure(
                    json, "topic '\(topic.name)' has \(topic.value.kind), not an object of offsets",
                    KafkaJSON.offsetsExample)
            }
            for member in partitions.members {
                guard let partition = KafkaJSON.partition(member.name) else {
                    throw KafkaJSON.failure(
                        json, "'\(member.name)' of topic '\(topic.name)' is no partition number",
                        KafkaJSON.offsetsExample)
                }
                guard let offset = member.value.integerValue, offset >= Self.earliest else {
                    throw KafkaJSON.failure(
                        json,
                        "partition \(partition) of topic '\(topic.name)' has "
                            + "\(member.value.compact), not an offset "
                            + "(a number from 0, -1 for latest, -2 for earliest)",
                        KafkaJSON.offsetsExample)
                }
                entries.append(
                    Entry(topicPartition: TopicPartition(topic.name, partition), offset: offset))
            }
        }
        self.init(unsorted: entries)
    }

    public var description: String { json }
}

/// The two texts of JSON that Spark's Kafka options take: offsets, and lists of partitions
/// (`assign`).
enum KafkaJSON {
    static let offsetsExample = #"{"topicA":{"0":23,"1":-1},"topicB":{"0":-2}}"#
    static let partitionsExample = #"{"topicA":[0,1],"topicB":[0,1]}"#

    /// `{"topic":[0,1]}`, sorted.
    static func partitions(_ json: String) throws(KafkaError) -> [TopicPartition] {
        var result: [TopicPartition] = []
        for topic in try topics(json, example: partitionsExample) {
            guard let numbers = topic.value.arrayValue else {
                throw failure(
                    json,
                    "topic '\(topic.name)' has \(topic.value.kind), not an array of partitions",
                    partitionsExample)
            }
            for number in numbers {
                guard let value = number.integerValue.flatMap({ Int32(exactly: $0) }), value >= 0
                else {
                    throw failure(
                        json, "\(number.compact) of topic '\(topic.name)' is no partition number",
                        partitionsExample)
                }
                result.append(TopicPartition(topic.name, value))
            }
        }
        result.sort()
        for (left, right) in zip(result, result.dropFirst()) where left == right {
            throw failure(json, "\(left) appears twice", partitionsExample)
        }
        return result
    }

    static func topics(
        _ json: String, example: String
    ) throws(KafkaError) -> [JSONObject.Member] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: json)
        } catch {
            throw failure(json, error.description, example)
        }
        guard let object = value.objectValue else {
            throw failure(json, "it is \(value.kind), not an object", example)
        }
        for member in object.members where member.name.isEmpty {
            throw failure(json, "a topic's name is empty", example)
        }
        return object.members
    }

    /// A partition number as it is written, without sign or leading zeros.
    static func partition(_ text: String) -> Int32? {
        guard let number = Int32(text), number >= 0, String(number) == text else { return nil }
        return number
    }

    /// Spark's sentence, with the reason that Spark's lacks.
    static func failure(_ json: String, _ reason: String, _ example: String) -> KafkaError {
        let shown = json.utf8.count > 200 ? json.prefix(200) + "…" : json[...]
        return KafkaError(.malformedJSON, "Expected e.g. \(example), got \(shown): \(reason)")
    }
}
