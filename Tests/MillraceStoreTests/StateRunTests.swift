import MillraceBase
import Testing

@testable import MillraceStore

/// Whose files of a version count when a query was started more than once.
@Suite struct StateRunTests {
    private let folder = TemporaryFolder()
    private var disk: PosixFileSystem { folder.fileSystem }
    private let key: [UInt8] = [1, 4]

    /// The folder as an executor of that run has it.
    private func executor(of run: Int) throws -> StateFolder {
        var state = try StateFolder.test(disk, folder.path)
        state.run = run
        return state
    }

    @Test func anOldRunsLateFileDoesNotCount() throws {
        var driver = try StateFolder.test(disk, folder.path)
        try driver.beginRun(after: 0)
        let old = try executor(of: driver.run)
        try old.write([key: [1]], version: 1, ranges: [0..<16])
        // Version 2 was made, not committed; the driver is started again.
        try old.write([key: [2]], version: 2, ranges: [0..<16])
        try driver.beginRun(after: 1)
        #expect(driver.run == 2)
        let new = try executor(of: driver.run)
        try new.write([key: [3]], version: 2, ranges: [0..<16])
        // The old executors live on: one writes the same range, one another, and one goes on.
        try old.write([key: [66]], version: 2, ranges: [0..<16])
        try old.write([key: [67]], version: 2, ranges: [0..<8, 8..<16])
        try old.write([key: [68]], version: 3, ranges: [0..<16])
        #expect(try new.load(2, 0..<16) == [key: [3]])
        #expect(try new.load(2, 0..<8) == [key: [3]])
        #expect(storeError { _ = try new.load(3, 0..<16) }?.kind == .notFound)
        #expect(try new.load(1, 0..<16) == [key: [1]])
    }

    @Test func anOldRunsLateSnapshotDoesNotCount() throws {
        var driver = try StateFolder.test(disk, folder.path)
        try driver.beginRun(after: 0)
        let old = try executor(of: driver.run)
        try old.write([key: [1]], version: 1, ranges: [0..<16])
        try driver.beginRun(after: 1)
        try executor(of: driver.run).write([key: [2]], version: 2, ranges: [0..<16])
        var snapshot = DeltaWriter(.snapshot, version: 2, groups: 0..<16)
        snapshot.put(group: StateModel.group(of: key), key: key, value: [66])
        try old.publish(snapshot)
        #expect(try driver.load(2, 0..<16) == [key: [2]])
        #expect(try driver.latestSnapshot(of: 0..<16) == nil)
    }

    @Test func stateOfBeforeThereWereRunsIsRead() throws {
        var state = try StateFolder.test(disk, folder.path)
        try state.write([key: [1]], version: 1, ranges: [0..<16])
        try state.write([key: [2]], version: 2, ranges: [0..<8, 8..<16])
        try state.write([key: [3]], version: 3, ranges: [0..<16])
        #expect(try folder.names("agg-0").contains("1.0-15.delta"))
        try state.beginRun(after: 2)
        #expect(try state.load(2, 0..<16) == [key: [2]])
        try state.write([key: [4]], version: 3, ranges: [0..<16])
        #expect(try state.load(3, 0..<16) == [key: [4]])
        #expect(try folder.names("agg-0").contains("3.0-15.1.delta"))
    }

    @Test func aRunThatMadeNothingLeavesNoMark() throws {
        var state = try StateFolder.test(disk, folder.path)
        try state.beginRun(after: 0)
        try state.write([key: [1]], version: 1, ranges: [0..<16])
        for _ in 0..<5 { try state.beginRun(after: 1) }
        #expect(state.run == 6)
        #expect(try folder.names("agg-0") == ["0.1.run", "1.0-15.1.delta", "1.6.run"])
    }

    /// A crash between two steps of a run's beginning: the next one goes on as if it hadn't been.
    @Test(arguments: 1..<12) func aBeginningThatIsInterruptedIsHarmless(step: Int) throws {
        var state = try StateFolder.test(disk, folder.path)
        try state.beginRun(after: 0)
        try state.write([key: [1]], version: 1, ranges: [0..<16])
        try state.write([key: [66]], version: 2, ranges: [0..<16])
        var crashing = try StateFolder.test(CrashingFileSystem(failsAt: step), folder.path)
        do { try crashing.beginRun(after: 1) } catch {}
        #expect(try state.load(1, 0..<16) == [key: [1]])
        try state.beginRun(after: 1)
        try state.write([key: [2]], version: 2, ranges: [0..<16])
        #expect(try state.load(2, 0..<16) == [key: [2]])
    }

    @Test func marksThatNobodyNeedsArePurged() throws {
        var state = try StateFolder.test(disk, folder.path)
        for version in 1...40 {
            if version % 10 == 1 { try state.beginRun(after: version - 1) }
            try state.write([key: [UInt8(version)]], version: version, ranges: [0..<16])
        }
        try state.compact(groups: 0..<16, version: 25)
        try state.purge(neededFrom: 28)
        let names = try folder.names("agg-0")
        #expect(names.filter { $0.hasSuffix(".run") } == ["20.3.run", "30.4.run"])
        #expect(try state.load(28, 0..<16) == [key: [28]])
        #expect(try state.load(40, 0..<16) == [key: [40]])
        #expect(storeError { _ = try state.load(20, 0..<16) }?.kind == .notFound)
    }
}
