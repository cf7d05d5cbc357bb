import MillraceBase
import Testing

@testable import MillraceKafka

@Suite struct KafkaOffsetsTests {
    @Test(arguments: [
        "{}",
        #"{"t":{"0":123,"1":45}}"#,
        #"{"a":{"0":-2,"2":-1,"10":9223372036854775807},"b.c-d_e":{"0":0}}"#,
        #"{"quo\"te":{"7":1}}"#,
    ])
    func `Offsets keep their text`(_ text: String) throws {
        #expect(try KafkaOffsets(json: text).json == text)
    }

    @Test func `Text is sorted by topic and number whatever the order was`() throws {
        let given = #" {"b": {"0": 1}, "a": {"10": 3, "9": 2}} "#
        let offsets = try KafkaOffsets(json: given)
        #expect(offsets.json == #"{"a":{"9":2,"10":3},"b":{"0":1}}"#)
        let again = KafkaOffsets([
            (TopicPartition("a", 10), Int64(3)), (TopicPartition("b", 0), Int64(1)),
            (TopicPartition("a", 9), Int64(2)),
        ])
        #expect(again == offsets)
    }

    @Test(arguments: [
        (#"{"t":{"0":1}"#, "line 1, column 13"),
        ("[]", "it is an array, not an object"),
        (#"{"t":5}"#, "topic 't' has an integer, not an object of offsets"),
        (#"{"t":{"x":1}}"#, "'x' of topic 't' is no partition number"),
        (#"{"t":{"01":1}}"#, "'01' of topic 't' is no partition number"),
        (#"{"t":{"-1":1}}"#, "'-1' of topic 't' is no partition number"),
        (#"{"t":{"2147483648":1}}"#, "is no partition number"),
        (#"{"t":{"0":-3}}"#, "partition 0 of topic 't' has -3, not an offset"),
        (#"{"t":{"0":1.5}}"#, "partition 0 of topic 't' has 1.5, not an offset"),
        (#"{"t":{"0":1,"0":2}}"#, "appears twice"),
        (#"{"":{"0":1}}"#, "a topic's name is empty"),
    ])
    func `Text that is no offsets says what and where`(_ text: String, _ reason: String) {
        let error = failure { () throws(KafkaError) in try KafkaOffsets(json: text) }
        #expect(error?.code == .malformedJSON)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "no error")")
        #expect(error?.message.hasPrefix("Expected e.g. {\"topicA\":{\"0\":23") == true)
    }

    @Test func `Damaged text is refused or read, never a crash`() throws {
        let seed: UInt64 = 20_261_121
        var random = SeededGenerator(state: seed)
        let valid = Array(
            #"{"alpha":{"0":123,"1":-1,"22":-2},"beta":{"0":9223372036854775807}}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: at)
                default: bytes.removeSubrange(at...)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let offsets = try? KafkaOffsets(json: text) {
                #expect(try KafkaOffsets(json: offsets.json) == offsets, "seed \(seed): \(text)")
            }
        }
    }

    @Test func `Offsets are found, replaced and removed`() {
        var offsets = KafkaOffsets()
        for number in (0..<200).map({ Int32($0 * 37 % 200) }) {
            offsets[TopicPartition("t", number)] = Int64(number) * 10
        }
        #expect(offsets.count == 200)
        #expect(offsets.entries.map(\.topicPartition.partition) == (0..<200).map { Int32($0) })
        offsets[TopicPartition("t", 100)] = nil
        offsets[TopicPartition("t", 101)] = 7
        #expect(offsets[TopicPartition("t", 100)] == nil)
        #expect(offsets[TopicPartition("t", 101)] == 7)
        #expect(offsets[TopicPartition("s", 101)] == nil)
    }

    @Test func `A range survives its bytes, and cut bytes are refused`() throws {
        let range = KafkaOffsetRange(TopicPartition("lines", 3), from: 5, until: 1 << 40)
        #expect(try KafkaOffsetRange(bytes: range.bytes) == range)
        for count in 0..<range.bytes.count {
            #expect(throws: ByteError.self) {
                try KafkaOffsetRange(bytes: Array(range.bytes.prefix(count)))
            }
        }
    }
}
