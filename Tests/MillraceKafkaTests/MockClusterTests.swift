import Testing

@testable import MillraceKafka

/// The source, the reader and the producer against librdkafka's mock brokers, in this process.
@Suite struct MockClusterTests {
    private func cluster(_ topics: (String, Int)...) throws -> (MockCluster, [KafkaProperty]) {
        let cluster = try MockCluster(brokers: 2)
        for (name, partitions) in topics { try cluster.createTopic(name, partitions: partitions) }
        return (cluster, properties(cluster.bootstrapServers))
    }
    private func source(
        _ bootstrap: [KafkaProperty], _ options: [String: String]
    ) throws -> KafkaOffsetReader {
        var all = options
        for property in bootstrap { all["kafka.\(property.name)"] = property.value }
        return try KafkaOffsetReader(KafkaSourceOptions(all))
    }

    @Test func `Ranges are read exactly, in chunks, by one positioned consumer`() throws {
        let (mock, properties) = try cluster(("t", 2))
        let partition = TopicPartition("t", 1)
        try send((0..<1000).map { "v\($0)" }, to: partition, properties)
        let cache = KafkaConsumerCache()
        let settings = KafkaReaderSettings(
            group: "q", properties: properties, pollTimeoutMs: 30_000)
        for (from, until) in [(0, 0), (0, 1), (1, 450), (450, 1000), (10, 20), (900, 905)] {
            let range = KafkaOffsetRange(partition, from: Int64(from), until: Int64(until))
            let records = try read(range, settings, cache)
            #expect(records.map(text) == (from..<until).map { "v\($0)" })
            #expect(records.map(\.offset) == (from..<until).map { Int64($0) })
            #expect(records.allSatisfy { $0.topic == "t" && $0.partition == 1 && $0.key == nil })
            #expect(cache.idleCount == (until == 0 ? 0 : 1))
        }
        cache.removeAll(group: "q")
        #expect(cache.idleCount == 0)
        withExtendedLifetime(mock) {}
    }

    @Test func `Keys, tombstones, empty values and headers arrive as they were sent`() throws {
        let (mock, properties) = try cluster(("t", 1))
        let producer = try KafkaProducer(properties: properties)
        let headers = [KafkaHeader(name: "h", value: [1, 2]), KafkaHeader(name: "h", value: nil)]
        try producer.send(topic: "t", partition: 0, key: [7], value: nil)
        try producer.send(topic: "t", partition: 0, key: [], value: [])
        try producer.send(topic: "t", partition: 0, key: nil, value: [9], headers: headers)
        try producer.flush(timeout: .seconds(30))
        #expect(producer.delivered == 3 && producer.outstanding == 0)
        let settings = KafkaReaderSettings(
            group: "q", properties: properties, pollTimeoutMs: 30_000, includeHeaders: true)
        let range = KafkaOffsetRange(TopicPartition("t", 0), from: 0, until: 3)
        let records = try read(range, settings, KafkaConsumerCache())
        #expect(records.map(\.key) == [[7], [], nil])
        #expect(records.map(\.value) == [[], [], [9]])
        #expect(records.map(\.isTombstone) == [true, false, false])
        #expect(records.map(\.headers) == [[], [], headers])
        #expect(records.allSatisfy { $0.timestampType == .createTime && $0.timestampMs > 0 })
        withExtendedLifetime(mock) {}
    }

    @Test func `Offsets are found for each kind of subscription and start`() throws {
        let (mock, properties) = try cluster(("a1", 2), ("a2", 1), ("b", 1))
        try send(["x", "y"], to: TopicPartition("a1", 1), properties)
        try send(["z"], to: TopicPartition("b", 0), properties)
        let limit = Duration.seconds(30)
        let pattern = try source(properties, ["subscribePattern": "a[0-9]"])
        #expect(
            try pattern.fetchPartitions(timeout: limit).map(\.description) == [
                "a1-0", "a1-1", "a2-0",
            ])
        #expect(
            try pattern.latestOffsets(timeout: limit).json == #"{"a1":{"0":0,"1":2},"a2":{"0":0}}"#)
        let topics = try source(properties, ["subscribe": "b,a1", "startingOffsets": "earliest"])
        #expect(
            try topics.startingOffsets(timeout: limit).json == #"{"a1":{"0":0,"1":0},"b":{"0":0}}"#)
        let assigned = try source(
            properties,
            ["assign": #"{"a1":[1],"b":[0]}"#, "startingOffsets": #"{"a1":{"1":1},"b":{"0":-1}}"#])
        let start = try assigned.startingOffsets(timeout: limit)
        #expect(start.json == #"{"a1":{"1":1},"b":{"0":1}}"#)
        let end = try assigned.endOffsets(from: start, timeout: limit)
        #expect(
            try assigned.plan(from: start, to: end, timeout: limit)
                == [KafkaOffsetRange(TopicPartition("a1", 1), from: 1, until: 2)])
        withExtendedLifetime(mock) {}
    }

    @Test func `Records that aged out are data loss, or skipped`() throws {
        let (mock, properties) = try cluster(("t", 1))
        let partition = TopicPartition("t", 0)
        let value = String(repeating: "x", count: 9_990)
        try send((0..<1500).map { "\($0) " + value }, to: partition, properties)
        let strict = KafkaReaderSettings(group: "q", properties: properties, pollTimeoutMs: 30_000)
        let range = KafkaOffsetRange(partition, from: 0, until: 1500)
        let cache = KafkaConsumerCache()
        let error = failure { () throws(KafkaError) in
            let reader = try KafkaRangeReader(strict, range: range, cache: cache)
            var chunk: [KafkaRecord] = []
            return try reader.next(into: &chunk)
        }
        #expect(error?.code == .dataLoss)
        #expect(error?.topicPartition == partition && error?.offset == 0)
        var lenient = strict
        lenient.failOnDataLoss = false
        let records = try read(range, lenient, cache)
        #expect(!records.isEmpty && records.count < 1500)
        #expect(records.last?.offset == 1499)
        #expect(zip(records, records.dropFirst()).allSatisfy { $0.offset + 1 == $1.offset })
        #expect(try read(KafkaOffsetRange(partition, from: 0, until: 1), lenient, cache).isEmpty)
        withExtendedLifetime(mock) {}
    }

    @Test func `A range that has no records yet ends at its deadline or when cancelled`() throws {
        let (mock, properties) = try cluster(("t", 1))
        let range = KafkaOffsetRange(TopicPartition("t", 0), from: 0, until: 5)
        let settings = KafkaReaderSettings(group: "q", properties: properties, pollTimeoutMs: 300)
        var chunk: [KafkaRecord] = []
        let late = failure { () throws(KafkaError) in
            try KafkaRangeReader(settings, range: range).next(into: &chunk)
        }
        #expect(late?.code == .timedOut && late?.isRetriable == true)
        #expect(
            late?.message.hasPrefix(
                "reading topic 't', partition 0 at offset 0 of [0, 5) got nothing within 300 ms")
                == true, "\(late?.message ?? "no error")")
        let cancelled = failure { () throws(KafkaError) in
            try KafkaRangeReader(settings, range: range, isCancelled: { true }).next(into: &chunk)
        }
        #expect(cancelled?.code == .cancelled)
        withExtendedLifetime(mock) {}
    }

    @Test func `Without a broker each call ends at its deadline with a reason`() throws {
        let nowhere = properties("127.0.0.1:1")
        let source = try source(nowhere, ["assign": #"{"t":[0]}"#])
        let error = failure { () throws(KafkaError) in
            try source.latestOffsets(timeout: .seconds(3))
        }
        #expect(error?.isRetriable == true)
        #expect(
            error?.message.contains("Connection refused") == true, "\(error?.message ?? "none")")
        let producer = try KafkaProducer(properties: nowhere)
        try producer.send(topic: "t", partition: 0, value: [1])
        let late = failure { () throws(KafkaError) in
            try producer.flush(timeout: .milliseconds(300))
        }
        #expect(late?.code == .timedOut)
    }

    @Test func `A record that cannot be delivered is an error of the producer`() throws {
        let producer = try KafkaProducer(
            properties: properties("127.0.0.1:1", ["delivery.timeout.ms": "200"]))
        try producer.send(topic: "t", partition: 0, value: [1])
        let error = failure { () throws(KafkaError) in try producer.flush(timeout: .seconds(30)) }
        #expect(error?.code == .deliveryFailed)
        #expect(error?.topicPartition == TopicPartition("t", 0))
    }

    @Test func `A broker that is down for a while is waited for`() throws {
        let (mock, properties) = try cluster(("t", 1))
        let partition = TopicPartition("t", 0)
        try send((0..<10).map { "\($0)" }, to: partition, properties)
        mock.setBroker(1, isUp: false)
        mock.setBroker(2, isUp: false)
        let settings = KafkaReaderSettings(
            group: "q", properties: properties, pollTimeoutMs: 30_000)
        let range = KafkaOffsetRange(partition, from: 0, until: 10)
        let reader = try KafkaRangeReader(
            settings, range: range, cache: KafkaConsumerCache(),
            isCancelled: {
                mock.setBroker(1, isUp: true)  // asked only while waiting
                mock.setBroker(2, isUp: true)
                return false
            })
        var chunk: [KafkaRecord] = []
        var count = 0
        while try reader.next(into: &chunk) { count += chunk.count }
        #expect(count == 10)
    }

    @Test func `The cache keeps no more than its limit`() throws {
        let (mock, properties) = try cluster(("t", 4))
        let cache = KafkaConsumerCache(softLimit: 2)
        let settings = KafkaReaderSettings(
            group: "q", properties: properties, pollTimeoutMs: 30_000)
        for number in 0..<4 {
            let partition = TopicPartition("t", Int32(number))
            try send(["x"], to: partition, properties)
            #expect(
                try read(KafkaOffsetRange(partition, from: 0, until: 1), settings, cache).count == 1
            )
        }
        #expect(cache.idleCount == 2)
        let brief = KafkaConsumerCache(idleTimeout: .zero)
        let range = KafkaOffsetRange(TopicPartition("t", 0), from: 0, until: 1)
        #expect(try read(range, settings, brief).count == 1)
        withExtendedLifetime(mock) {}
    }
}
