import MillraceBase
import Testing

@testable import MillraceKafka

func properties(_ bootstrap: String, _ more: [String: String] = [:]) -> [KafkaProperty] {
    ([KafkaProperty("bootstrap.servers", bootstrap)]
        + more.map { KafkaProperty($0.key, $0.value) }).sorted { $0.name < $1.name }
}

/// Sends `values` to one partition and waits until they are acknowledged.
func send(
    _ values: some Sequence<String>, to topicPartition: TopicPartition,
    _ properties: [KafkaProperty]
) throws {
    let producer = try KafkaProducer(properties: properties)
    for value in values {
        try producer.send(
            topic: topicPartition.topic, partition: topicPartition.partition,
            value: Array(value.utf8))
    }
    try producer.flush(timeout: .seconds(60))
}

/// All records of a range, as the executor reads them.
func read(
    _ range: KafkaOffsetRange, _ settings: KafkaReaderSettings, _ cache: KafkaConsumerCache,
    chunkSize: Int = 100
) throws -> [KafkaRecord] {
    let reader = try KafkaRangeReader(settings, range: range, cache: cache, chunkSize: chunkSize)
    var all: [KafkaRecord] = []
    var chunk: [KafkaRecord] = []
    while try reader.next(into: &chunk) {
        #expect(!chunk.isEmpty && chunk.count <= chunkSize)
        all += chunk
    }
    #expect(chunk.isEmpty)
    return all
}

func text(_ record: KafkaRecord) -> String { String(decoding: record.value, as: UTF8.self) }

/// The error of a call that must fail.
func failure<Result>(_ body: () throws(KafkaError) -> Result) -> KafkaError? {
    do throws(KafkaError) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

/// splitmix64: the same numbers from the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
