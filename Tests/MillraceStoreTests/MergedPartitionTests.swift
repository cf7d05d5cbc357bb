import MillraceBase
import Testing

@testable import MillraceStore

@Suite("Merged blocks of a reduce partition") struct MergedPartitionTests {
    private let folder = TemporaryFolder()

    private func append(
        _ partition: MergedPartition, map: Int, _ bytes: [UInt8]
    ) throws {
        try bytes.withUnsafeBytes {
            try partition.append(
                map: map, task: TaskID(map + 50), checksum: CRC32C.checksum(bytes), $0)
        }
    }

    /// What a reader makes of the two files.
    private func read(_ partition: MergedPartition) throws -> [Int: [UInt8]] {
        let files = PosixFileSystem()
        let data = try files.read(partition.dataPath)
        var found: [Int: [UInt8]] = [:]
        for block in MergedBlock.decode(try files.read(partition.indexPath)) {
            let bytes = Array(data[block.offset..<block.end])
            #expect(CRC32C.checksum(bytes) == block.checksum)
            #expect(block.mapTask == TaskID(block.mapIndex + 50))
            found[block.mapIndex] = bytes
        }
        return found
    }

    @Test("are found by the task that wrote them") func roundTrip() throws {
        let partition = try MergedPartition(
            PosixFileSystem(), folder: folder.path, name: "merged_0")
        try append(partition, map: 3, [1, 2, 3])
        try append(partition, map: 200, [4])
        try partition.close()
        try append(partition, map: 0, [5, 6])
        #expect(try read(partition) == [3: [1, 2, 3], 200: [4], 0: [5, 6]])
        #expect(partition.bytes == 6)
        #expect(partition.blocks == 3)
        #expect(partition.contains(map: 200) && !partition.contains(map: 201))
    }

    @Test("lose only the last one to a crash, wherever it was cut off") func tornAppend() throws {
        let files = PosixFileSystem()
        let whole = try MergedPartition(files, folder: folder.path, name: "whole")
        try append(whole, map: 0, [1, 2, 3])
        let first = try files.read(whole.indexPath).count
        try append(whole, map: 1, [4, 5, 6, 7])
        let (data, index) = (try files.read(whole.dataPath), try files.read(whole.indexPath))
        let cuts =
            (3...data.count).map { ($0, first) } + (first..<index.count).map { (7, $0) }
        for (place, (dataEnd, indexEnd)) in cuts.enumerated() {
            let name = "cut\(place)"
            for (suffix, bytes) in [
                (".data", data[..<dataEnd]), (".index", index[..<indexEnd]),
            ] {
                try files.writeDurably(
                    Array(bytes), to: folder(name + suffix))
            }
            let partition = try MergedPartition(files, folder: folder.path, name: name)
            #expect(partition.contains(map: 0) && !partition.contains(map: 1))
            try append(partition, map: 1, [8, 9])
            try append(partition, map: 2, [10])
            #expect(try read(partition) == [0: [1, 2, 3], 1: [8, 9], 2: [10]])
        }
    }

    @Test("whose data went with the power are not believed in") func lostData() throws {
        let files = PosixFileSystem()
        let partition = try MergedPartition(files, folder: folder.path, name: "merged_0")
        try append(partition, map: 0, [1, 2, 3])
        try append(partition, map: 1, [4, 5, 6, 7])
        let data = try files.read(partition.dataPath)
        try files.writeDurably(Array(data[..<5]), to: partition.dataPath)
        let again = try MergedPartition(files, folder: folder.path, name: "merged_0")
        #expect(again.blocks == 1)
        try append(again, map: 1, [4])
        #expect(try read(again) == [0: [1, 2, 3], 1: [4]])
    }

    @Test("end at the first damaged line of their index") func damagedIndex() throws {
        let blocks = (0..<3).map {
            MergedBlock(mapIndex: $0, mapTask: TaskID($0), offset: $0, length: 1, checksum: 7)
        }
        let index = blocks.flatMap { $0.encode() }
        #expect(MergedBlock.decode(index) == blocks)
        for byte in index.indices {
            var damaged = index
            damaged[byte] ^= 0x10
            #expect(MergedBlock.decode(damaged) == Array(blocks[..<(byte / 32)]))
        }
    }
}
