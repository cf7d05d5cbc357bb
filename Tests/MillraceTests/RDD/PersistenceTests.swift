import Glibc
import Millrace
import Synchronization
import Testing

/// What is persisted is computed once; what is checkpointed forgets its past.
@Suite struct PersistenceTests {
    /// Counts how often rows were computed, across the encoding of closures.
    private enum Computed {
        static let rows = Mutex<[String: Int]>([:])
        static func note(_ name: String) { rows.withLock { $0[name, default: 0] += 1 } }
        static func count(_ name: String) -> Int { rows.withLock { $0[name] ?? 0 } }
    }

    static let levels: [StorageLevel] = [
        .memoryOnly, .memoryOnlySer, .memoryAndDisk, .memoryAndDiskSer, .diskOnly,
        .memoryOnly2, .diskOnly3,
    ]

    @Test("a persisted dataset is computed once, whatever its level", arguments: levels)
    func computedOnce(level: StorageLevel) async throws {
        let context = serialContext()
        // Two levels may be described in the same words.
        let name = "once \(Self.levels.firstIndex(of: level)!)"
        let rows = context.range(0, 5_000, 1, 3).map { value in
            Computed.note(name)
            return "row \(value)"
        }.persist(level)
        #expect(rows.storageLevel == level)
        let expected = (0..<5_000).map { "row \($0)" }
        #expect(try await rows.collect() == expected)
        #expect(try await rows.collect() == expected)
        #expect(try await rows.map(\.count).reduce(+) == expected.reduce(0) { $0 + $1.count })
        #expect(Computed.count(name) == 5_000)
        rows.unpersist()
        #expect(rows.storageLevel == .none)
        #expect(try await rows.count() == 5_000)
        #expect(Computed.count(name) == 10_000)
    }

    @Test("a dataset that is persisted after a job is kept from the next one on")
    func persistedLater() async throws {
        let context = serialContext()
        let rows = context.range(0, 100, 1, 3).map { value in
            Computed.note("later")
            return value
        }
        let sums = rows.map { ($0 % 3, $0) }.reduceByKey(+)
        #expect(try await rows.count() == 100)
        _ = try await sums.collect()
        rows.cache()
        _ = try await rows.count()
        let before = Computed.count("later")
        _ = try await rows.count()
        #expect(Computed.count("later") == before)
    }

    @Test("another level needs an unpersist first, and says so")
    func otherLevel() async throws {
        let rows = serialContext().range(10).cache().persist(.diskOnly)
        await #expect {
            try await rows.count()
        } throws: { error in
            "\(error)".contains("unpersist it before changing its level")
        }
        rows.unpersist()
        #expect(try await rows.persist(.diskOnly).count() == 10)
    }

    private final class Plain: Sendable {
        let value: Int
        init(_ value: Int) { self.value = value }
    }

    @Test("values that cannot become bytes stay in memory, and nowhere else")
    func notCodable() async throws {
        let context = serialContext()
        let values = context.range(0, 10, 1, 2).map { Plain($0) }.cache()
        #expect(try await values.map(\.value).collect() == Array(0..<10))
        #expect(try await values.map(\.value).collect() == Array(0..<10))
        let bytes = context.range(0, 10, 1, 2).map { Plain($0) }.persist(.memoryOnlySer)
        await #expect {
            try await bytes.map(\.value).collect()
        } throws: { ($0 as? MillraceError)?.code == .notSerializable }
    }

    @Test("a checkpoint is read instead of computed, and the past is forgotten")
    func checkpoint() async throws {
        let folder = TemporaryFolder()
        let context = serialContext()
        try context.setCheckpointDir(folder.path)
        let parent = context.range(0, 2_000, 1, 4).map { ($0 % 7, $0) }.reduceByKey(+)
        let sums = parent.map { row in
            Computed.note("checkpoint")
            return row.1
        }
        try sums.checkpoint()
        #expect(!sums.isCheckpointed)
        let expected = try await sums.collect().sorted()
        #expect(sums.isCheckpointed)
        let file = try #require(sums.checkpointFile)
        #expect(file.hasPrefix(folder.path))
        // Once for the job, once for the files.
        #expect(Computed.count("checkpoint") == 14)
        #expect(sums.node.dependencies.isEmpty)
        #expect(try await sums.collect().sorted() == expected)
        #expect(try await sums.map { $0 * 2 }.collect().sorted() == expected.map { $0 * 2 })
        #expect(Computed.count("checkpoint") == 14)
    }

    @Test("a checkpoint of a persisted dataset computes nothing twice")
    func checkpointOfPersisted() async throws {
        let folder = TemporaryFolder()
        let context = serialContext()
        try context.setCheckpointDir(folder.path)
        let rows = context.range(0, 50, 1, 2).map { value in
            Computed.note("both")
            return value
        }.cache()
        try rows.checkpoint()
        #expect(try await rows.count() == 50)
        #expect(rows.isCheckpointed)
        #expect(Computed.count("both") == 50)
        rows.unpersist()
        #expect(try await rows.collect() == Array(0..<50))
        #expect(Computed.count("both") == 50)
    }

    @Test("a damaged checkpoint is noticed and named")
    func damagedCheckpoint() async throws {
        let folder = TemporaryFolder()
        let context = serialContext()
        try context.setCheckpointDir(folder.path)
        let rows = context.range(0, 50, 1, 1)
        try rows.checkpoint()
        _ = try await rows.count()
        let path = try #require(rows.checkpointFile) + "/part-00000"
        let file = open(path, O_RDWR)
        var byte: UInt8 = 0
        pread(file, &byte, 1, 20)
        byte ^= 0x10
        pwrite(file, &byte, 1, 20)
        close(file)
        await #expect {
            try await rows.collect()
        } throws: { "\($0)".contains(path) }
    }

    @Test("a local checkpoint keeps blocks and forgets the past")
    func localCheckpoint() async throws {
        let rows = serialContext().range(0, 100, 1, 3).map { value in
            Computed.note("local")
            return value
        }.localCheckpoint()
        #expect(rows.storageLevel == .memoryAndDisk)
        #expect(try await rows.count() == 100)
        #expect(rows.isCheckpointed)
        #expect(rows.node.dependencies.isEmpty)
        #expect(try await rows.collect() == Array(0..<100))
        #expect(Computed.count("local") == 100)
        rows.unpersist()
        await #expect {
            try await rows.count()
        } throws: { "\($0)".contains("checkpoint block rdd_") }
    }

    @Test("a checkpoint needs a folder")
    func noFolder() async throws {
        let rows = serialContext().range(10)
        #expect {
            try rows.checkpoint()
        } throws: { "\($0)".contains("setCheckpointDir") }
    }
}
