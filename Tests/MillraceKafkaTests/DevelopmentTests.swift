import Testing

@testable import MillraceKafka

@Suite struct DevelopmentTests {
    @Test func `The text is the same on every run and never blank`() throws {
        let lines = try TextLines(count: 5000, from: 7)
        #expect(Array(lines) == Array(try TextLines(count: 5000, from: 7)))
        #expect(lines.map(\.number) == Array(7..<5007))
        #expect(lines.allSatisfy { !$0.text.isEmpty })
        let all = Array(try TextLines(count: lines.lines.count * 2))
        #expect(
            all.prefix(lines.lines.count).map(\.text) == all.suffix(lines.lines.count).map(\.text))
        #expect(throws: KafkaError.self) { try TextLines(directory: "/nowhere", count: 1) }
    }

    @Test func `The producer's command delivers each line once, to its partition`() throws {
        let mock = try MockCluster(brokers: 1)
        try mock.createTopic("lines", partitions: 3)
        let code = KafkaProduce.run(arguments: [
            "--bootstrap", mock.bootstrapServers, "--topic=lines", "--lines", "3000",
            "--partitions", "3", "--rate", "100000", "--quiet",
        ])
        #expect(code == 0)
        let properties = properties(mock.bootstrapServers)
        let settings = KafkaReaderSettings(
            group: "q", properties: properties, pollTimeoutMs: 30_000)
        let expected = Array(try TextLines(count: 3000))
        for number in 0..<3 {
            let range = KafkaOffsetRange(
                TopicPartition("lines", Int32(number)), from: 0, until: 1000)
            let records = try read(range, settings, KafkaConsumerCache())
            let own = expected.filter { $0.number % 3 == number }
            #expect(records.map(\.key) == own.map(\.key))
            #expect(records.map(\.value) == own.map(\.text))
        }
        withExtendedLifetime(mock) {}
    }

    @Test(arguments: [
        ["--lines", "5"], ["--topic", "t", "--bootstrap", "b:1"], ["--nonsense"],
        ["--topic", "t", "--bootstrap", "b:1", "--lines", "-1"],
        ["--topic", "t", "--bootstrap", "b:1", "--lines", "1", "--conf", "x"],
        ["--topic", "t", "--bootstrap", "b:1", "--lines", "1", "--directory", "/nowhere"],
    ])
    func `Bad arguments of kafka-produce are exit code 2`(_ arguments: [String]) {
        #expect(KafkaProduce.run(arguments: arguments) == 2)
    }

    @Test(arguments: [
        ["--brokers", "0"], ["--topic", "t"], ["--topic", "t:0"],
        ["--topic", "t:1", "--topic", "t:2"],
        ["--port-file"], ["extra"],
    ])
    func `Bad arguments of kafka-dev are exit code 2`(_ arguments: [String]) {
        #expect(KafkaDev.run(arguments: arguments) == 2)
    }
}

/// `millrace kafka-dev` as a process of its own; built by `swift build` beside the tests.
@Suite(.enabled(if: KafkaDevProcess.isBuilt, "build the product millrace first"))
struct KafkaDevProcessTests {
    @Test func `The development cluster serves until it is told to end`() throws {
        let process = try KafkaDevProcess(["--brokers", "2", "--topic", "t:3"])
        let bootstrap = try #require(process.bootstrap)
        #expect(bootstrap.split(separator: ",").count == 2)
        let admin = try KafkaAdmin(properties: properties(bootstrap))
        #expect(try admin.partitions(ofTopic: "t", timeout: .seconds(30)) == 3)
        #expect(process.terminate() == 0)
    }
}
