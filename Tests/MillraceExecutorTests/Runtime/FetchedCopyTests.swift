import MillraceBase
import MillraceCore
import MillraceStore
import Testing

@testable import MillraceExecutor

/// Blocks above `maxRemoteBlockSizeFetchToMem`: in a file while they are read, and never whole in
/// memory.
@Suite struct FetchedCopyTests {
    /// About so many bytes of frames, which do not shrink.
    private static func frames(_ bytes: Int, _ cipher: BlockCipher? = nil) -> [UInt8] {
        var random = SplitMix64(seed: 3)
        var block: [UInt8] = []
        while block.count < bytes {
            let raw = (0..<5_000).flatMap { _ in
                withUnsafeBytes(of: random.next()) { Array($0) }
            }
            block += BlockFrame.pack(raw, nil, cipher)
        }
        return block
    }

    private func read(_ blocks: FetchedBlocks, _ meanwhile: () -> Void = {}) throws -> [UInt8] {
        var found: [UInt8] = []
        while let piece = try blocks.next() {
            found += piece
            meanwhile()
        }
        return found
    }

    @Test("such a block is put into a file, read from there in pieces, and the file is removed")
    func throughAFile() throws {
        let block = Self.frames(6 << 20)
        let task = try FetchingTask([block], maxBlockInMemory: 1 << 20)
        try task.run {
            let blocks = task.blocks()
            var pieces = 0
            var files: Set<Int> = []
            let found = try read(blocks) {
                pieces += 1
                files.insert(task.files.count)
            }
            #expect(found == block && pieces > 10)
            #expect(files == [1])
            #expect(task.files == [], "the file is removed when its block is read")
            // A part that is written, and one on its way.
            let entry = task.memory.ledger().entries.first { $0.name == "fetched blocks" }
            let peak = try #require(entry?.peak)
            #expect(peak <= max(2 * task.runtime.pieceSize, MemoryConsumer.page), "\(peak)")
        }
        #expect(task.peer.requests.allSatisfy { $0.part?.count == task.runtime.pieceSize })
        #expect(task.memory.executionUsed == 0)
    }

    @Test("smaller ones are fetched whole, into memory")
    func smallerOnes() throws {
        let block = Self.frames(1 << 20)
        let task = try FetchingTask([block, block], maxBlockInMemory: 2 << 20)
        try task.run {
            let found = try read(task.blocks()) { #expect(task.files == []) }
            #expect(found == block + block)
        }
        #expect(task.peer.requests.allSatisfy { $0.part == nil })
    }

    @Test("a block of exactly so many parts is whole", arguments: [0, 1, -1])
    func boundary(more: Int) throws {
        let piece = try FetchingTask([], maxBlockInMemory: 1).runtime.pieceSize
        let raw = [UInt8](repeating: 7, count: 4 * piece + more - BlockFrame.headerSize)
        let block = BlockFrame.pack(raw, nil)
        #expect(block.count == 4 * piece + more)
        let task = try FetchingTask([block], maxBlockInMemory: 1 << 10)
        let found = try task.run { try read(task.blocks()) }
        #expect(found == block)
    }

    @Test("what is in the file is what was sent: encrypted, when the application's files are")
    func encrypted() throws {
        let key = BlockCipher.makeKey(bits: 128)
        let block = Self.frames(3 << 20, BlockCipher(key: key))
        let task = try FetchingTask([block], maxBlockInMemory: 1 << 20)
        try task.run {
            let blocks = task.blocks()
            _ = try blocks.next()
            let copy = try #require(task.files.first)
            #expect(try PosixFileSystem().read(task.path(copy)) == block)
        }
    }

    // MARK: Tasks that end otherwise

    @Test("a task that is killed in the middle leaves no file and no reservation")
    func killed() throws {
        let task = try FetchingTask([Self.frames(6 << 20)], maxBlockInMemory: 1 << 20)
        task.peer.beforePart = { [unowned task] part in
            guard part.lowerBound > 2 << 20 else { return }
            #expect(task.files.count == 1)
            task.context.kill(reason: "not wanted")
        }
        #expect(throws: TaskKilled(reason: "not wanted")) {
            try task.run { _ = try task.blocks().next() }
        }
        #expect(task.files == [] && task.memory.executionUsed == 0)
    }

    @Test("a task that ends between two pieces leaves no file and no reservation")
    func failed() throws {
        let task = try FetchingTask([Self.frames(6 << 20)], maxBlockInMemory: 1 << 20)
        try task.run {
            let blocks = task.blocks()
            _ = try blocks.next()
            #expect(task.files.count == 1)
        }
        #expect(task.files == [] && task.memory.executionUsed == 0)
    }

    @Test("an owner that goes in the middle is a failed fetch, and the file is removed")
    func ownerGoes() throws {
        let task = try FetchingTask([Self.frames(6 << 20)], maxBlockInMemory: 1 << 20)
        task.peer.beforePart = { part in
            guard part.lowerBound > 2 << 20 else { return }
            throw BlockFetchError(index: 0, message: "executor 1 is gone")
        }
        let error = #expect(throws: FetchFailure.self) {
            try task.run { _ = try task.blocks().next() }
        }
        #expect(error?.message == "executor 1 is gone" && error?.executor == ExecutorID(1))
        #expect(task.files == [] && task.memory.executionUsed == 0)
    }

    @Test("a disk that is full in the middle is said so, and what was written is removed")
    func fullDisk() throws {
        let task = try FetchingTask(
            [Self.frames(6 << 20)], maxBlockInMemory: 1 << 20,
            fileSystem: SmallDisk(room: 2_000_000))
        let error = #expect(throws: LocalDiskFull.self) {
            try task.run { _ = try task.blocks().next() }
        }
        let text = try #require(error).description
        #expect(
            text.contains("for a copy of shuffle_3_0_0, which is too large for memory: 6"),
            "\(text)")
        #expect(text.contains("set millrace.local.dir to a folder on a larger disk"))
        #expect(task.files == [] && task.memory.executionUsed == 0)
    }

    @Test("a copy that this disk damages is the fault of this executor and not of the owner")
    func damagedHere() throws {
        let task = try FetchingTask([Self.frames(6 << 20)], maxBlockInMemory: 1 << 20)
        try task.run {
            let blocks = task.blocks()
            _ = try blocks.next()
            let path = task.path(try #require(task.files.first))
            var bytes = try PosixFileSystem().read(path)
            bytes[5_000_000] ^= 1
            let file = try PosixFileSystem().create(path, exclusively: false)
            try file.write(bytes)
            let error = blocks.damaged(ByteError(offset: 1, reason: "no frame"))
            let damage = try #require(error as? LocalDiskDamaged)
            #expect(damage.description.contains("the disk of executor 0 damages files in"))
            #expect(damage.description.contains("shuffle_3_0_0 is not what arrived here"))
        }
    }
}
