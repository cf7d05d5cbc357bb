import Testing

@testable import MillraceKafka

/// The arithmetic that must agree with Spark's, with the numbers of Spark's own tests where it has
/// them.
@Suite struct KafkaPlanningTests {
    private func offsets(_ values: Int64...) -> KafkaOffsets {
        KafkaOffsets(
            values.enumerated().map { (TopicPartition("t", Int32($0.offset)), $0.element) })
    }
    private func range(_ partition: Int32, _ from: Int64, _ until: Int64) -> KafkaOffsetRange {
        KafkaOffsetRange(TopicPartition("t", partition), from: from, until: until)
    }

    @Test func `The limit is split by volume as in Spark's test of maxOffsetsPerTrigger`() {
        // 101, 11 and 1 records, limit 10: 8 from the biggest, 1 from the middle, 1 from the
        // smallest; …
        let latest = offsets(101, 11, 1)
        let first = latest.limited(to: 10, from: offsets(0, 0, 0))
        #expect(first == offsets(8, 1, 1))
        // … then the smallest is empty: 1 more from the middle, 9 more from the biggest.
        let second = latest.limited(to: 10, from: first)
        #expect(second == offsets(17, 2, 1))
        #expect(second.records(since: first) == 10)
    }

    @Test func `A limit above the volume, an empty batch and huge numbers keep the ends`() {
        #expect(offsets(5, 6).limited(to: 100, from: offsets(0, 0)) == offsets(5, 6))
        #expect(offsets(5, 6).limited(to: 1, from: offsets(5, 6)) == offsets(5, 6))
        #expect(offsets(.max, 6).limited(to: .max, from: offsets(0, 6)) == offsets(.max, 6))
        #expect(offsets(3, 6).limited(to: 1, from: offsets(5, 6)) == offsets(3, 6))
    }

    @Test func `A new partition counts from its beginning`() {
        let start = offsets(10)
        let latest = offsets(20, 110)
        let firsts = KafkaOffsets([(TopicPartition("t", 1), Int64(100))])
        #expect(latest.limited(to: 10, from: start, firsts: firsts) == offsets(15, 105))
    }

    @Test func `Without minPartitions a partition is a task, and empty ones are none`() {
        let ranges = [range(0, 0, 5), range(1, 7, 7), range(2, 1, 2)]
        #expect(KafkaOffsetRangeCalculator().ranges(ranges) == [ranges[0], ranges[2]])
        #expect(KafkaOffsetRangeCalculator(minPartitions: 2).ranges(ranges).count == 2)
    }

    @Test func `minPartitions cuts what is large in equal pieces`() {
        let even = KafkaOffsetRangeCalculator(minPartitions: 4)
        #expect(even.ranges([range(0, 1, 5)]) == (1..<5).map { range(0, $0, $0 + 1) })
        #expect(even.ranges([range(0, 1, 3)]) == [range(0, 1, 2), range(0, 2, 3)])
        let skewed = KafkaOffsetRangeCalculator(minPartitions: 5)
        #expect(
            skewed.ranges([range(0, 0, 10), range(1, 0, 1000)]) == [
                range(0, 0, 10), range(1, 0, 250), range(1, 250, 500), range(1, 500, 750),
                range(1, 750, 1000),
            ])
    }

    @Test func `maxRecordsPerPartition bounds a task`() {
        let calculator = KafkaOffsetRangeCalculator(maxRecordsPerPartition: 4)
        #expect(
            calculator.ranges([range(0, 0, 10)]) == [
                range(0, 0, 3), range(0, 3, 6), range(0, 6, 10),
            ])
    }

    @Test func `Deleted, rewound and late partitions are data loss, or a warning`() throws {
        var options = [
            "kafka.bootstrap.servers": "127.0.0.1:1", "subscribe": "t", "failOnDataLoss": "true",
        ]
        let strict = try KafkaOffsetReader(KafkaSourceOptions(options))
        options["failOnDataLoss"] = "false"
        let lenient = try KafkaOffsetReader(KafkaSourceOptions(options))
        let none = KafkaOffsets()
        func plans(
            _ start: KafkaOffsets, _ end: KafkaOffsets, _ firsts: KafkaOffsets, _ words: String,
            _ expected: [KafkaOffsetRange]
        ) throws {
            let error = failure { () throws(KafkaError) in
                try strict.plan(from: start, to: end, firsts: firsts)
            }
            #expect(error?.code == .dataLoss)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "no error")")
            #expect(error?.message.contains("failOnDataLoss") == true)
            #expect(try lenient.plan(from: start, to: end, firsts: firsts) == expected)
        }
        try plans(offsets(1, 1), offsets(3), none, "[t-1] are gone", [range(0, 1, 3)])
        try plans(
            offsets(9, 1), offsets(3, 2), none, "t-0's offset was changed from 9 to 3",
            [range(1, 1, 2)])
        let late = KafkaOffsets([(TopicPartition("t", 1), Int64(4))])
        try plans(
            offsets(1), offsets(1, 6), late, "Added partition t-1 starts from 4 instead of 0",
            [range(1, 4, 6)])
        let early = KafkaOffsets([(TopicPartition("t", 1), Int64(0))])
        #expect(
            try strict.plan(from: offsets(1), to: offsets(2, 6), firsts: early)
                == [range(0, 1, 2), range(1, 0, 6)])
    }
}
