import MillraceBase
import MillraceCore
import MillraceExecutor
import Synchronization
import Testing

@testable import Millrace

@Suite struct DataStreamWriterTests {
    private func message(_ body: () async throws -> StreamingQuery) async -> String {
        do {
            let query = try await body()
            await query.stop()
            return "started"
        } catch {
            return "\(error)"
        }
    }

    @Test func modesThatDoNotFitAreRefusedInSparksWords() async throws {
        let context = serialContext()
        let stream = MemoryStream<Int>(context)
        let counts = stream.toDS().groupByKey { $0 }.count()
        #expect(
            await message { try await counts.writeStream.format("noop").start() }
                .hasPrefix("Append output mode not supported when there are streaming aggregations")
        )
        #expect(
            await message {
                try await stream.toDS().writeStream.outputMode(.complete).format("noop").start()
            }.hasPrefix(
                "Complete output mode not supported when there are no streaming aggregations"))
        let twice = counts.groupByKey { $0.1 }.count()
        #expect(
            await message { try await twice.writeStream.outputMode(.update).format("noop").start() }
                .hasPrefix("Multiple streaming aggregations are not supported"))
    }

    @Test func whatIsMissingIsNamed() async throws {
        let stream = MemoryStream<String>(serialContext())
        let writer = stream.toDS().writeStream
        #expect(await message { try await writer.start() }.contains("no sink"))
        #expect(await message { try await writer.format("parquet").start() }.contains("parquet"))
        #expect(await message { try await writer.format("memory").start() }.contains("queryName"))
        #expect(
            await message { try await writer.format("text").start("/tmp/never") }
                .contains("checkpointLocation must be specified"))
        #expect(
            await message {
                try await writer.trigger(.processingTime("soon")).format("noop").start()
            }
            .contains("\"soon\""))
    }

    @Test func aNameAndACheckpointBelongToOneQuery() async throws {
        let context = serialContext()
        let folder = TemporaryFolder()
        let stream = MemoryStream<String>(context)
        let writer = stream.toDS().writeStream.format("noop")
        let query = try await writer.queryName("q").checkpointLocation(folder.path).start()
        #expect(
            await message { try await writer.queryName("q").start() }.contains("already active"))
        #expect(
            await message { try await writer.checkpointLocation(folder.path).start() }
                .contains("another driver"))
        #expect(context.streams.active.count == 1)
        #expect(context.streams.get(query.id) === query)
        await query.stop()
        #expect(context.streams.active.isEmpty)
        let again = try await writer.queryName("q").checkpointLocation(folder.path).start()
        #expect(again.id == query.id)
        #expect(again.runId != query.runId)
        await again.stop()
    }

    @Test func listenersHearOfStartProgressAndEnd() async throws {
        final class Listener: StreamingQueryListener {
            let heard = Mutex<[String]>([])
            func note(_ what: String) { heard.withLock { $0.append(what) } }
            func onQueryStarted(_ event: StreamingQueryEvent.Started) { note("started") }
            func onQueryProgress(_ progress: StreamingQueryProgress) {
                note("batch \(progress.batchId): \(progress.numInputRows)")
            }
            func onQueryTerminated(_ event: StreamingQueryEvent.Terminated) {
                note("ended \(event.exception == nil)")
            }
        }
        let context = serialContext()
        let listener = Listener()
        context.streams.addListener(listener)
        let stream = MemoryStream<Int>(context)
        stream.addData(1, 2, 3)
        let query = try await stream.toDS().writeStream.trigger(.availableNow).format("noop")
            .start()
        try await query.awaitTermination()
        try await context.streams.awaitAnyTermination()
        #expect(listener.heard.withLock { $0 } == ["started", "batch 0: 3", "ended true"])
    }

    @Test func awaitTerminationKeepsItsDeadline() async throws {
        let stream = MemoryStream<Int>(serialContext())
        let query = try await stream.toDS().writeStream.format("noop").start()
        #expect(try await query.awaitTermination(timeout: .milliseconds(1)) == false)
        #expect(query.isActive)
        await query.stop()
        #expect(try await query.awaitTermination(timeout: .seconds(60)))
        await query.stop()
    }

    @Test func theConsoleLooksAsSparks() {
        let text = ConsoleTable(rows: 2).text(
            batch: BatchID(3),
            [
                (word: "a", count: 1), (word: "a word of more than twenty letters", count: 2),
                ("c", 3),
            ],
            empty: ["value"])
        #expect(
            text == """
                -------------------------------------------
                Batch: 3
                -------------------------------------------
                +--------------------+-----+
                |                word|count|
                +--------------------+-----+
                |                   a|    1|
                |a word of more th...|    2|
                +--------------------+-----+
                only showing top 2 rows


                """)
    }

    @Test func aggregatesOfSeveralKinds() async throws {
        let context = serialContext()
        let stream = MemoryStream<Int>(context)
        stream.addData(Array(1...10))
        stream.addData(Array(11...20))
        let query = try await stream.toDS().groupByKey { $0 % 2 }
            .agg(.count(), .sum { $0 }, .max { $0 })
            .writeStream.outputMode(.complete).queryName("agg").format("memory")
            .trigger(.availableNow).start()
        try await query.awaitTermination()
        let rows: [(Int, Int, Int, Int?)] = try context.streams.table("agg")
        let byKey = Dictionary(rows.map { ($0.0, "\($0.1) \($0.2) \($0.3 ?? 0)") }) { $1 }
        #expect(byKey == [0: "10 110 20", 1: "10 100 19"])
    }

    @Test func reduceKeepsOneRowPerKey() async throws {
        let context = serialContext()
        let stream = MemoryStream<(String, Int)>(context)
        let query = try await stream.toDS().groupByKey { $0.0 }
            .reduce { $0.1 < $1.1 ? $1 : $0 }
            .map { $0.1 }.writeStream.outputMode(.update).queryName("best").format("memory").start()
        stream.addData([("a", 3), ("b", 1)])
        try await query.processAllAvailable()
        stream.addData([("a", 2), ("b", 5)])
        try await query.processAllAvailable()
        await query.stop()
        let rows: [(String, Int)] = try context.streams.table("best")
        #expect(Dictionary(rows) { $1 } == ["a": 3, "b": 5])
    }
}
