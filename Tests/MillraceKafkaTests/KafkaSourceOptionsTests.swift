import MillraceBase
import Testing

@testable import MillraceKafka

@Suite struct KafkaSourceOptionsTests {
    private let least = ["kafka.bootstrap.servers": "b:9092", "subscribe": "lines"]

    @Test func `Defaults are Spark's`() throws {
        let options = try KafkaSourceOptions(least)
        #expect(options.subscription == .subscribe(["lines"]))
        #expect(options.startingOffsets == .latest)
        #expect(options.failOnDataLoss)
        #expect(options.fetchRetries == 3)
        #expect(options.fetchRetryIntervalMs == 10)
        #expect(options.pollTimeoutMs == 120_000)
        #expect(options.maxOffsetsPerTrigger == nil && options.minPartitions == nil)
        #expect(options.properties == [KafkaProperty("bootstrap.servers", "b:9092")])
    }

    @Test func `Names are read in any case, and kafka options pass through sorted`() throws {
        let options = try KafkaSourceOptions([
            "kafka.bootstrap.servers": "b:9092", "ASSIGN": #"{"b":[1,0],"a":[2]}"#,
            "startingoffsets": #"{"a":{"2":-1},"b":{"0":-2,"1":7}}"#,
            "maxoffsetspertrigger": "100", "kafka.security.protocol": "ssl",
            "includeheaders": "true",
        ])
        #expect(
            options.subscription
                == .assign([TopicPartition("a", 2), TopicPartition("b", 0), TopicPartition("b", 1)])
        )
        #expect(options.maxOffsetsPerTrigger == 100)
        #expect(options.includeHeaders)
        #expect(options.properties.map(\.name) == ["bootstrap.servers", "security.protocol"])
    }

    @Test(arguments: [
        (["subscribe": ""], "No topics to subscribe to"),
        (["subscribe": "a", "assign": "{}"], "Only one of the following options"),
        (["subscribePattern": " "], "Pattern to subscribe is empty"),
        (["subscribePattern": "("], "no regular expression"),
        (["assign": "{}"], "No topicpartitions to assign"),
        (["assign": #"{"t":[0,0]}"#], "t-0 appears twice"),
        ([:], "One of the following options must be specified"),
        (["subscribe": "a", "kafka.auto.offset.reset": "latest"], "Instead set the source option"),
        (
            ["subscribe": "a", "kafka.key.deserializer": "x"],
            "keys are deserialized as byte arrays"
        ),
        (["subscribe": "a", "kafka.enable.auto.commit": "true"], "is not supported"),
        (["subscribe": "a", "endingOffsets": "latest"], "not valid in streaming queries"),
        (["subscribe": "a", "startingTimestamp": "1"], "not supported yet"),
        (["subscribe": "a", "maxOffsetPerTrigger": "1"], "did you mean 'maxOffsetsPerTrigger'?"),
        (["subscribe": "a", "maxOffsetsPerTrigger": "0"], "it takes a number from 1"),
        (["subscribe": "a", "failOnDataLoss": "no"], "it takes true or false"),
        (["assign": #"{"t":[0,1]}"#, "startingOffsets": #"{"t":{"0":1}}"#], "must specify all"),
    ])
    func `What cannot be right is refused with Spark's reason`(
        _ options: [String: String], _ reason: String
    ) {
        let all = options.merging(["kafka.bootstrap.servers": "b:1"]) { $1 }
        let error = failure { () throws(KafkaError) in try KafkaSourceOptions(all) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "no error")")
        #expect(error?.asMillraceError.code == .invalidArgument)
    }

    @Test func `Servers must be named`() {
        let error = failure { () throws(KafkaError) in try KafkaSourceOptions(["subscribe": "a"]) }
        #expect(error?.message.contains("'kafka.bootstrap.servers' must be specified") == true)
    }

    @Test func `A property that librdkafka refuses is named`() throws {
        let options = try KafkaSourceOptions(least.merging(["kafka.fetch.wait": "1"]) { $1 })
        let error = failure { () throws(KafkaError) in try KafkaOffsetReader(options) }
        #expect(error?.message.contains("'kafka.fetch.wait'") == true)
        #expect(error?.code == .invalidOption)
    }

    @Test func `Names of the Java clients are translated`() throws {
        let translated = try JavaProperties.translate([
            KafkaProperty("fetch.max.wait.ms", "5"), KafkaProperty("max.poll.records", "9"),
            KafkaProperty("ssl.truststore.type", "PEM"),
            KafkaProperty("ssl.truststore.location", "/ca.pem"),
            KafkaProperty("ssl.endpoint.identification.algorithm", ""),
            KafkaProperty(
                "sasl.jaas.config", #"x.PlainLoginModule required username="u" password="p w";"#),
        ])
        #expect(
            translated == [
                KafkaProperty("fetch.wait.max.ms", "5"),
                KafkaProperty("ssl.ca.location", "/ca.pem"),
                KafkaProperty("ssl.endpoint.identification.algorithm", "none"),
                KafkaProperty("sasl.username", "u"), KafkaProperty("sasl.password", "p w"),
            ])
        let error = failure { () throws(KafkaError) in
            try JavaProperties.translate([KafkaProperty("ssl.keystore.location", "/k.jks")])
        }
        #expect(error?.message.contains("convert it to PEM") == true)
    }
}
