import Glibc
import Millrace
import MillraceExecutor
import Testing

@testable import Millrace

/// Accumulators with a driver that retries, kills and runs batches again: threads as executors.
@Suite(.serialized) struct AccumulatorSessionTests {
    private func session(_ settings: [String: String] = [:]) async throws -> MillraceSession {
        try await MillraceSession.start(
            ["millrace.master": "local[2,4]", "millrace.log.level": "error"]
                .merging(settings) { $1 })
    }

    @Test("attempts that fail count only where that was asked for, in map and result stages")
    func failures() async throws {
        let session = try await session()
        let context = session.context
        let folder = TemporaryFolder()
        let exact = context.longAccumulator("exact")
        let all = context.longAccumulator("all", countFailedValues: true)
        let path = folder.path
        let sums = try await context.range(0, 40, 1, 4)
            .map { value -> (Int, Int) in
                exact.add(1)
                all.add(1)
                if value == 29 { try failOnce("\(path)/map") }
                return (value % 2, value)
            }
            .reduceByKey(numPartitions: 1, +)
            .map { row -> Int in
                exact.add(1000)
                all.add(1000)
                try failOnce("\(path)/reduce")
                return row.1
            }
            .collect()
        #expect(sums.reduce(0, +) == 780)
        #expect(exact.value == 2_040)
        #expect(exact.count == 42)
        // The failed map task had seen ten rows, the failed reduce task one.
        #expect(all.value == 3_050)
        let info = context.accumulators.first { $0.name == "exact" }
        #expect(info?.stages.map(\.value).sorted() == ["2000", "40"])
        await session.stop()
    }

    @Test("what running tasks have added so far can be seen, and counts once")
    func partial() async throws {
        let session = try await session(["millrace.executor.heartbeatInterval": "10ms"])
        let context = session.context
        let folder = TemporaryFolder()
        let rows = context.longAccumulator("rows")
        let words = context.collectionAccumulator("words", of: String.self)
        let gate = "\(folder.path)/gate"
        mkfifo(gate, 0o600)
        async let sum = context.range(0, 2, 1, 2)
            .map { value -> Int in
                rows.add(5)
                words.add("w\(value)")
                try waitForGate(gate)
                rows.add(1)
                return value
            }
            .collect()
        let deadline = ContinuousClock.now + .seconds(60)
        while rows.partialValue < 10 || words.partialValue.count < 2 {
            try #require(ContinuousClock.now < deadline, "no partial values came")
            await Task.yield()
        }
        #expect(rows.value == 0)
        #expect(words.partialValue.sorted() == ["w0", "w1"])
        let info = context.accumulators.first { $0.name == "rows" }
        #expect(info?.value == "0")
        #expect(info?.partialValue == "10")
        let opener = open(gate, O_RDWR)
        write(opener, "go", 2)
        #expect(try await sum == [0, 1])
        close(opener)
        #expect(rows.value == 12)
        #expect(rows.partialValue == 12)
        await session.stop()
    }

    @Test(
        "a batch that runs again after a crash counts once",
        arguments: [
            StreamingStep.beforeOffsets(2), .afterOffsets(2), .afterJob(2), .afterSinkCommit(2),
            .beforeCommit(2), .afterCommit(2), .beforeOffsets(0), .afterJob(0), .beforeCommit(0),
        ])
    func rerunBatch(step: StreamingStep) async throws {
        let session = try await session()
        let context = session.context
        let folder = TemporaryFolder()
        let stream = MemoryStream<String>(context)
        let words = context.longAccumulator("words")
        let groups = context.collectionAccumulator("groups", of: String.self)
        func start(_ step: StreamingStep?) async throws -> StreamingQuery {
            try await stream.toDS()
                .flatMap { line -> [String] in
                    let parts = line.split(separator: " ").map(String.init)
                    words.add(parts.count)
                    return parts
                }
                .groupByKey { $0 }.count()
                .map { row -> String in
                    groups.add(row.0)
                    return row.0
                }
                .writeStream.outputMode(.update).checkpointLocation(folder.path)
                .foreachBatch { _, _ in }.start(crashing: step)
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
        #expect(words.value == 10)
        let distinct = Set(groups.value)
        #expect(distinct == ["a", "b", "c", "d", "e", "f"])
        // A batch in which a word came gives it once; batches may have taken two lines.
        #expect(groups.value.count { $0 != "a" } == 5)
        await session.stop()
    }
}

/// Throws for the first caller that names the path.
private func failOnce(_ path: String) throws {
    let file = open(path, O_CREAT | O_EXCL, 0o600)
    guard file >= 0 else { return }
    close(file)
    throw MillraceError(.unavailable, "\(path) was not there")
}

/// Waits until somebody writes to the FIFO, or the task is killed; what it has added so far is told
/// meanwhile.
private func waitForGate(_ path: String) throws {
    let gate = open(path, O_RDONLY | O_NONBLOCK)
    defer { close(gate) }
    var watched = pollfd(fd: gate, events: Int16(POLLIN), revents: 0)
    var byte: UInt8 = 0
    repeat {
        try TaskContext.current?.killTaskIfInterrupted()
        poll(&watched, 1, 10)
    } while read(gate, &byte, 1) != 1
}
