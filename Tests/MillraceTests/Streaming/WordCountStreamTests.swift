import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceStore
import Testing

@testable import Millrace

/// The main job in small: words counted over batches, over restarts and over crashes at every step.
@Suite struct WordCountStreamTests {
    private func words(_ stream: MemoryStream<String>) -> Dataset<(String, Int)> {
        stream.toDS().flatMap { $0.split(separator: " ").map(String.init) }
            .groupByKey { $0 }.count()
    }

    @Test func updateModeGivesTheWordsThatChanged() async throws {
        let context = serialContext()
        let folder = TemporaryFolder()
        let stream = MemoryStream<String>(context)
        let seen = SeenBatches<(String, Int)>()
        let query = try await words(stream).writeStream.outputMode(.update)
            .checkpointLocation(folder.path)
            .foreachBatch { batch, id in seen.add(id, batch.rows) }.start()
        stream.addData("a b a", "c")
        try await query.processAllAvailable()
        stream.addData("b")
        try await query.processAllAvailable()
        await query.stop()
        let last = seen.all.last?.rows.map { "\($0.0)=\($0.1)" }
        #expect(last == ["b=2"])
        let counts = Dictionary(seen.rows) { max($0, $1) }
        #expect(counts == ["a": 2, "b": 2, "c": 1])
        #expect(!query.isActive)
        #expect(query.exception == nil)
    }

    @Test func completeModeGivesAllWords() async throws {
        let context = serialContext()
        let stream = MemoryStream<String>(context)
        let query = try await words(stream).writeStream.outputMode(.complete).queryName("words")
            .format("memory").start()
        stream.addData("a b")
        try await query.processAllAvailable()
        stream.addData("b")
        try await query.processAllAvailable()
        let rows: [(String, Int)] = try context.streams.table("words")
        #expect(Dictionary(rows) { $1 } == ["a": 1, "b": 2])
        #expect(rows.count == 2)
        await query.stop()
    }

    @Test func aRestartGoesOnFromTheCheckpoint() async throws {
        let context = serialContext()
        let folder = TemporaryFolder()
        let stream = MemoryStream<String>(context)
        var ids: Set<String> = []
        var counts: [String: Int] = [:]
        for round in 0..<12 {
            let seen = SeenBatches<(String, Int)>()
            let query = try await words(stream).writeStream.outputMode(.update)
                .checkpointLocation(folder.path)
                .foreachBatch { batch, id in seen.add(id, batch.rows) }.start()
            ids.insert(query.id)
            stream.addData("all w\(round) w\(round % 3)")
            try await query.processAllAvailable()
            await query.stop()
            for (word, count) in seen.rows { counts[word] = count }
        }
        #expect(ids.count == 1)
        #expect(counts["all"] == 12)
        #expect(counts["w0"] == 5)
        #expect(counts["w2"] == 5)
        #expect(counts["w11"] == 1)
    }

    @Test(arguments: [
        StreamingStep.beforeOffsets(2), .afterOffsets(2), .afterJob(2), .afterSinkCommit(2),
        .beforeCommit(2), .afterCommit(2), .beforeOffsets(0), .afterOffsets(0), .afterJob(0),
        .afterSinkCommit(0), .beforeCommit(0), .afterCommit(0),
    ])
    func aCrashAnywhereLeavesTheCountsExact(step: StreamingStep) async throws {
        let context = serialContext()
        let folder = TemporaryFolder()
        let stream = MemoryStream<String>(context)
        let seen = SeenBatches<(String, Int)>()
        func start(_ step: StreamingStep?) async throws -> StreamingQuery {
            try await words(stream).writeStream.outputMode(.update).checkpointLocation(folder.path)
                .foreachBatch { batch, id in seen.add(id, batch.rows) }.start(crashing: step)
        }
        let first = try await start(step)
        for text in ["a b", "a c", "a d", "a e"] {
            stream.addData(text)
            // Once it has crashed this throws at once.
            _ = try? await first.processAllAvailable()
        }
        await #expect(throws: MillraceError.self) { try await first.awaitTermination() }
        let second = try await start(nil)
        stream.addData("a f")
        try await second.processAllAvailable()
        await second.stop()
        // A batch that came twice came with the same rows.
        for (batch, rows) in seen.all {
            let again = Dictionary(seen.last[batch] ?? []) { $1 }
            #expect(Dictionary(rows) { $1 } == again)
        }
        var counts: [String: Int] = [:]
        for batch in seen.last.keys.sorted() {
            for (word, count) in seen.last[batch] ?? [] { counts[word] = count }
        }
        #expect(counts == ["a": 5, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1])
    }

    /// The log lags behind the job: batch 2 has run, its state is durable, its offsets are not; or
    /// the sink has it, batch 3 has run, and neither is logged.
    @Test(arguments: [(StreamingStep.beforeOffsets(2), 2), (.beforeCommit(2), 3)])
    func aCrashWhileTheLogLagsLeavesTheCountsExact(step: StreamingStep, ran: Int) async throws {
        let context = serialContext()
        let folder = TemporaryFolder()
        let stream = MemoryStream<String>(context)
        let seen = SeenBatches<(String, Int)>()
        let hasRun = Reached()
        let sink = words(stream).writeStream.outputMode(.update)
            .checkpointLocation(folder.path)
            .foreachBatch { batch, id in seen.add(id, batch.rows) }
        let first = try await sink.start(nil) { now in
            if now == .afterJob(ran) { hasRun.reach() }
            guard now == step else { return }
            if ran == 3 { stream.addData("a e") }
            #expect(hasRun.wait())
            throw SimulatedCrash()
        }
        for text in ["a b", "a c", "a d"] {
            stream.addData(text)
            _ = try? await first.processAllAvailable()
        }
        await #expect(throws: MillraceError.self) { try await first.awaitTermination() }
        #expect(seen.batches == (ran == 2 ? [0, 1] : [0, 1, 2]), "the sink saw what is logged")
        #expect(folder.read("offsets/3") == nil)
        #expect(folder.read("commits/2") == nil)

        let second = try await sink.start()
        stream.addData("a f")
        try await second.processAllAvailable()
        await second.stop()
        var counts: [String: Int] = [:]
        for batch in seen.last.keys.sorted() {
            for (word, count) in seen.last[batch] ?? [] { counts[word] = count }
        }
        #expect(counts["a"] == (ran == 2 ? 4 : 5))
        #expect(counts["d"] == 1)
        #expect(counts["f"] == 1)
        #expect(counts["e"] == (ran == 2 ? nil : 1))
    }

    @Test func theCheckpointIsSparksFormat() async throws {
        let context = serialContext()
        let folder = TemporaryFolder()
        let stream = MemoryStream<String>(context)
        let query = try await words(stream).writeStream.outputMode(.update)
            .checkpointLocation("file://" + folder.path).format("noop").start()
        stream.addData("a b")
        try await query.processAllAvailable()
        await query.stop()
        #expect(folder.read("metadata") == "{\"id\":\"\(query.id)\"}")
        #expect(folder.read("commits/0") == "v1\n{\"nextBatchWatermarkMs\":0}")
        let lines = try #require(folder.read("offsets/0")).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0] == "v1")
        #expect(lines[1].hasPrefix("{\"batchWatermarkMs\":0,\"batchTimestampMs\":"))
        #expect(lines[2] == "0")
    }

    @Test func theProgressTellsRowsStateAndTimes() async throws {
        let context = serialContext(parallelism: 2)
        let stream = MemoryStream<String>(context)
        let query = try await words(stream).writeStream.outputMode(.update).queryName("p")
            .format("noop").start()
        stream.addData("a b", "c")
        try await query.processAllAvailable()
        let progress = try #require(query.recentProgress.last { $0.numInputRows > 0 })
        await query.stop()
        #expect(progress.batchId == 0)
        #expect(progress.name == "p")
        #expect(progress.numInputRows == 2)
        #expect(progress.sink.numOutputRows == 3)
        #expect(progress.sink.description == "NoopTable")
        #expect(progress.stateOperators.count == 1)
        #expect(progress.stateOperators[0].numRowsTotal == 3)
        #expect(progress.stateOperators[0].numRowsUpdated == 3)
        #expect(progress.stateOperators[0].numShufflePartitions == 2)
        #expect(progress.stateOperators[0].numStateStoreInstances == 2)
        #expect(progress.sources[0].startOffset == nil)
        #expect(progress.sources[0].endOffset == "0")
        #expect(
            Set(progress.durationMs.keys) == [
                "addBatch", "commitOffsets", "getBatch", "latestOffset", "queryPlanning",
                "triggerExecution", "walCommit",
            ])
        #expect(try JSONValue(parsing: progress.json)["numInputRows"] == 2)
    }

    @Test func aFailingFunctionEndsTheQueryAndNamesItself() async throws {
        let context = serialContext()
        let stream = MemoryStream<Int>(context)
        let query = try await stream.toDS().map { row -> Int in
            if row == 3 { throw SimulatedCrash() }
            return row
        }.writeStream.format("noop").start()
        stream.addData(1, 2)
        try await query.processAllAvailable()
        stream.addData(3)
        await #expect(throws: MillraceError.self) { try await query.processAllAvailable() }
        #expect(!query.isActive)
        #expect(query.exception?.message.contains("SimulatedCrash") == true)
        #expect(context.streams.active.isEmpty)
    }

    @Test func tasksKnowTheLocalPropertiesOfWhoStartedTheirQuery() async throws {
        let context = try await MillraceContext.start(Conf(["millrace.master": "local[2]"]))
        let folder = TemporaryFolder()
        let seen = SeenBatches<String>()
        let query = try await context.withLocalProperty("who", "me") {
            try await context.readStream.rateMicroBatch(rowsPerBatch: 4)
                .map { _ in TaskContext.current?.localProperty("who") ?? "nobody" }
                .writeStream.checkpointLocation(folder.path)
                .foreachBatch { batch, id in seen.add(id, batch.rows) }.start()
        }
        // Enough batches for some of them to run under a grant.
        while query.isActive, seen.batches.count < 20 { await Task.yield() }
        await query.stop()
        #expect(query.exception == nil)
        #expect(Set(seen.rows) == ["me"])
        await context.stop()
    }

    @Test func oldFilesArePurged() async throws {
        let conf = try Conf(["millrace.streaming.minBatchesToRetain": "2"])
        let context = MillraceContext(runner: SerialJobRunner(), defaultParallelism: 2, conf: conf)
        let folder = TemporaryFolder()
        let query = try await context.readStream.rateMicroBatch(rowsPerBatch: 10)
            .groupByKey { $0.value % 3 }.count().writeStream.outputMode(.update)
            .checkpointLocation(folder.path).format("noop").start()
        func offsets() throws -> Int { try PosixFileSystem().list(folder.path + "/offsets").count }
        // Files are deleted beside the batches, as fast as the machine allows.
        var batch: Int { query.lastProgress?.batchId ?? 0 }
        while query.isActive, try batch < 70 || (offsets() >= 50 && batch < 10_000) {
            await Task.yield()
        }
        await query.stop()
        #expect(query.exception == nil)
        #expect(try offsets() < 50)
        let state = try PosixFileSystem().list(folder.path + "/state/0")
        #expect(state.count < 150)
    }
}
