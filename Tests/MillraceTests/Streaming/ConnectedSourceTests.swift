import Glibc
import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceKafka
import Testing

@testable import Millrace

/// Sources on the other side of a connection.
@Suite struct ConnectedSourceTests {
    /// Words through Kafka, with the query stopped and started again on the way.
    @Test func wordsOfAKafkaTopicAreCountedOverRestarts() async throws {
        let context = serialContext(parallelism: 2)
        let checkpoint = TemporaryFolder()
        let mock = try MockCluster(brokers: 1)
        try mock.createTopic("lines", partitions: 3)
        let producer = try KafkaProducer(bootstrapServers: mock.bootstrapServers)
        let seen = SeenBatches<(String, Int)>()
        for round in 0..<4 {
            for line in 0..<50 {
                try producer.send(
                    topic: "lines", partition: Int32(line % 3), key: nil,
                    value: Array("all r\(round) l\(line % 5)".utf8))
            }
            try producer.flush(timeout: .seconds(30))
            let query = try await context.readStream.option("startingOffsets", "earliest")
                .option("maxOffsetsPerTrigger", 30)
                .kafka(mock.bootstrapServers, subscribe: "lines")
                .flatMap { record in
                    String(decoding: record.value, as: UTF8.self).split(separator: " ")
                        .map(String.init)
                }
                .groupByKey { $0 }.count().writeStream.outputMode(.update)
                .trigger(.availableNow).checkpointLocation(checkpoint.path)
                .foreachBatch { batch, id in seen.add(id, batch.rows) }.start()
            try await query.awaitTermination()
            let progress = try #require(query.recentProgress.last { $0.numInputRows > 0 })
            #expect(progress.sources[0].description == "KafkaV2[Subscribe[lines]]")
            #expect(progress.sources[0].metrics["maxOffsetsBehindLatest"] == "0")
        }
        #expect(seen.batches.count >= 8, "the limit cuts each round into batches")
        #expect(seen.batches == Array(0..<seen.batches.count))
        let counts = Dictionary(seen.rows) { $1 }
        #expect(counts["all"] == 200)
        #expect(counts["r3"] == 50)
        #expect(counts["l4"] == 40)
        #expect(checkpoint.read("sources/0/0") == "v1\n{\"lines\":{\"0\":0,\"1\":0,\"2\":0}}")
        withExtendedLifetime(mock) {}
    }

    @Test func linesFromASocketAreReadAsTheyCome() async throws {
        let server = try LineServer()
        let context = serialContext(parallelism: 2)
        let query = try await context.readStream.socket(host: "127.0.0.1", port: server.port)
            .map { $0.uppercased() }.writeStream.queryName("lines").format("memory").start()
        server.accept()
        server.send("one\ntwo\r\nthr")
        server.send("ee\nlast")
        server.close()
        // The end of the connection completes the last line; it comes when the reader has seen it.
        var rows: [String] = []
        while rows.count < 4, query.isActive {
            try await query.processAllAvailable()
            rows = try context.streams.table("lines")
            await Task.yield()
        }
        #expect(rows.sorted() == ["LAST", "ONE", "THREE", "TWO"])
        await query.stop()
    }

    @Test func aSocketWhereNobodyListensIsAnErrorAtTheStart() async throws {
        let server = try LineServer()
        let port = server.port
        server.close()
        let context = serialContext()
        let writer = try context.readStream.socket(host: "127.0.0.1", port: port).writeStream
        await #expect(throws: MillraceError.self) { try await writer.format("noop").start() }
        #expect(context.streams.active.isEmpty)
    }
}

/// A TCP server for one connection.
private final class LineServer {
    private var listener: Int32
    private var connection: Int32 = -1
    let port: Int

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                let bound = bind(listener, generic, size)
                getsockname(listener, generic, &size)
                return bound
            }
        }
        try #require(result == 0 && listen(listener, 1) == 0)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func accept() { connection = Glibc.accept(listener, nil, nil) }
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(connection, bytes, bytes.count)
    }
    func close() {
        if connection >= 0 { Glibc.close(connection) }
        if listener >= 0 { Glibc.close(listener) }
        connection = -1
        listener = -1
    }
    deinit { close() }
}
