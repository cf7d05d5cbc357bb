import Glibc
import MillraceBase
import MillraceCore
import MillraceStore
import MillraceWire
import Synchronization
import Testing

@testable import MillraceExecutor

/// What is kept, dropped and moved to disk when memory is short.
@Suite final class BlockManagerTests {
    private let folder: String
    private let memory = MemoryManager(
        limit: MemoryLimit(bytes: 8 << 20, source: .setting), total: 4 << 20,
        storageRegion: 2 << 20)
    private final class Reports: Sendable {
        let list = Mutex<[BlockStatus]>([])
    }
    private let reports = Reports()
    private let task = TaskContext(partition: 0, shuffle: NoShuffle())
    private lazy var manager = BlockManager(memory: memory, folder: folder) { [reports] report in
        if case .block(let status) = report { reports.list.withLock { $0.append(status) } }
    }

    init() {
        var template = Array("/tmp/block-manager-XXXXXX\0".utf8)
        folder = template.withUnsafeMutableBytes {
            String(cString: mkdtemp($0.baseAddress!.assumingMemoryBound(to: CChar.self))!)
        }
    }

    deinit { try? PosixFileSystem().deleteTree(folder) }

    private final class NoShuffle: ShuffleEnvironment {
        let compression: CompressionCodec? = nil
        let spills: SpillFolder? = nil
        func blocks(shuffleInput: Int, reduce: Int) throws -> any ShuffleBlocks {
            throw PlanError("no shuffle")
        }
        func mapOutputWriter(reducers: Int, memory: TaskMemory) throws -> any MapOutputWriter {
            throw PlanError("no shuffle")
        }
    }

    /// Computes or reads a partition of 8-byte rows; says how many were computed.
    private func rows(
        _ rdd: Int, _ partition: Int, count: Int, _ level: StorageLevel
    ) throws -> (rows: [Int], computed: Bool) {
        var isComputed = false
        let blocks = TaskBlocks(manager: manager, persisted: [])
        let cursor = try blocks.rows(
            PersistedRDD(rdd: RDDID(rdd), level: level), partition: partition, task: task
        ) { () -> Cursor<Int> in
            isComputed = true
            var next = 0
            return PullCursor { chunk in
                guard next < count else { return false }
                for row in next..<min(next + 1024, count) { chunk.append(Self.row(row)) }
                next += 1024
                return true
            }
        }
        return (try cursor.all().takeArray(), isComputed)
    }

    private static let mebibyte = (1 << 20) / 8

    /// Numbers that take 8 bytes in any form.
    private static func row(_ number: Int) -> Int { number &* 0x1E37_79B9_7F4A_7C15 }
    private static let expected = (0..<mebibyte).map(row)

    @Test("the least recently used block of another dataset goes first")
    func leastRecentlyUsed() throws {
        for rdd in 1...3 { _ = try rows(rdd, 0, count: Self.mebibyte, .memoryOnly) }
        _ = try rows(1, 0, count: Self.mebibyte, .memoryOnly)
        _ = try rows(4, 0, count: Self.mebibyte, .memoryOnly)
        #expect(manager.memoryStore.size(RDDBlockID(rdd: RDDID(2), partition: 0)) == nil)
        for rdd in [1, 3, 4] {
            #expect(try !rows(rdd, 0, count: Self.mebibyte, .memoryOnly).computed)
        }
        let dropped = reports.list.withLock { $0 }.filter { !$0.isStored }
        #expect(dropped.map(\.rdd) == [RDDID(2)])
    }

    @Test("a dataset does not evict its own blocks: what does not fit is not kept")
    func sameDatasetStays() throws {
        for partition in 0..<5 {
            let read = try rows(1, partition, count: Self.mebibyte, .memoryOnly)
            #expect(read.rows == Self.expected)
        }
        let kept = (0..<5).filter {
            manager.memoryStore.size(RDDBlockID(rdd: RDDID(1), partition: $0)) != nil
        }
        #expect(kept == [0, 1, 2])
        #expect(try rows(1, 4, count: Self.mebibyte, .memoryOnly).computed)
        #expect(memory.storageUsed < 4 << 20)
    }

    @Test(
        "what is evicted from memory goes to disk, and what never fits goes there at once",
        arguments: [StorageLevel.memoryAndDisk, .memoryAndDiskSer])
    func toDisk(level: StorageLevel) throws {
        for partition in 0..<6 {
            #expect(
                try rows(1, partition, count: Self.mebibyte, level).rows.count == Self.mebibyte)
        }
        _ = try rows(2, 0, count: 2 * Self.mebibyte, level)
        for partition in 0..<6 {
            let read = try rows(1, partition, count: Self.mebibyte, level)
            #expect(!read.computed)
            #expect(read.rows == Self.expected)
        }
        let onDisk = manager.diskStore.blocks(of: RDDID(1))
        #expect(onDisk.count >= 3)
        manager.refuse([RDDID(1), RDDID(2)])
        manager.remove(RDDID(1))
        manager.remove(RDDID(2))
        #expect(try PosixFileSystem().namesIfPresent(in: folder).isEmpty)
        #expect(memory.storageUsed == 0)
        #expect(memory.ledger().entries.isEmpty)
    }

    @Test("a block that is read is not evicted; execution gets the others")
    func readersHoldBlocks() throws {
        for rdd in 1...3 { _ = try rows(rdd, 0, count: Self.mebibyte, .memoryOnly) }
        let reader = try #require(
            try manager.rows(RDDBlockID(rdd: RDDID(1), partition: 0), of: Int.self, task: task))
        let task = TaskMemory(manager: memory, task: TaskID(1))
        let granted = try task.consumer("sort").acquire(4 << 20)
        #expect(granted >= 2 << 20)
        #expect(manager.memoryStore.size(RDDBlockID(rdd: RDDID(1), partition: 0)) != nil)
        #expect(try reader.all().count == Self.mebibyte)
        task.end()
    }

    @Test("a damaged file fails the reader once and is computed again")
    func damaged() throws {
        _ = try rows(1, 0, count: 5000, .diskOnly)
        let path = manager.diskStore.path(RDDBlockID(rdd: RDDID(1), partition: 0))
        let file = open(path, O_RDWR)
        var byte: UInt8 = 0
        pread(file, &byte, 1, 1000)
        byte ^= 1
        pwrite(file, &byte, 1, 1000)
        close(file)
        #expect(throws: MillraceError.self) { try self.rows(1, 0, count: 5000, .diskOnly) }
        #expect(try rows(1, 0, count: 5000, .diskOnly).computed)
        #expect(try !rows(1, 0, count: 5000, .diskOnly).computed)
    }

    @Test(
        "a task that computes what was unpersisted meanwhile leaves nothing behind",
        arguments: [StorageLevel.memoryOnly, .memoryOnlySer, .diskOnly])
    func unpersistedMeanwhile(level: StorageLevel) throws {
        manager.refuse([RDDID(1)])
        #expect(try rows(1, 0, count: 5000, level).rows.count == 5000)
        #expect(manager.diskStore.blocks(of: RDDID(1)).isEmpty)
        #expect(memory.storageUsed == 0)
        manager.expect([RDDID(1)])
        _ = try rows(1, 0, count: 5000, level)
        #expect(try !rows(1, 0, count: 5000, level).computed)
    }

    @Test("a failing computation gives back what it reserved")
    func failing() throws {
        let blocks = TaskBlocks(manager: manager, persisted: [])
        #expect(throws: PlanError.self) {
            _ = try blocks.rows(
                PersistedRDD(rdd: RDDID(1), level: .memoryAndDisk), partition: 0, task: self.task
            ) { () -> Cursor<Int> in
                var left = 100
                return PullCursor { chunk in
                    left -= 1
                    if left == 0 { throw PlanError("row 7 is bad") }
                    chunk.append(contentsOf: 0..<1024)
                    return true
                }
            }.all()
        }
        #expect(memory.storageUsed == 0)
        #expect(memory.ledger().entries.isEmpty)
    }

    @Test("another executor's block is kept as bytes and read as rows")
    func adopted() throws {
        let block = RDDBlockID(rdd: RDDID(1), partition: 0)
        let codec = try RowCodec<String>()
        let frames = try (0..<10).map { try BlockFrames.frame(["a\($0)", "b"], codec) }
        let bytes = Array(frames.joined())
        try manager.adopt(block, level: .memoryOnly2) { try BlockFrames.split(bytes, of: block) }
        let rows = try #require(try manager.rows(block, of: String.self, task: task)).all()
            .takeArray()
        #expect(rows == (0..<10).flatMap { ["a\($0)", "b"] })
        for cut in [1, 7, 8, 30, bytes.count - 1] {
            #expect(throws: MillraceError.self) {
                _ = try BlockFrames.split(Array(bytes[..<cut]), of: block)
            }
        }
    }
}
