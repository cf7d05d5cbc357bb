import MillraceBase
import Testing

@testable import MillraceStore

@Suite struct FileSinkLogTests {
    let folder = TemporaryFolder()
    var disk: PosixFileSystem { folder.fileSystem }

    private func file(_ name: String, size: Int64 = 1) -> SinkFileStatus {
        SinkFileStatus(
            path: "file:///out/" + name, size: size, modificationTime: 1000, blockSize: 10000)
    }

    @Test func aBatchIsSparksTextByteForByte() throws {
        let log = try FileSinkLog(disk, output: folder.path)
        #expect(try log.commit(BatchID(0), [file("x", size: 100), file("y", size: 200)]))
        let expected = """
            v1
            {"path":"file:///out/x","size":100,"isDir":false,"modificationTime":1000,\
            "blockReplication":1,"blockSize":10000,"action":"add"}
            {"path":"file:///out/y","size":200,"isDir":false,"modificationTime":1000,\
            "blockReplication":1,"blockSize":10000,"action":"add"}
            """
        #expect(try folder.text("_millrace_metadata/0") == expected)
        #expect(try log.commit(BatchID(1), []))
        #expect(try folder.text("_millrace_metadata/1") == "v1")
    }

    @Test func aRepeatedBatchChangesNothing() throws {
        let log = try FileSinkLog(disk, output: folder.path)
        #expect(try log.commit(BatchID(4), [file("a")]))
        #expect(try !log.commit(BatchID(4), [file("b")]))
        #expect(try !log.commit(BatchID(3), [file("c")]))
        #expect(try log.allFiles() == [file("a")])
        #expect(try log.isCommitted(BatchID(4)))
        #expect(try !log.isCommitted(BatchID(5)))
        #expect(try log.latestBatch() == BatchID(4))
    }

    @Test func filesMergeByAgeAndNoMergeIsLarge() throws {
        var log = try SegmentedLog<SinkFileStatus>(disk, folder: folder("log"))
        log.maximumSegmentSize = 100_000
        for batch in 0..<523 { #expect(try log.add(batch, [file("\(batch)")])) }
        #expect(try log.entries(of: 0...Int.max) == (0..<523).map { file("\($0)") })
        #expect(try log.latestBatch() == 522)
        #expect(try folder.names("log").count == 5 + 2 + 3)
        #expect(try folder.names("log").contains("400-499.compact"))
        for batch in 523..<1500 { #expect(try log.add(batch, [file("\(batch)")])) }
        #expect(try log.entries(of: 0...Int.max).count == 1500)
        let segments = try log.segments()
        #expect(segments.allSatisfy { $0.size <= 110_000 })
        #expect(segments.map(\.batches.count).reduce(0, +) == 1500)
        #expect(segments.count <= 15 + 9 + 9)
    }

    @Test func aCrashAtAnyStepOfAMergeLosesAndDoublesNothing() throws {
        for step in 0... {
            let name = "log\(step)"
            let log = try SegmentedLog<SinkFileStatus>(disk, folder: folder(name))
            for batch in 0..<9 { _ = try log.add(batch, [file("\(batch)")]) }
            let crashing = CrashingFileSystem(failsAt: step)
            var added = false
            _ = storeError {
                let log = try SegmentedLog<SinkFileStatus>(crashing, folder: folder(name))
                added = try log.add(9, [file("9")])
            }
            let count = try log.entries(of: 0...Int.max).count
            #expect(count == 10 || (count == 9 && !added))
            _ = try log.add(9, [file("9")])
            for batch in 10..<30 { _ = try log.add(batch, [file("\(batch)")]) }
            #expect(try log.entries(of: 0...Int.max) == (0..<30).map { file("\($0)") })
            if !crashing.hasCrashed { break }
        }
    }

    @Test func ofManyCommittersOfOneBatchOneWins() async throws {
        let log = try FileSinkLog(disk, output: folder.path)
        for batch in 0..<25 {
            let winners = await withTaskGroup(of: Int.self) { group in
                for writer in 0..<5 {
                    group.addTask { [self] in
                        (try? log.commit(BatchID(batch), [file("\(batch)-\(writer)")])) == true
                            ? 1 : 0
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(winners == 1)
        }
        #expect(try log.allFiles().count == 25)
    }

    @Test func damageIsAnErrorWithItsLine() throws {
        let log = try FileSinkLog(disk, output: folder.path)
        try log.commit(BatchID(0), [file("x")])
        for (text, reason) in [
            ("v1\n{\"path\":1}", "line 2: \"path\" is expected to be a string, not an integer"),
            (
                "v1\n{\"path\":\"a\"}",
                "line 2: \"size\" is expected to be an integer; it is missing"
            ),
            ("v1\nx", "line 2, column 1: a file: a value is expected, not 'x'"),
            ("", "line 1: \"v1\" is expected, the file is empty"),
        ] {
            try folder.write("_millrace_metadata/0", text)
            let error = storeError { _ = try log.allFiles() }
            #expect(error?.reason.hasSuffix(reason) == true)
        }
        var generator = SplitMix64(seed: 8)
        let bytes = Array("v1\n".utf8) + Array(file("x").json.compact.utf8)
        for _ in 0..<2000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                in: 0...255, using: &generator)
            try folder.write("_millrace_metadata/0", damaged)
            _ = storeError { _ = try log.allFiles() }
        }
    }

    @Test func foreignNamesAreIgnored() throws {
        let log = try SegmentedLog<SinkFileStatus>(disk, folder: folder("log"))
        for name in [
            "x", "5-3.compact", "1-2", "0-9223372036854775807.compact", "-1", "1-2-3.compact",
            ".1.tmp",
        ] {
            try folder.write("log/" + name, "x")
        }
        #expect(try log.latestBatch() == nil)
        #expect(try log.add(0, []))
    }

    @Test func dataFilesAreNamedAsSparks() {
        #expect(
            FileSinkLog.dataFileName(partition: 7, uuid: "u-1", ext: "json")
                == "part-00007-u-1-c000.json")
        #expect(
            FileSinkLog.dataFileName(partition: 123_456, uuid: "u", ext: "txt")
                == "part-123456-u-c000.txt")
    }
}

@Suite struct FileSourceLogTests {
    let folder = TemporaryFolder()
    var disk: PosixFileSystem { folder.fileSystem }

    @Test func batchesAreFoundAgainAfterMerging() throws {
        let log = try FileSourceLog(disk, folder: folder("sources/0"))
        #expect(try log.latestOffset() == -1)
        for batch in 0..<57 {
            try log.add(
                batch, [SourceFileEntry(path: "file:///\(batch)", timestamp: 5, batchId: 0)])
        }
        #expect(try log.latestOffset() == 56)
        #expect(try log.files(in: 13...13).map(\.path) == ["file:///13"])
        #expect(try log.files(in: 48...99).map(\.batchId) == Array(48...56))
        #expect(try log.seenPaths().count == 57)
        #expect(storeError { try log.add(56, []) }?.kind == .concurrentUpdate)
        #expect(
            try folder.text("sources/0/56")
                == "v1\n{\"path\":\"file:///56\",\"timestamp\":5,\"batchId\":56}")
    }

    @Test func newFilesComeOldestFirstAndOnce() throws {
        for name in ["b.txt", "a.txt", ".hidden", "_tmp", "c.csv"] {
            try folder.write("in/" + name, in: disk)
        }
        try disk.makeFolders(folder("in/sub"))
        let uri = "file://" + folder("in")
        let all = try FileListing.newFiles(disk, uri, seen: [])
        #expect(all.count == 3)
        #expect(all == all.sorted { ($0.timestamp, $0.path) < ($1.timestamp, $1.path) })
        let first = try FileListing.newFiles(disk, uri, seen: [], limit: 2)
        #expect(first == Array(all.prefix(2)))
        #expect(try FileListing.newFiles(disk, uri, seen: Set(first.map(\.path))) == [all[2]])
        #expect(try FileListing.newFiles(disk, folder("in/*.txt"), seen: []).count == 2)
        #expect(try FileListing.newFiles(disk, folder("in/*.none"), seen: []) == [])
        #expect(
            storeError { _ = try FileListing.newFiles(disk, folder("no"), seen: []) }?.kind
                == .notFound)
    }

    @Test func aSinksFolderIsReadThroughItsManifest() throws {
        try folder.write("out/part-1", in: disk)
        try folder.write("out/part-2", in: disk)
        let committed = SinkFileStatus(
            path: StorePath.fileURI(folder("out/part-2")), size: 1, modificationTime: 9)
        try FileSinkLog(disk, output: folder("out")).commit(BatchID(0), [committed])
        let found = try FileListing.newFiles(disk, folder("out"), seen: [])
        #expect(found.map(\.path) == [committed.path])
    }
}

extension TemporaryFolder {
    fileprivate func write(_ name: String, in disk: PosixFileSystem) throws {
        try disk.makeFolders(StorePath.folder(of: self(name)))
        try write(name, name)
    }
}

@Suite struct GlobTests {
    @Test func namesMatchAsInHadoop() {
        let yes = [
            ("a.txt", "*.txt"), ("a", "?"), ("abc", "a*c"), ("abc", "[a-c]bc"), ("xbc", "[^a-c]bc"),
            ("a*", "a\\*"), ("aXbXc", "*b*c"), ("", "*"), ("é", "?"), (".x", ".*"), ("[", "["),
        ]
        let no = [
            ("a.txt", "*.csv"), ("ab", "?"), ("abd", "a*c"), ("xbc", "[a-c]bc"), (".x", "*"),
            ("ab", "a\\*"), ("", "?"), ("aaaaaaaaaaaaaaaaaaaaaaaab", "*a*a*a*a*a*a*a*c"),
        ]
        for (name, pattern) in yes { #expect(Glob.matches(name, pattern), "\(name) \(pattern)") }
        for (name, pattern) in no { #expect(!Glob.matches(name, pattern), "\(name) \(pattern)") }
    }

    @Test func pathsExpandOverFolders() throws {
        let folder = TemporaryFolder()
        for name in ["2024/a.txt", "2024/b.csv", "2025/a.txt", "other/a.txt", ".h/a.txt"] {
            try folder.write(name, in: folder.fileSystem)
        }
        func expand(_ pattern: String) throws -> [String] {
            try Glob.expand(folder.fileSystem, folder(pattern))
                .map { String($0.dropFirst(folder.path.utf8.count + 1)) }
        }
        #expect(try expand("20*/a.txt") == ["2024/a.txt", "2025/a.txt"])
        #expect(try expand("{2024,other}/*") == ["2024/a.txt", "2024/b.csv", "other/a.txt"])
        #expect(try expand("*/b.{csv,txt}") == ["2024/b.csv"])
        #expect(try expand("2024/a.txt") == ["2024/a.txt"])
        #expect(try expand("2026/a.txt") == [])
        #expect(try expand("2024/a.txt/*") == [])
    }
}
