import MillraceBase
import MillraceCore
import MillraceStore
import MillraceWire
import Testing

@testable import MillraceExecutor

/// Who is to blame for a block that cannot be opened.
@Suite struct BlockDiagnosisTests {
    private let owner = ExecutorID(1)

    @Test("a file that is not what was written is the disk's, one that is, the way's")
    func decision() {
        let intact = BlockChecksums(written: 7, now: 7)
        let changed = BlockChecksums(written: 7, now: 8)
        #expect(BlockDamage(of: owner, changed, received: nil) == .onDisk(owner))
        // The disk changed since it was read, or not: it cannot be trusted.
        #expect(BlockDamage(of: owner, changed, received: 7) == .onDisk(owner))
        #expect(BlockDamage(of: owner, intact, received: nil) == .onItsWay(owner))
        #expect(BlockDamage(of: owner, intact, received: 9) == .onItsWay(owner))
        #expect(BlockDamage(of: owner, intact, received: 7) == .beforeWritten(owner))
        #expect(BlockDamage(of: owner, nil, received: nil) == .inMemory(owner))
    }

    /// What the reader of a damaged block says, whose owner answers with these checksums.
    private func message(
        _ sums: (UInt32, UInt32)?, large: Bool = false
    ) throws -> String {
        var block = BlockFrame.pack([UInt8](repeating: 1, count: 10_000), nil)
        block[5_000] ^= 4
        let task = try FetchingTask([block], maxBlockInMemory: large ? 1 : 1 << 20)
        task.peer.sums = sums.map { (written: $0.0, now: $0.1) }
        let cursor = ShuffleReadCursor<Int>(
            blocks: task.blocks(), codec: try RowCodec(), task: task.context)
        let failure = #expect(throws: FetchFailure.self) {
            try task.run { _ = try cursor.next(into: RowBuffer()) }
        }
        #expect(failure?.executor == owner && failure?.mapIndex == 0)
        return try #require(failure).message
    }

    @Test("the reader of a damaged block says where it was damaged", arguments: [true, false])
    func readers(large: Bool) throws {
        let onItsWay = try message((7, 7), large: large)
        #expect(
            onItsWay.hasPrefix(
                "shuffle_3_0_0 was damaged on its way, in the network or in memory: the file of "
                    + "executor 1 is as it was written ("), "\(onItsWay)")
        let onDisk = try message((7, 8), large: large)
        #expect(
            onDisk.hasPrefix(
                "shuffle_3_0_0 was damaged on the disk of executor 1: its file is not what was "
                    + "written ("), "\(onDisk)")
        let gone = try message(nil, large: large)
        #expect(
            gone.hasPrefix(
                "shuffle_3_0_0 was damaged somewhere: executor 1 cannot say where (executor 1 is "
                    + "gone)"), "\(gone)")
    }

    @Test("an owner tells a file that was changed from one that was not")
    func owners() throws {
        let folder = TemporaryTestFolder()
        let files = try ShuffleFiles(PosixFileSystem(), folder: folder.path)
        let store = MapOutputStore(
            files: files, largestInMemory: 0, memoryBudget: 0, memory: .unlimited())
        let block = BlockID(shuffle: ShuffleID(3), mapTask: TaskID(8), reduce: 1)
        let writer = try StoredMapOutput(
            store: store, shuffle: block.shuffle, task: block.mapTask, reducers: 2,
            memory: .unlimited())
        for reduce in 0..<2 { try writer.append([1, 2, 3, 4], reduce: reduce) }
        _ = try writer.commit()
        let diagnosis = BlockDiagnosis(store: store, fetcher: NoBlockFetcher())
        defer { diagnosis.stop() }
        func damage() -> BlockDamage { diagnosis.damage(of: block, from: owner, isOwn: true) }
        #expect(damage() == .onItsWay(owner))
        // Of the other reduce partition: not this block's damage.
        try flip(files.dataPath(block.shuffle, block.mapTask), 0)
        #expect(damage() == .onItsWay(owner))
        try flip(files.dataPath(block.shuffle, block.mapTask), 5)
        #expect(damage() == .onDisk(owner))
    }

    private func flip(_ path: String, _ index: Int) throws {
        var bytes = try PosixFileSystem().read(path)
        bytes[index] ^= 1
        try PosixFileSystem().create(path, exclusively: false).write(bytes)
    }
}
