import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceStore
import Testing

@testable import Millrace

@Suite struct StreamingSourceTests {
    @Test func ratePerMicroBatchGivesSparksRows() async throws {
        let context = serialContext(parallelism: 2)
        let seen = SeenBatches<(Int64, Int64)>()
        let query = try await context.readStream.option("numPartitions", 3)
            .option("startTimestamp", 5000).option("advanceMillisPerBatch", 100)
            .rateMicroBatch(rowsPerBatch: 10).map { ($0.timestampMs, $0.value) }
            .writeStream.foreachBatch { batch, id in
                seen.add(id, batch.rows)
                if id == 2 { throw SimulatedCrash() }
            }.start()
        await #expect(throws: MillraceError.self) { try await query.awaitTermination() }
        #expect(seen.batches == [0, 1, 2])
        #expect(seen.all[1].rows.map(\.1).sorted() == Array(10..<20))
        #expect(seen.all[1].rows.prefix(4).map(\.1) == [10, 13, 16, 19])
        #expect(seen.all[1].rows.allSatisfy { $0.0 == 5100 })
        let progress = try #require(query.recentProgress.first { $0.batchId == 1 })
        #expect(progress.sources[0].startOffset == #"{"offset":10,"timestamp":5100}"#)
        #expect(progress.sources[0].endOffset == #"{"offset":20,"timestamp":5200}"#)
        #expect(progress.numInputRows == 10)
    }

    @Test func ratePerMicroBatchEndsAfterOneBatchWhenAvailableNow() async throws {
        let context = serialContext()
        let seen = SeenBatches<RateRow>()
        let query = try await context.readStream.rateMicroBatch(rowsPerBatch: 7).writeStream
            .trigger(.availableNow).foreachBatch { batch, id in seen.add(id, batch.rows) }.start()
        try await query.awaitTermination()
        #expect(seen.rows.count == 7)
        #expect(seen.batches == [0])
    }

    @Test func aRateRampsUpAsSparks() throws {
        let provider = RateSourceProvider(rowsPerSecond: 10, rampUpSeconds: 4, partitions: 1)
        let source = RateSource(provider, creationMs: 1000)
        func rows(_ from: Int, _ to: Int) throws -> Int64 {
            let inputs = try source.plan(from: String(from), to: String(to))
            return try inputs.reduce(0) { sum, bytes in
                let input = try RateRows.Input(decoding: bytes)
                return sum + input.end - input.first
            }
        }
        // Spark's own table: 0, 2, 6, 12, 20, 30, 40 rows before each second.
        #expect(try (0..<6).map { try rows($0, $0 + 1) } == [2, 4, 6, 8, 10, 10])
    }

    @Test func filesAreReadOnceOldestFirst() async throws {
        let context = serialContext()
        let input = TemporaryFolder()
        let checkpoint = TemporaryFolder()
        input.write("b.txt", "1\n2\n")
        input.write(".hidden", "no\n")
        input.write("_tmp", "no\n")
        func run() async throws -> [[String]] {
            let seen = SeenBatches<String>()
            let query = try await context.readStream.option("maxFilesPerTrigger", 1)
                .text(input.path).writeStream.trigger(.availableNow)
                .checkpointLocation(checkpoint.path)
                .foreachBatch { batch, id in seen.add(id, batch.rows) }.start()
            try await query.awaitTermination()
            return seen.all.map(\.rows)
        }
        #expect(try await run() == [["1", "2"]])
        input.write("a.txt", "3\r\n4")
        input.write("c.txt", "5\n")
        #expect(try await run().flatMap { $0 }.sorted() == ["3", "4", "5"])
        #expect(try await run() == [])
    }

    @Test func filesToFilesIsExactlyOnceOverCrashes() async throws {
        for step in [
            StreamingStep.afterOffsets(1), .afterJob(1), .afterSinkCommit(1), .afterCommit(1),
        ] {
            let context = serialContext()
            let input = TemporaryFolder()
            let output = TemporaryFolder()
            let checkpoint = TemporaryFolder()
            for file in 0..<4 { input.write("f\(file)", "line \(file)\n") }
            func start(_ step: StreamingStep?) async throws -> StreamingQuery {
                try await context.readStream.option("maxFilesPerTrigger", 1).text(input.path)
                    .map { $0 + "!" }.writeStream.trigger(.availableNow)
                    .checkpointLocation(checkpoint.path).option("path", output.path).format("text")
                    .start(crashing: step)
            }
            let first = try await start(step)
            await #expect(throws: MillraceError.self) { try await first.awaitTermination() }
            try await start(nil).awaitTermination()
            let log = try FileSinkLog(PosixFileSystem(), output: output.path)
            var lines: [String] = []
            for file in try log.allFiles() {
                let path = try StorePath.resolve(file.path)
                let text = String(decoding: try PosixFileSystem().read(path), as: UTF8.self)
                lines += text.split(separator: "\n").map(String.init)
            }
            #expect(lines.sorted() == (0..<4).map { "line \($0)!" }, "\(step)")
        }
    }

    @Test func jsonFilesHoldOneObjectALine() async throws {
        let context = serialContext(parallelism: 1)
        let output = TemporaryFolder()
        let checkpoint = TemporaryFolder()
        let stream = MemoryStream<(String, Int)>(context)
        stream.addData([("a\"", 1), ("b", 2)])
        let query = try await stream.toDS().map { (word: $0.0, n: $0.1) }.writeStream
            .trigger(.availableNow).checkpointLocation(checkpoint.path)
            .format("json").start(output.path)
        try await query.awaitTermination()
        let files = try FileSinkLog(PosixFileSystem(), output: output.path).allFiles()
        let path = try StorePath.resolve(try #require(files.first).path)
        #expect(
            String(decoding: try PosixFileSystem().read(path), as: UTF8.self)
                == "{\"word\":\"a\\\"\",\"n\":1}\n{\"word\":\"b\",\"n\":2}\n")
    }
}
