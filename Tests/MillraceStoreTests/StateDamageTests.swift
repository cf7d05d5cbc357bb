import MillraceBase
import Testing

@testable import MillraceStore

@Suite struct StateDamageTests {
    let folder = TemporaryFolder()
    var disk: PosixFileSystem { folder.fileSystem }

    private func path(_ state: StateFolder, _ name: String) -> String {
        StorePath.join(state.path, name)
    }

    private func overwrite(_ path: String, _ bytes: [UInt8]) throws {
        let file = try disk.create(path, exclusively: false)
        try file.write(bytes)
        try file.close()
    }

    @Test(arguments: ["delta", "snapshot"])
    func everyFlippedByteIsDetected(kind: String) throws {
        let state = try StateFolder.test(disk, folder.path)
        let isDelta = kind == "delta"
        var writer = DeltaWriter(isDelta ? .delta : .snapshot, version: 1, groups: 0..<16)
        for key in 0..<20 as Range<UInt8> {
            writer.put(group: Int(key) % 16, key: [key], value: Array(repeating: key, count: 9))
        }
        if isDelta { writer.remove(group: 3, key: [3]) }
        try state.publish(writer)
        let file = path(state, "1.0-15.\(kind)")
        let bytes = try disk.read(file)
        for index in bytes.indices {
            for change in [0x01, 0x80, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[index] ^= change
                try overwrite(file, damaged)
                let error = storeError { _ = try state.load(1, 0..<16) }
                #expect(error?.isCorrupt == true, "byte \(index)")
                #expect(error?.path == file)
            }
        }
    }

    @Test func everyTornOrLengthenedFileIsDetected() throws {
        let state = try StateFolder.test(disk, folder.path)
        try state.write([[1, 2]: [3], [1, 9]: nil], version: 1, ranges: [0..<16])
        let file = path(state, "1.0-15.delta")
        let bytes = try disk.read(file)
        for size in 0..<bytes.count {
            for torn in [
                Array(bytes[..<size]),
                bytes[..<size] + Array(repeating: 0, count: bytes.count - size),
            ] {
                guard torn != bytes else { continue }
                try overwrite(file, torn)
                #expect(storeError { _ = try state.load(1, 0..<16) }?.isCorrupt == true)
            }
        }
        try overwrite(file, bytes + [0])
        #expect(storeError { _ = try state.load(1, 0..<16) }?.isCorrupt == true)
    }

    @Test func aFileUnderAnotherNameIsNotBelieved() throws {
        let state = try StateFolder.test(disk, folder.path)
        try state.write([[1, 2]: [3]], version: 1, ranges: [0..<16])
        let bytes = try disk.read(path(state, "1.0-15.delta"))
        for name in ["2.0-15.delta", "1.0-15.snapshot", "1.0-14.delta"] {
            try disk.deleteTree(state.path)
            try disk.makeFolders(state.path)
            try overwrite(path(state, name), bytes)
            let version = name.hasPrefix("2") ? 2 : 1
            if version == 2 { try state.write([:], version: 1, ranges: [0..<16]) }
            let groups = name.contains("14") ? 0..<15 : 0..<16
            #expect(storeError { _ = try state.load(version, groups) }?.isCorrupt == true)
        }
    }

    @Test func aDamagedSnapshotIsRoutedAround() throws {
        let state = try StateFolder.test(disk, folder.path)
        var generator = SplitMix64(seed: 5)
        var model = StateModel()
        for version in 1...12 {
            try state.write(
                model.change(using: &generator), version: version, ranges: [0..<8, 8..<16])
            if version % 5 == 0 { try state.compact(groups: 0..<16, version: version) }
        }
        try overwrite(path(state, "10.0-15.snapshot"), [1, 2, 3])
        #expect(try state.load(12, 0..<16) == model.versions[12])
        try overwrite(path(state, "5.0-15.snapshot"), [])
        #expect(try state.load(12, 0..<16) == model.versions[12])
        try overwrite(path(state, "3.8-15.delta"), Array("MILLSTAT".utf8))
        #expect(try state.load(12, 0..<8) == model.content(12, of: 0..<8))
        #expect(storeError { _ = try state.load(12, 8..<16) }?.isCorrupt == true)
    }

    @Test func aDamagedDeltaIsRoutedAroundWhereAnotherAttemptLeftOne() throws {
        let state = try StateFolder.test(disk, folder.path)
        let changes: StateModel.Content.Changes = [[1, 2]: [3], [1, 12]: [4]]
        try state.write(changes, version: 1, ranges: [0..<16])
        try state.write(changes, version: 1, ranges: [0..<8, 8..<16])
        try overwrite(path(state, "1.0-15.delta"), [])
        #expect(try state.load(1, 0..<16) == [[1, 2]: [3], [1, 12]: [4]])
    }

    @Test func aCrashAtAnyStepOfACommitKeepsTheLastVersion() throws {
        for step in 0... {
            let root = folder("run\(step)")
            let state = try StateFolder.test(disk, root)
            try state.write([[1, 2]: [3]], version: 1, ranges: [0..<16])
            let crashing = CrashingFileSystem(failsAt: step)
            let failed = storeError {
                let state = try StateFolder.test(crashing, root)
                var store = try StateStore.open(state, groups: 0..<16, version: 1)
                store.put(group: 2, [1, 2], [4])
                try store.commit(snapshotInterval: 1)
            }
            try state.deleteTemporaries()
            #expect(try state.load(1, 0..<16) == [[1, 2]: [3]])
            if failed == nil { #expect(try state.load(2, 0..<16) == [[1, 2]: [4]]) }
            try state.deleteVersions(after: 1)
            try state.write([[1, 2]: [5]], version: 2, ranges: [0..<4, 4..<16])
            #expect(try state.load(2, 0..<16) == [[1, 2]: [5]])
            if failed == nil, !crashing.hasCrashed { break }
        }
    }

    @Test func randomBytesBehindAGoodHeaderNeverTrap() throws {
        let state = try StateFolder.test(disk, folder.path)
        var generator = SplitMix64(seed: 11)
        let file = path(state, "1.0-15.delta")
        let header = StateFileFormat.header(StateFileName(.delta, version: 1, groups: 0..<16))
        for _ in 0..<2000 {
            // Blocks, index and footer with right checksums, but contents no writer would make.
            var bytes = header
            var index = ByteWriter()
            var blocks: UInt32 = 0
            for _ in 0..<Int.random(in: 0..<3, using: &generator) {
                let stored = (0..<Int.random(in: 0..<30, using: &generator)).map { _ in
                    UInt8.random(in: 0...17, using: &generator)
                }
                let raw =
                    Bool.random(using: &generator)
                    ? stored.count : Int.random(in: 0..<99, using: &generator)
                StateFileFormat.Block(
                    firstGroup: .random(in: 0..<4, using: &generator),
                    lastGroup: .random(in: 3..<17, using: &generator), storedSize: stored.count,
                    rawSize: raw, records: .random(in: 0..<6, using: &generator),
                    checksum: CRC32C.checksum(stored)
                ).write(into: &index)
                bytes += stored
                blocks += 1
            }
            var footer = ByteWriter()
            footer.writeFixed(UInt64(bytes.count))
            footer.writeFixed(blocks)
            footer.writeFixed(UInt64(0))
            footer.writeFixed(CRC32C.checksum(header + index.bytes + footer.bytes))
            footer.writeRaw(StateFileFormat.endMagic)
            try overwrite(file, bytes + index.bytes + footer.bytes)
            let error = storeError { _ = try loadQuietly(state) }
            #expect(error == nil || error?.isCorrupt == true)
        }
    }

    private func loadQuietly(_ state: StateFolder) throws -> Int {
        var count = 0
        try StateLoader(state, groups: 0..<16, version: 1).replay { _, _, _ in count += 1 }
        return count
    }

    @Test func namesThatAreNotOursAreIgnored() {
        for name in [
            "", "1.delta", "1.0-15.delta.tmp", ".1.0-15.delta.x.1.tmp", "01.0-15.delta",
            "1.5-3.delta",
            "0.0-15.delta", "1.-1-3.delta", "1.0-99999999999.delta", "a.0-1.delta", "1.0-1.other",
            "9223372036854775808.0-1.delta", "+1.0-1.delta", "1.0-+1.snapshot",
        ] {
            #expect(StateFileName(name) == nil)
        }
        #expect(StateFileName("12.0-127.delta")?.groups == 0..<128)
    }
}

extension StateFolder {
    fileprivate func deleteTemporaries() throws(StoreError) {
        try fileSystem.deleteTemporaries(in: path)
    }
}
