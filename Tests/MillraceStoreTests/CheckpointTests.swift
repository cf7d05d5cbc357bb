import MillraceBase
import Synchronization
import Testing

@testable import MillraceStore

@Suite struct CheckpointTests {
    let folder = TemporaryFolder()
    var disk: PosixFileSystem { folder.fileSystem }

    @Test func offsetsAreSparksTextByteForByte() throws {
        let log = try OffsetLog(disk, folder: folder("offsets"))
        let entry = OffsetSeq(
            metadata: OffsetSeqMetadata(
                batchWatermarkMs: 0, batchTimestampMs: 1_480_981_499_528,
                conf: ["b": "2", "a": "1"]),
            offsets: [#"{"lines":{"0":12}}"#, nil])
        try log.add(BatchID(0), entry)
        let expected = """
            v1
            {"batchWatermarkMs":0,"batchTimestampMs":1480981499528,"conf":{"a":"1","b":"2"}}
            {"lines":{"0":12}}
            -
            """
        #expect(try folder.text("offsets/0") == expected)
        #expect(try log.get(BatchID(0)) == entry)
    }

    @Test func commitsAreSparksTextByteForByte() throws {
        let log = try CommitLog(disk, folder: folder("commits"))
        try log.add(BatchID(7), CommitMetadata(nextBatchWatermarkMs: 5))
        #expect(try folder.text("commits/7") == "v1\n{\"nextBatchWatermarkMs\":5}")
        #expect(try log.getLatest()?.entry == CommitMetadata(nextBatchWatermarkMs: 5))
    }

    @Test func unknownFieldsAreRead() throws {
        try disk.makeFolders(folder("commits"))
        try disk.makeFolders(folder("offsets"))
        try folder.write("commits/3", "v1\n{\"nextBatchWatermarkMs\":9,\"stateUniqueIds\":{}}\n")
        let commits = try CommitLog(disk, folder: folder("commits"))
        #expect(try commits.getLatest()?.entry.nextBatchWatermarkMs == 9)
        try folder.write(
            "offsets/3",
            "v1\n{\"batchWatermarkMs\":1,\"batchTimestampMs\":2,\"new\":[1]}\n{\"logOffset\":0}")
        let offsets = try OffsetLog(disk, folder: folder("offsets"))
        #expect(
            try offsets.get(BatchID(3))
                == OffsetSeq(
                    metadata: OffsetSeqMetadata(batchWatermarkMs: 1, batchTimestampMs: 2),
                    offsets: [#"{"logOffset":0}"#]))
    }

    @Test func errorsSayFileLineAndWhatIsExpected() {
        let cases: [(String, String)] = [
            ("", "at byte 0: line 1: \"v1\" is expected, the file is empty"),
            ("{}", "at byte 0: line 1: the format's version \"v1\" is expected"),
            ("v2\n{}", "line 1: its format is v2, this program reads v1"),
            ("v1", "at byte 2: line 2: the batch's metadata is expected, not the end"),
            ("v1\n[1]", "at byte 3: line 2: the batch's metadata: an object is expected"),
            (
                "v1\n{\"batchTimestampMs\":1}",
                "at byte 3: line 2: "
                    + "\"batchWatermarkMs\" is expected to be an integer; it is missing"
            ),
            (
                "v1\n{\"batchWatermarkMs\":\"0\"}",
                "at byte 3: line 2: \"batchWatermarkMs\" is expected to be an integer, not a string"
            ),
            (
                "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":1}\n{}\n\n-",
                "at byte 50: line 4, column 1: a source's offset as JSON, or \"-\": "
                    + "a value is expected, not the end"
            ),
        ]
        for (text, reason) in cases {
            let error = storeError { _ = try OffsetSeq(decoding: Array(text.utf8), path: "/c/1") }
            #expect(error?.description == "cannot read /c/1: \(reason)")
        }
    }

    @Test func aBatchIsWrittenOnce() throws {
        let log = try CommitLog(disk, folder: folder("commits"))
        try log.add(BatchID(1), CommitMetadata(nextBatchWatermarkMs: 1))
        try log.add(BatchID(1), CommitMetadata(nextBatchWatermarkMs: 1))
        let error = storeError { try log.add(BatchID(1), CommitMetadata(nextBatchWatermarkMs: 2)) }
        #expect(error?.kind == .concurrentUpdate)
        #expect(try log.get(BatchID(1)) == CommitMetadata(nextBatchWatermarkMs: 1))
    }

    @Test func ofManyWritersOfOneBatchOneWins() async throws {
        let log = try CommitLog(disk, folder: folder("commits"))
        for batch in 0..<20 {
            let winners = await withTaskGroup(of: Int64?.self) { group in
                for writer in 0..<6 {
                    group.addTask {
                        let entry = CommitMetadata(nextBatchWatermarkMs: Int64(writer))
                        let error = storeError { try log.add(BatchID(batch), entry) }
                        #expect(error == nil || error?.kind == .concurrentUpdate)
                        return error == nil ? Int64(writer) : nil
                    }
                }
                return await group.reduce(into: [Int64]()) { if let w = $1 { $0.append(w) } }
            }
            #expect(winners.count == 1)
            #expect(try log.get(BatchID(batch))?.nextBatchWatermarkMs == winners.first)
        }
        #expect(try folder.names("commits").count == 20)
    }

    @Test func otherFilesInALogAreIgnored() throws {
        let log = try CommitLog(disk, folder: folder("commits"))
        for name in [
            ".0.crc", "x", "-1", "007", ".9.abc.1.tmp", "9.compact", "99999999999999999999",
        ] {
            try folder.write("commits/" + name, "v1\n{}")
        }
        #expect(try log.batches() == [])
        #expect(try log.getLatest() == nil)
        #expect(try log.get(BatchID(0)) == nil)
    }

    @Test func batchesSortByNumberAndOldOnesArePurged() throws {
        let checkpoint = try CheckpointDirectory(disk, folder("ck"))
        for batch in 0..<12 {
            try checkpoint.offsets.add(
                BatchID(batch), OffsetSeq(metadata: OffsetSeqMetadata(), offsets: [nil]))
            try checkpoint.commits.add(BatchID(batch), CommitMetadata())
        }
        #expect(try checkpoint.offsets.latestBatch() == BatchID(11))
        try checkpoint.purge(committed: BatchID(10), retaining: 3)
        #expect(try checkpoint.offsets.batches() == (8...11).map { BatchID($0) })
        #expect(try checkpoint.commits.batches() == (8...11).map { BatchID($0) })
        try checkpoint.purge(committed: BatchID(11))
        #expect(try checkpoint.offsets.batches().count == 4)
    }

    @Test func aCheckpointKeepsItsIdAndHasOneDriver() throws {
        let first = try CheckpointDirectory(disk, "file://" + folder("ck"))
        #expect(try folder.text("ck/metadata") == "{\"id\":\"\(first.queryID)\"}")
        #expect(first.queryID.utf8.count == 36)
        let error = storeError { _ = try CheckpointDirectory(disk, folder("ck")) }
        #expect(error?.kind == .locked)
        #expect(error?.description.contains("another driver on this machine") == true)
        try folder.write("ck/offsets/.5.x.1.tmp", "v1")
        first.close()
        let second = try CheckpointDirectory(disk, folder("ck"))
        #expect(second.queryID == first.queryID)
        #expect(try folder.names("ck/offsets") == [])
        #expect(second.sourceFolder(0) == folder("ck/sources/0"))
    }

    @Test func aDamagedCheckpointIsRefused() throws {
        try CheckpointDirectory(disk, folder("ck")).close()
        for text in ["", "{", "{\"id\":1}", "{\"id\":\"\"}", "[]"] {
            try folder.write("ck/metadata", text)
            let error = storeError { _ = try CheckpointDirectory(disk, folder("ck")) }
            #expect(error?.isCorrupt == true)
        }
        try disk.delete(folder("ck/metadata"))
        try folder.write("ck/offsets/0", "v1")
        #expect(storeError { _ = try CheckpointDirectory(disk, folder("ck")) }?.kind == .notFound)
        #expect(storeError { _ = try CheckpointDirectory(disk, "s3://b/c") }?.kind == .unsupported)
    }

    @Test func aCrashAtAnyStepOfAddKeepsTheLogWhole() throws {
        let entry = CommitMetadata(nextBatchWatermarkMs: 3)
        for step in 0... {
            let name = "commits\(step)"
            try CommitLog(disk, folder: folder(name)).add(BatchID(0), CommitMetadata())
            let crashing = CrashingFileSystem(failsAt: step)
            let failed = storeError {
                try CommitLog(crashing, folder: folder(name)).add(BatchID(1), entry)
            }
            let log = try CommitLog(disk, folder: folder(name))
            let latest = try #require(try log.getLatest())
            #expect(latest.batch == BatchID(0) || latest.entry == entry)
            try log.add(BatchID(1), entry)  // the next driver's attempt
            #expect(try log.getLatest()?.entry == entry)
            if failed == nil { break }
        }
    }

    /// An entry is there before its name is durable. A driver whose write failed between the two is
    /// followed by one that finds it, and writes what relies on it: so it has to last first.
    @Test func whatIsFoundIsMadeDurableBeforeItIsUsed() throws {
        let disk = CrashingFileSystem(failsAt: .max)
        let checkpoint = try CheckpointDirectory(disk, folder("ck"))
        for log in [checkpoint.offsets.folder, checkpoint.commits.folder] {
            #expect(disk.synced.withLock { $0.contains(log) })
        }
        _ = try FileSinkLog(disk, output: folder("out"))
        #expect(disk.synced.withLock { $0.last?.hasPrefix(folder("out")) == true })
    }

    @Test func flippedBytesInALogNeverTrap() throws {
        let entry = OffsetSeq(
            metadata: OffsetSeqMetadata(batchTimestampMs: 17, conf: ["k": "v"]),
            offsets: [#"{"t":{"0":12}}"#, nil])
        let bytes = entry.encode()
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                if let read = try? OffsetSeq(decoding: damaged, path: "x") {
                    #expect(read != entry)
                }
            }
            _ = try? OffsetSeq(decoding: Array(bytes[..<index]), path: "x")
        }
    }

    @Test func randomChangesOfALogNeverTrap() throws {
        let texts = [
            "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":17,\"conf\":{\"k\":\"v\"}}"
                + "\n{\"t\":1}\n-",
            "v1\n{\"nextBatchWatermarkMs\":5}",
        ]
        var generator = SplitMix64(seed: 21)
        for _ in 0..<10_000 {
            var bytes = Array(texts[Int.random(in: 0..<2, using: &generator)].utf8)
            for _ in 0..<Int.random(in: 1..<6, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = .random(in: 0...255, using: &generator)
                case 1:
                    bytes.insert(
                        contentsOf: Array("\n{[\"9".utf8).shuffled(using: &generator), at: index)
                default: bytes.removeSubrange(index..<min(index + 3, bytes.count))
                }
                if bytes.isEmpty { bytes = [0x0A] }
            }
            if let read = try? OffsetSeq(decoding: bytes, path: "x") {
                #expect(try OffsetSeq(decoding: read.encode(), path: "x") == read)
            }
            if let read = try? CommitMetadata(decoding: bytes, path: "x") {
                #expect(try CommitMetadata(decoding: read.encode(), path: "x") == read)
            }
        }
    }

    @Test func theStateOfAllOperatorsIsPurgedAndResetTogether() throws {
        let checkpoint = try CheckpointDirectory(disk, folder("ck"))
        try checkpoint.deleteState(after: 0)
        #expect(try checkpoint.stateFolders().isEmpty)
        for id in ["count-1", "dedup"] {
            let state = try StateFolder(disk, root: checkpoint.stateFolder, operatorID: id)
            var store = try StateStore.open(state, groups: 0..<256, version: 0)
            for _ in 0..<12 { try store.commit() }
        }
        try checkpoint.purgeState(neededFrom: 11)
        try checkpoint.deleteState(after: 11)
        let left = ["10.0-255.snapshot", "11.0-255.delta"]
        #expect(try folder.names("ck/state/count-1") == left)
        #expect(try folder.names("ck/state/dedup") == left)
    }

    @Test func idsAreRandomUUIDs() {
        let ids = Set((0..<1000).map { _ in UUIDText.random() })
        #expect(ids.count == 1000)
        for id in ids {
            let parts = id.split(separator: "-").map(\.count)
            #expect(parts == [8, 4, 4, 4, 12])
            #expect(Array(id)[14] == "4")
            #expect("89ab".contains(Array(id)[19]))
        }
    }
}
