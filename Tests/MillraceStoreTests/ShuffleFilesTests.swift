import MillraceBase
import Testing

@testable import MillraceStore

@Suite struct ShuffleFilesTests {
    let folder = TemporaryFolder()
    let shuffle = ShuffleID(3)
    let map = TaskID(14)

    func files() throws -> ShuffleFiles {
        try ShuffleFiles(folder.fileSystem, folder: folder("shuffle"))
    }

    @Test func segmentsAreReadAsTheyWereWritten() throws {
        let files = try files()
        let writer = try files.write(shuffle, map, partitions: 5)
        try writer.append(1, [1, 2])
        try writer.append(1, [3])
        try writer.append(3, [UInt8](repeating: 9, count: 100_000))
        let written = try writer.commit()
        let opened = try files.open(shuffle, map)
        #expect(written.segments == opened.segments)
        #expect(opened.segments.map(\.length) == [0, 3, 0, 100_000, 0])
        #expect(opened.segments[3].offset == 3)
        #expect(opened.segments[3].path == folder("shuffle/shuffle_3_14.data"))
        #expect(opened.size == 100_003)
        #expect(try opened.read(0) == [])
        #expect(try opened.read(1) == [1, 2, 3])
        #expect(try opened.read(3).count == 100_000)
        #expect(try folder.names("shuffle") == ["shuffle_3_14.data", "shuffle_3_14.index"])
    }

    @Test func theIndexIsOffsetsThenChecksums() throws {
        let writer = try files().write(shuffle, map, partitions: 2)
        try writer.append(0, Array("123456789".utf8))
        _ = try writer.commit()
        var expected = ByteWriter()
        for offset in [0, 9, 9] { expected.writeFixed(Int64(offset)) }
        expected.writeFixed(0xE306_9283 as UInt32)
        expected.writeFixed(0 as UInt32)
        expected.writeFixed(CRC32C.checksum(expected.bytes))
        #expect(try folder.read("shuffle/shuffle_3_14.index") == expected.bytes)
    }

    @Test func anEmptyMapOutputIsAFileToo() throws {
        _ = try files().write(shuffle, map, partitions: 3).commit()
        let opened = try files().open(shuffle, map)
        #expect(opened.segments.count == 3)
        #expect(try opened.read(2) == [])
    }

    @Test func theFirstWholeAttemptStays() throws {
        let files = try files()
        let first = try files.write(shuffle, map, partitions: 2)
        let second = try files.write(shuffle, map, partitions: 2)
        try first.append(0, [1])
        try second.append(1, [2, 3])
        _ = try first.commit()
        #expect(try second.commit().segments.map(\.length) == [1, 0])
        #expect(try files.open(shuffle, map).read(0) == [1])
        #expect(try folder.names("shuffle").count == 2)
    }

    @Test func anAttemptBesideATornPairReplacesIt() throws {
        let files = try files()
        try folder.write("shuffle/shuffle_3_14.data", [9, 9, 9])
        #expect(storeError { _ = try files.open(shuffle, map) }?.kind == .notFound)
        try folder.write("shuffle/shuffle_3_14.index", [0, 0])
        #expect(storeError { _ = try files.open(shuffle, map) }?.isCorrupt == true)
        let writer = try files.write(shuffle, map, partitions: 1)
        try writer.append(0, [5])
        _ = try writer.commit()
        #expect(try files.open(shuffle, map).read(0) == [5])
    }

    @Test func everyFlippedByteIsDetected() throws {
        let files = try files()
        let writer = try files.write(shuffle, map, partitions: 3)
        for partition in 0..<3 { try writer.append(partition, [1, 2, 3, UInt8(partition)]) }
        _ = try writer.commit()
        for name in ["shuffle/shuffle_3_14.data", "shuffle/shuffle_3_14.index"] {
            let bytes = try folder.read(name)
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] ^= 0x10
                try folder.write(name, damaged)
                let error = storeError {
                    let file = try files.open(shuffle, map)
                    for partition in 0..<3 { _ = try file.read(partition) }
                }
                #expect(error?.isCorrupt == true)
            }
            for size in 0..<bytes.count {
                try folder.write(name, Array(bytes[..<size]))
                #expect(storeError { _ = try files.open(shuffle, map) }?.isCorrupt == true)
            }
            try folder.write(name, bytes)
        }
    }

    @Test func randomIndexesNeverTrap() throws {
        var generator = SplitMix64(seed: 2)
        for _ in 0..<2000 {
            var bytes = (0..<Int.random(in: 0..<8, using: &generator)).flatMap { _ in
                (0..<12).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
            bytes = Array(bytes.dropLast(bytes.isEmpty ? 0 : 4))
            let checksum = CRC32C.checksum(bytes)
            withUnsafeBytes(of: checksum.littleEndian) { bytes += $0 }
            _ = storeError { _ = try ShuffleIndex(decoding: bytes, path: "x") }
        }
    }

    @Test func whatIsNotCommittedIsGone() throws {
        let files = try files()
        do {
            let writer = try files.write(shuffle, map, partitions: 1)
            try writer.append(0, [UInt8](repeating: 1, count: 1 << 20))
        }
        #expect(try folder.names("shuffle") == [])
        let writer = try files.write(shuffle, map, partitions: 1)
        writer.abort()
        writer.abort()
        #expect(try folder.names("shuffle") == [])
    }

    @Test func aShuffleIsDeletedWhole() throws {
        let files = try files()
        for shuffle in [3, 33] {
            for map in 0..<3 {
                _ = try files.write(ShuffleID(shuffle), TaskID(map), partitions: 1).commit()
            }
        }
        let open = try files.write(shuffle, map, partitions: 1)
        #expect(try files.delete(shuffle))
        #expect(try !files.delete(shuffle))
        #expect(try folder.names("shuffle").count == 6)
        withExtendedLifetime(open) {}
    }
}

@Suite struct LZ4Tests {
    private func noise(_ count: Int) -> [UInt8] {
        var generator = SplitMix64(seed: UInt64(count))
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    @Test func blocksComeBack() throws {
        for raw in [
            [], [7], noise(3), noise(70_000), [UInt8](repeating: 3, count: 1 << 20),
            Array(String(repeating: "the quick brown fox ", count: 99).utf8),
        ] {
            #expect(try LZ4.decompress(LZ4.compress(raw)) == raw)
        }
        #expect(LZ4.compress([UInt8](repeating: 3, count: 1 << 20)).count < 8192)
        #expect(LZ4.compress(noise(1000)).count == 1000 + LZ4.headerSize)
    }

    @Test func blocksLieOneBehindTheOther() throws {
        var bytes: [UInt8] = []
        let parts = [noise(10), [], [UInt8](repeating: 1, count: 500)]
        for part in parts { part.withUnsafeBytes { LZ4.appendBlock($0, to: &bytes) } }
        var position = 0
        for part in parts { #expect(try LZ4.readBlock(bytes, at: &position) == part) }
        #expect(position == bytes.count)
        #expect(throws: ByteError.self) { try LZ4.readBlock(bytes, at: &position) }
    }

    @Test func aBlockFillsExactlyTheRoomGiven() throws {
        for raw in [[], noise(1000), [UInt8](repeating: 3, count: 1000)] {
            let block = LZ4.compress(raw)
            var room = [UInt8](repeating: 0xEE, count: raw.count)
            try room.withUnsafeMutableBytes { try LZ4.decompress(block, into: $0) }
            #expect(room == raw)
            room.append(0)
            #expect(throws: ByteError.self) {
                try room.withUnsafeMutableBytes { try LZ4.decompress(block, into: $0) }
            }
        }
    }

    @Test func everyWrongByteIsDetected() throws {
        for raw in [noise(40), [UInt8](repeating: 5, count: 300)] {
            let block = LZ4.compress(raw)
            for index in block.indices {
                for change in [0x01, 0x40, 0xFF] as [UInt8] {
                    var damaged = block
                    damaged[index] ^= change
                    #expect(throws: ByteError.self) { try LZ4.decompress(damaged) }
                }
                #expect(throws: ByteError.self) { try LZ4.decompress(Array(block[..<index])) }
            }
            #expect(throws: ByteError.self) { try LZ4.decompress(block + [0]) }
        }
    }

    @Test func wrongCompressedBytesNeverTrap() {
        var generator = SplitMix64(seed: 4)
        for _ in 0..<5000 {
            let count = Int.random(in: 0..<60, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes.withUnsafeBytes { stored in
                for size in [0, 1, 50, 10_000, 1 << 40] {
                    let raw = LZ4.decompress(stored, rawSize: size)
                    #expect(raw == nil || raw?.count == size)
                }
            }
        }
    }
}
