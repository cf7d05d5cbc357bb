import MillraceBase
import MillraceExecutor
import Testing

@testable import Millrace

@Suite struct TextFileTests {
    @Test func linesOfAllKindsOfEndingsComeInAnyNumberOfPartitions() async throws {
        let folder = TemporaryFolder()
        let path = folder.write("a.txt", "one\ntwo\r\n\nthree\rfour\r\n\r\nlast ünï")
        let lines = ["one", "two", "", "three", "four", "", "last ünï"]
        for partitions in 1...40 {
            let dataset = try serialContext().textFile(path, minPartitions: partitions)
            #expect(try await dataset.collect() == lines)
        }
        #expect(try await serialContext().textFile("file://" + path).collect() == lines)
    }

    @Test func foldersGlobsAndListsAreRead() async throws {
        let folder = TemporaryFolder()
        folder.write("a1.txt", "a1\n")
        folder.write("a2.txt", "a2")
        folder.write("b1.log", "b1\n")
        folder.write("empty.txt", "")
        folder.write("_SUCCESS", "")
        folder.write(".hidden", "no\n")
        let context = serialContext()
        func read(_ location: String) async throws -> [String] {
            try await context.textFile(location).collect()
        }
        #expect(try await read(folder.path) == ["a1", "a2", "b1"])
        #expect(try await read(folder.path + "/a*.txt") == ["a1", "a2"])
        #expect(try await read(folder.path + "/?[12].{log,txt}") == ["b1", "a1", "a2"])
        #expect(
            try await read(folder.path + "/b1.log," + folder.path + "/{a1,a2}.txt") == [
                "b1", "a1", "a2",
            ])
        #expect(try await read(folder.path + "/empty.txt") == [])
        #expect(try context.textFile(folder.path + "/empty.txt").numPartitions == 1)
    }

    @Test func whatIsNotThereIsNamedOnTheDriver() {
        let folder = TemporaryFolder()
        folder.write("x.bz2", "")
        _ = folder.makeFolder("sub")
        let context = serialContext()
        func refusal(_ location: String) -> MillraceError? {
            #expect(throws: MillraceError.self) { try context.textFile(location) }
        }
        let missing = refusal(folder.path + "/none.txt")
        #expect(missing?.code == .notFound && missing?.message.contains("none.txt") == true)
        #expect(refusal(folder.path + "/*.csv")?.code == .notFound)
        #expect(refusal(folder.path + "/x.bz2")?.message.contains("bz2") == true)
        #expect(refusal(folder.path)?.message.contains("sub") == true)
        #expect(refusal("hdfs://host/x")?.message.contains("hdfs") == true)
    }

    @Test func splitsFollowHadoopsRules() {
        func sizes(_ files: [(String, Int)], _ partitions: Int) -> [Int] {
            TextFiles.splits(
                files.map { TextFiles.Input(path: $0.0, size: $0.1) }, minPartitions: partitions
            ).map(\.length)
        }
        #expect(sizes([("a", 100)], 2) == [50, 50])
        #expect(sizes([("a", 105)], 10) == [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 5])
        #expect(sizes([("a", 101)], 10) == [10, 10, 10, 10, 10, 10, 10, 10, 10, 11])
        #expect(sizes([("a", 0), ("b", 10)], 1) == [0, 10])
        #expect(sizes([("a.gz", 1 << 30)], 8) == [1 << 30])
        #expect(sizes([("a", 100 << 20)], 1) == [32 << 20, 32 << 20, 32 << 20, 4 << 20])
        #expect(sizes([("a", 98 << 20)], 1) == [32 << 20, 32 << 20, 34 << 20])
    }

    @Test func savedTextIsReadBack() async throws {
        let folder = TemporaryFolder()
        let context = serialContext()
        let rows = (0..<3000).map { "row \($0)" }
        try await context.parallelize(rows, 3).saveAsTextFile(folder.path + "/out")
        #expect(folder.names("out") == ["_SUCCESS", "part-00000", "part-00001", "part-00002"])
        #expect(try await context.textFile(folder.path + "/out").collect() == rows)
        let error = await #expect(throws: MillraceError.self) {
            try await context.parallelize(rows, 3).saveAsTextFile(folder.path + "/out")
        }
        #expect(error?.code == .invalidArgument)
        try await context.parallelize([(1, "x"), (2, "y")], 1).saveAsTextFile(
            folder.path + "/pairs")
        #expect(folder.read("pairs/part-00000") == "(1, \"x\")\n(2, \"y\")\n")
    }

    @Test func aFailedSaveLeavesNoSuccessAndNoTemporaries() async throws {
        struct Refused: Error {}
        let folder = TemporaryFolder()
        await #expect(throws: Refused.self) {
            try await serialContext().parallelize([1, 2, 3], 3).map { row -> Int in
                if row == 3 { throw Refused() }
                return row
            }.saveAsTextFile(folder.path + "/out")
        }
        #expect(folder.names("out") == [])
    }

    @Test func countsTheWordsOfAFile() async throws {
        let folder = TemporaryFolder()
        let text = (0..<500).map { "the line \($0 % 10) of the text" }.joined(separator: "\n")
        let path = folder.write("words.txt", text)
        let counts = try await serialContext().textFile(path, minPartitions: 4)
            .flatMap { $0.split(separator: " ").map(String.init) }
            .map { ($0, 1) }
            .reduceByKey { $0 + $1 }
            .collectAsMap()
        #expect(counts["the"] == 1000 && counts["line"] == 500 && counts["3"] == 50)
        #expect(counts.values.reduce(0, +) == 3000)
    }
}
