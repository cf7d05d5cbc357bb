import Foundation
import MillraceBase
import Testing

@testable import MillraceKafka

/// The numbers of `Design/0007-kafka-without-waiting.md`; prints them, asserts only what was read.
///
///     KAFKA_HOME=… MILLRACE_MEASURE=1 swift test -c release -Xswiftc -enable-testing \
///         --filter KafkaMeasurements
@Suite(.serialized, .enabled(if: RealBroker.isMeasured, "set MILLRACE_MEASURE and KAFKA_HOME"))
struct KafkaMeasurements {
    private let records = 2_000_000
    private let limit = Duration.seconds(60)
    private let partition = TopicPartition("measured", 0)

    @Test func `Reading, resolving offsets and the turn of a small batch`() throws {
        let broker = try RealBroker.shared.get()
        try load(broker)
        let settings = KafkaReaderSettings(group: "m", properties: broker.clear)
        for pause in [nil, 3] as [UInt32?] { try readAll(settings, pause) }
        let source = try KafkaOffsetReader(
            KafkaSourceOptions([
                "kafka.bootstrap.servers": broker.clear[0].value, "subscribe": partition.topic,
            ]))
        report(
            "latest offsets, first call", [try time { try source.latestOffsets(timeout: limit) }])
        report(
            "latest offsets",
            try (0..<2000).map { _ in try time { try source.latestOffsets(timeout: limit) } })
        try turn(source, settings, broker)
    }

    private func load(_ broker: RealBroker) throws {
        let admin = try KafkaAdmin(properties: broker.clear)
        _ = try admin.createTopic(partition.topic, partitions: 1, timeout: limit)
        let producer = try KafkaProducer(properties: broker.clear)
        let value = [UInt8](repeating: 0x78, count: 100)
        for _ in 0..<records {
            try producer.send(topic: partition.topic, partition: 0, value: value)
        }
        try producer.flush(timeout: limit)
    }

    /// All records in ranges of 10 000; with a pause after the first, in which the prefetch fills.
    private func readAll(_ settings: KafkaReaderSettings, _ pause: UInt32?) throws {
        let cache = KafkaConsumerCache()
        var chunk: [KafkaRecord] = []
        var ranges: [Double] = []
        var count = 0
        for from in stride(from: 0, to: Int64(records), by: 10_000) {
            let range = KafkaOffsetRange(partition, from: from, until: from + 10_000)
            ranges.append(
                try time {
                    let reader = try KafkaRangeReader(settings, range: range, cache: cache)
                    while try reader.next(into: &chunk) { count += chunk.count }
                })
            if from == 0, let pause { sleep(pause) }
        }
        #expect(count == records)
        let seconds = ranges.reduce(0, +) / 1000
        print(
            "read\(pause == nil ? "" : " after a pause"): \(Int(Double(count) / seconds)) records/s"
        )
        report("  a range of 10 000", ranges)
    }

    /// Ten new records: the driver's question, then the executor's read.
    private func turn(
        _ source: KafkaOffsetReader, _ settings: KafkaReaderSettings, _ broker: RealBroker
    ) throws {
        let producer = try KafkaProducer(
            properties: broker.clear + [KafkaProperty("linger.ms", "0")])
        var start = try source.latestOffsets(timeout: limit)
        var chunk: [KafkaRecord] = []
        var reads: [Double] = []
        for _ in 0..<500 {
            for _ in 0..<10 { try producer.send(topic: partition.topic, partition: 0, value: [1]) }
            try producer.flush(timeout: limit)
            let end = try source.latestOffsets(timeout: limit)
            let ranges = try source.plan(from: start, to: end, timeout: limit)
            var count: Int64 = 0
            reads.append(
                try time {
                    let reader = try KafkaRangeReader(settings, range: ranges[0])
                    while try reader.next(into: &chunk) { count += Int64(chunk.count) }
                })
            #expect(count == end.records(since: start))
            start = end
        }
        report("read of 10 new records", reads)
    }

    private func time<Result>(_ body: () throws -> Result) rethrows -> Double {
        let start = Deadline.now
        _ = try body()
        return (Deadline.now - start).milliseconds
    }

    private func report(_ what: String, _ milliseconds: [Double]) {
        let sorted = milliseconds.sorted()
        let p99 = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        print(
            "\(what): p50 \(sorted[sorted.count / 2]) ms, p99 \(p99) ms, max \(sorted.last ?? 0) ms"
        )
    }
}
