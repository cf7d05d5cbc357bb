import Foundation
import Testing

@testable import MillraceKafka

/// What only a real broker does: transactions, TLS, deletion, a restart in the middle.
@Suite(.serialized, .enabled(if: RealBroker.isAvailable, Comment(rawValue: RealBroker.missing)))
struct RealBrokerTests {
    let broker: RealBroker
    let settings: KafkaReaderSettings
    let limit = Duration.seconds(60)

    init() throws {
        broker = try RealBroker.shared.get()
        settings = KafkaReaderSettings(group: "q", properties: broker.clear, pollTimeoutMs: 60_000)
    }

    /// A topic of its own for a test.
    private func topic(_ name: String, partitions: Int = 1) throws -> TopicPartition {
        let admin = try KafkaAdmin(properties: broker.clear)
        #expect(try admin.createTopic(name, partitions: partitions, timeout: limit))
        return TopicPartition(name, 0)
    }
    private func source(_ topic: String, _ more: [String: String] = [:]) throws -> KafkaOffsetReader
    {
        let least = ["kafka.bootstrap.servers": broker.clear[0].value, "subscribe": topic]
        return try KafkaOffsetReader(KafkaSourceOptions(least.merging(more) { $1 }))
    }

    @Test func `Ranges are exact on a real broker`() throws {
        let partition = try topic("exact")
        try send((0..<20_000).map { "v\($0)" }, to: partition, broker.clear)
        let end = try source("exact").latestOffsets(timeout: limit)
        #expect(end.json == #"{"exact":{"0":20000}}"#)
        let cache = KafkaConsumerCache()
        for (from, until) in [(0, 7000), (7000, 7001), (7001, 20_000), (5, 8), (19_999, 20_000)] {
            let range = KafkaOffsetRange(partition, from: Int64(from), until: Int64(until))
            #expect(try read(range, settings, cache).map(text) == (from..<until).map { "v\($0)" })
        }
    }

    @Test func `Aborted records and markers leave gaps that are no loss`() throws {
        let partition = try topic("transactions")
        let producer = try KafkaProducer(
            properties: broker.clear + [KafkaProperty("transactional.id", "test")])
        try producer.initTransactions(timeout: limit)
        var expected: [String] = []
        for round in 0..<6 {
            try producer.beginTransaction()
            for number in 0..<10 {
                let value = "\(round).\(number)"
                try producer.send(
                    topic: partition.topic, partition: 0, value: Array(value.utf8))
                if round % 3 != 1 { expected.append(value) }
            }
            try producer.flush(timeout: limit)
            if round % 3 == 1 {
                try producer.abortTransaction(timeout: limit)
            } else {
                try producer.commitTransaction(timeout: limit)
            }
        }
        // 6 times ten records and a marker; the last thing in the log is a marker.
        let end = try source("transactions").latestOffsets(timeout: limit)[partition]
        #expect(end == 66)
        let cache = KafkaConsumerCache()
        var all: [String] = []
        for from in stride(from: Int64(0), to: 66, by: 11) {
            all += try read(
                KafkaOffsetRange(partition, from: from, until: from + 11), settings, cache
            )
            .map(text)
        }
        #expect(all == expected)
        let whole = KafkaOffsetRange(partition, from: 0, until: 66)
        #expect(try read(whole, settings, cache).map(text) == expected)
        // Nothing of an open transaction is offered.
        try producer.beginTransaction()
        try producer.send(topic: partition.topic, partition: 0, value: [1])
        try producer.flush(timeout: limit)
        #expect(try source("transactions").latestOffsets(timeout: limit)[partition] == 66)
        try producer.abortTransaction(timeout: limit)
    }

    @Test func `A broker's death in the middle of a range and of a produce loses nothing`() throws {
        let partition = try topic("restart")
        let count = 200_000
        // Room for all: a full queue would wait for the broker, which starts again further down.
        let producer = try KafkaProducer(
            properties: broker.clear + [KafkaProperty("queue.buffering.max.messages", "1000000")])
        for number in 0..<count {
            if number == count / 2 { try broker.kill() }
            if number == count * 3 / 4 { try broker.start() }
            try producer.send(
                topic: partition.topic, partition: 0, value: Array("v\(number)".utf8))
        }
        try producer.flush(timeout: .seconds(120))
        #expect(producer.delivered == count)
        let source = try source("restart")
        #expect(try source.latestOffsets(timeout: limit)[partition] == Int64(count))

        // So little is fetched ahead that the rest must come after the restart.
        var narrow = settings
        narrow.properties += [
            KafkaProperty("queued.min.messages", "1000"),
            KafkaProperty("fetch.message.max.bytes", "20000"),
        ]
        let range = KafkaOffsetRange(partition, from: 0, until: Int64(count))
        let reader = try KafkaRangeReader(narrow, range: range, cache: KafkaConsumerCache())
        var chunk: [KafkaRecord] = []
        var next = 0
        var wasKilled = false
        while try reader.next(into: &chunk) {
            for record in chunk {
                if text(record) != "v\(next)" {
                    Issue.record("\(text(record)) in place of v\(next)")
                }
                next += 1
            }
            if !wasKilled, next > 5000 {
                wasKilled = true
                try broker.kill()
                try broker.start()
                // The driver asks while the broker is still starting.
                #expect(try source.latestOffsets(timeout: limit)[partition] == Int64(count))
            }
        }
        #expect(next == count)
    }

    @Test(.enabled(if: RealBroker.hasTLS, Comment(rawValue: RealBroker.missingTLS)))
    func `Mutual TLS works, and a client without certificate is told`() throws {
        let partition = try topic("tls")
        try send(["a", "b"], to: partition, broker.secured)
        let secure = KafkaReaderSettings(
            group: "q", properties: broker.secured, pollTimeoutMs: 60_000)
        let range = KafkaOffsetRange(partition, from: 0, until: 2)
        #expect(try read(range, secure, KafkaConsumerCache()).map(text) == ["a", "b"])
        let stranger = try KafkaAdmin(properties: broker.withoutCertificate)
        let error = failure { () throws(KafkaError) in
            try stranger.partitions(ofTopic: "tls", timeout: .seconds(3))
        }
        #expect(error?.message.contains("SSL") == true, "\(error?.message ?? "no error")")
    }

    @Test func `New partitions are discovered, a deleted topic is data loss`() throws {
        let partition = try topic("changing")
        try send(["a", "b", "c"], to: partition, broker.clear)
        let reader = try source("changing", ["startingOffsets": "earliest"])
        reader.discoveryInterval = .zero
        let start = try reader.startingOffsets(timeout: limit)
        #expect(start.json == #"{"changing":{"0":0}}"#)
        let admin = try KafkaAdmin(properties: broker.clear)
        try admin.deleteTopic("changing", timeout: limit)
        // Deletion and creation reach the broker's metadata when they do: the calls themselves wait
        // for that.
        while try admin.partitions(ofTopic: "changing", timeout: limit) > 0 {
            admin.pause(milliseconds: 20)
        }
        #expect(try admin.createTopic("changing", partitions: 2, timeout: limit))
        while try admin.partitions(ofTopic: "changing", timeout: limit) != 2 {
            admin.pause(milliseconds: 20)
        }
        let known = KafkaOffsets([(partition, Int64(3))])
        let end = try reader.latestOffsets(timeout: limit)
        #expect(end.json == #"{"changing":{"0":0,"1":0}}"#)
        let error = failure { () throws(KafkaError) in
            try reader.plan(from: known, to: end, timeout: limit)
        }
        #expect(error?.code == .dataLoss && error?.topicPartition == partition)
        let stale = failure { () throws(KafkaError) in
            var chunk: [KafkaRecord] = []
            return try KafkaRangeReader(
                settings, range: KafkaOffsetRange(partition, from: 3, until: 5),
                cache: KafkaConsumerCache()
            ).next(into: &chunk)
        }
        #expect(stale?.code == .dataLoss && stale?.offset == 3)
    }
}
