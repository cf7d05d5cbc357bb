import MillraceBase
import MillraceStore
import MillraceWire
import Testing

@testable import MillraceExecutor

/// What a map task wrote, in memory, in a file or through spills, is what its readers get.
@Suite struct MapOutputTests {
    private let folder = TemporaryTestFolder()
    private let shuffle = ShuffleID(3)
    private let task = TaskID(8)

    private func store(largestInMemory: Int) throws -> MapOutputStore {
        MapOutputStore(
            files: try ShuffleFiles(PosixFileSystem(), folder: folder.path),
            largestInMemory: largestInMemory, memoryBudget: 1 << 30, memory: .unlimited())
    }

    private func bytes(_ store: MapOutputStore, _ reduce: Int) throws -> [UInt8] {
        switch try store.block(shuffle: shuffle, task: task, reduce: reduce) {
        case .memory(let bytes): return bytes
        case .file(let file, let partition): return try file.read(partition)
        case nil:
            Issue.record("no output")
            return []
        }
    }

    private static let limits = [
        (memory: 1 << 30, kept: 1 << 30, spills: false), (1 << 30, 0, false), (2 << 20, 0, true),
    ]

    @Test(
        "what fits is kept, what does not is spilled, and the blocks are the same", arguments: 0..<3
    )
    func blocks(limit: Int) throws {
        let (memory, kept, spills) = Self.limits[limit]
        let store = try store(largestInMemory: kept)
        let manager = MemoryManager(
            limit: MemoryLimit(bytes: memory, source: .setting), total: memory, storageRegion: 0)
        let taskMemory = TaskMemory(manager: manager, task: task)
        let writer = try StoredMapOutput(
            store: store, shuffle: shuffle, task: task, reducers: 5, memory: taskMemory)
        var random = SplitMix64(seed: 1)
        var expected = [[UInt8]](repeating: [], count: 5)
        for _ in 0..<300 {
            let piece = (0..<Int.random(in: 1...60_000, using: &random)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            let reduce = [0, 1, 3, 4].randomElement(using: &random)!
            expected[reduce] += piece
            try writer.append(piece, reduce: reduce)
        }
        #expect(folder.names.isEmpty == !spills)
        #expect(try writer.commit() == expected.map { UInt64($0.count) })
        for reduce in 0..<5 where !expected[reduce].isEmpty {
            #expect(try bytes(store, reduce) == expected[reduce])
        }
        #expect(manager.executionUsed == 0, "the memory was not given back")
        #expect(folder.names.count == (kept > 0 ? 0 : 2), "spills are left: \(folder.names)")
    }

    @Test("a task that gives up leaves neither files nor reservations")
    func abort() throws {
        let manager = MemoryManager(
            limit: MemoryLimit(bytes: 1 << 20, source: .setting), total: 1 << 20, storageRegion: 0)
        let writer = try StoredMapOutput(
            store: try store(largestInMemory: 0), shuffle: shuffle, task: task, reducers: 2,
            memory: TaskMemory(manager: manager, task: task))
        for _ in 0..<40 { try writer.append([UInt8](repeating: 1, count: 100_000), reduce: 1) }
        #expect(!folder.names.isEmpty)
        writer.abort()
        #expect(folder.names.isEmpty && manager.executionUsed == 0)
    }

    @Test("every byte of a shuffle file flipped in turn is noticed, and nothing else is read")
    func flippedBytes() throws {
        let store = try store(largestInMemory: 0)
        let writer = try StoredMapOutput(
            store: store, shuffle: shuffle, task: task, reducers: 2, memory: .unlimited())
        let codec = try RowCodec<(Int, String)>()
        for reduce in 0..<2 {
            let rows = (0..<40).map { ($0 * 7, "row \($0 % 5) of reducer \(reduce)") }
            try writer.append(BlockFrame.pack(codec.bytes(of: rows), .lz4), reduce: reduce)
        }
        _ = try writer.commit()
        let files = try ShuffleFiles(PosixFileSystem(), folder: folder.path)
        for path in [files.dataPath(shuffle, task), files.indexPath(shuffle, task)] {
            let whole = try PosixFileSystem().read(path)
            for index in whole.indices {
                var damaged = whole
                damaged[index] ^= 0x10
                try overwrite(path, damaged)
                #expect(throws: (any Error).self, "byte \(index) of \(path)") {
                    let file = try files.open(shuffle, task)
                    for reduce in 0..<2 { _ = try file.read(reduce) }
                }
                // A peer gets the bytes without the file's checksum; the frame's own must hold.
                #expect(throws: (any Error).self, "byte \(index) of \(path), sent") {
                    let file = try files.open(shuffle, task)
                    for segment in file.segments {
                        let sent = try PosixFileSystem().open(segment.path)
                            .read(at: segment.offset, count: segment.length)
                        var position = 0
                        _ = try BlockFrame.unpack(sent, at: &position)
                    }
                }
            }
            try overwrite(path, whole)
        }
        #expect(try files.open(shuffle, task).read(1) == bytes(store, 1))
    }

    private func overwrite(_ path: String, _ bytes: [UInt8]) throws {
        let file = try PosixFileSystem().create(path, exclusively: false)
        try file.write(bytes)
        try file.close()
    }

    @Test("pieces that do not shrink are not tried each time; those that do come back smaller")
    func incompressible() throws {
        var compression = FrameCompression(.lz4, nil)
        var random = SplitMix64(seed: 3)
        let noise = (0..<20_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let text = [UInt8](repeating: 7, count: 20_000)
        for _ in 0..<100 {
            var position = 0
            #expect(try BlockFrame.unpack(compression.pack(noise), at: &position) == noise)
        }
        let sizes = (0..<100).map { _ in compression.pack(text).count }
        #expect(sizes.last! < 1000, "it never tried again")
    }

    @Test(
        "an output of a shuffle that was removed while it was written is not kept",
        arguments: [0, 1 << 30])
    func removedMeanwhile(largestInMemory: Int) throws {
        let memory = MemoryManager(
            limit: MemoryLimit(bytes: 1 << 30, source: .setting), total: 1 << 30, storageRegion: 0)
        let store = MapOutputStore(
            files: try ShuffleFiles(PosixFileSystem(), folder: folder.path),
            largestInMemory: largestInMemory, memoryBudget: 1 << 30, memory: memory)
        let taskMemory = TaskMemory(manager: memory, task: task)
        do {
            let late = try StoredMapOutput(
                store: store, shuffle: shuffle, task: task, reducers: 1, memory: taskMemory)
            try late.append([1, 2, 3], reduce: 0)
            store.remove(shuffle)
            _ = try late.commit()
        }
        #expect(try store.block(shuffle: shuffle, task: task, reduce: 0) == nil)
        #expect(folder.names.isEmpty)
        #expect(memory.storageUsed == 0)
        // By then it is over: an output that is begun later is kept.
        let next = try StoredMapOutput(
            store: store, shuffle: shuffle, task: TaskID(9), reducers: 1, memory: taskMemory)
        try next.append([4], reduce: 0)
        _ = try next.commit()
        #expect(try store.block(shuffle: shuffle, task: TaskID(9), reduce: 0) != nil)
    }
}
