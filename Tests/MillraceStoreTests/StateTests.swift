import MillraceBase
import Testing

@testable import MillraceStore

@Suite struct StateTests {
    let folder = TemporaryFolder()
    var disk: PosixFileSystem { folder.fileSystem }

    @Test func whatIsWrittenInTwoRangesIsReadInThree() throws {
        let state = try StateFolder(disk, root: folder("state"), operatorID: "0")
        for index in 0..<2 {
            let groups = state.groups(of: index, in: 2)
            var delta = DeltaWriter(.delta, version: 1, groups: groups)
            for group in groups { delta.put(group: group, key: [UInt8(group)], value: [7]) }
            try state.publish(delta)
        }
        #expect(try folder.names("state/0") == ["1.0-127.delta", "1.128-255.delta"])
        var seen: [Int] = []
        for index in 0..<3 {
            let loader = StateLoader(state, groups: state.groups(of: index, in: 3), version: 1)
            try loader.replay { group, key, value in
                #expect(Array(key) == [UInt8(group)])
                #expect(value.map { Array($0) } == [7])
                seen.append(group)
            }
        }
        #expect(seen == Array(0..<256))
    }

    @Test func partitionsShareTheGroupsEvenly() throws {
        let state = try StateFolder(disk, root: folder("state"), operatorID: "0")
        for count in [1, 2, 3, 7, 255, 256, 300] {
            let ranges = (0..<count).map { state.groups(of: $0, in: count) }
            #expect(ranges.flatMap { Array($0) } == Array(0..<256))
            let sizes = ranges.map(\.count)
            #expect(sizes.max()! - sizes.min()! <= 1)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func anyVersionReadsInAnyRangesAsTheModelSays(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let state = try StateFolder.test(disk, folder.path)
        var model = StateModel()
        var oldest = 0
        for version in 1...25 {
            let changes = model.change(using: &generator)
            try state.write(changes, version: version, ranges: randomRanges(using: &generator))
            if Int.random(in: 0..<6, using: &generator) == 0 {
                for range in randomRanges(using: &generator) {
                    try state.compact(groups: range, version: version)
                }
            }
            if Int.random(in: 0..<8, using: &generator) == 0 {
                oldest = Int.random(in: oldest...version, using: &generator)
                try state.purge(neededFrom: oldest)
            }
            let asked = Int.random(in: oldest...version, using: &generator)
            for range in randomRanges(using: &generator) {
                #expect(try state.load(asked, range) == model.content(asked, of: range))
            }
        }
        let files = try state.files().count
        try state.purge(neededFrom: 25)
        #expect(try state.files().count <= files)
        #expect(try state.load(25, 0..<16) == model.versions[25])
    }

    @Test func theStoreCommitsAbortsAndSnapshots() throws {
        let state = try StateFolder.test(disk, folder.path)
        var store = try StateStore.open(state, groups: 0..<16, version: 0)
        var generator = SplitMix64(seed: 3)
        var model = StateModel()
        for version in 1...23 {
            store.put(group: 0, [0], [UInt8(version)])
            store.remove([1, 2])
            store.abort()
            for (key, value) in model.change(using: &generator) {
                if let value {
                    store.put(group: StateModel.group(of: key), key, value)
                } else {
                    store.remove(key)
                }
            }
            #expect(try store.commit() == version)
            let opened = try StateStore.open(state, groups: 0..<16, version: version)
            #expect(opened.count == model.versions[version].count)
            opened.visit { _, key, value in #expect(model.versions[version][key] == value) }
            for (key, value) in model.versions[version] { #expect(store.get(key) == value) }
        }
        #expect(
            try state.files().filter { $0.kind == .snapshot }.map(\.version).sorted() == [10, 20])
        #expect(try state.latestSnapshot(of: 3..<9) == 20)
    }

    @Test func aSecondAttemptOfABatchIsHarmless() throws {
        let state = try StateFolder.test(disk, folder.path)
        var first = try StateStore.open(state, groups: 0..<16, version: 0)
        var second = first
        for key in 0..<30 as Range<UInt8> { first.put(group: Int(key) % 16, [key], [1]) }
        for key in (0..<30 as Range<UInt8>).reversed() {
            second.put(group: Int(key) % 16, [key], [1])
        }
        try first.commit()
        let bytes = try disk.read(StorePath.join(state.path, "1.0-15.delta"))
        try second.commit()
        #expect(try disk.read(StorePath.join(state.path, "1.0-15.delta")) == bytes)
    }

    @Test func whatWasNeverCommittedIsDeleted() throws {
        let state = try StateFolder.test(disk, folder.path)
        let key: [UInt8] = [1, 4]
        try state.write([key: [1]], version: 1, ranges: [0..<16])
        try state.write([key: [2]], version: 2, ranges: [0..<16])
        try folder.write("agg-0/.2.0-15.delta.a.1.tmp", "half")
        try state.deleteVersions(after: 1)
        #expect(try folder.names("agg-0") == ["1.0-15.delta"])
        try state.write([key: [3]], version: 2, ranges: [0..<8, 8..<16])
        #expect(try state.load(2, 0..<16) == [key: [3]])
    }

    @Test func aMissingFileIsNamedByVersionAndGroup() throws {
        let state = try StateFolder.test(disk, folder.path)
        for version in 1...3 { try state.write([:], version: version, ranges: [0..<8, 8..<16]) }
        try disk.delete(StorePath.join(state.path, "2.8-15.delta"))
        #expect(try state.load(3, 0..<8) == [:])
        let error = storeError { _ = try state.load(3, 0..<16) }
        #expect(error?.kind == .notFound)
        #expect(
            error?.description == "cannot load version 3 of the state in \(state.path): "
                + "no file holds version 2 of key group 8")
        try state.purge(neededFrom: 3)  // keeps what it cannot judge
        #expect(try state.files().count == 5)
    }

    @Test func moreKeyGroupsThanNowAreRefused() throws {
        let large = try StateFolder(disk, root: folder.path, operatorID: "agg-0", keyGroups: 256)
        try large.publish(DeltaWriter(.delta, version: 1, groups: 0..<256))
        let error = storeError { _ = try StateFolder.test(disk, folder.path).load(1, 0..<16) }
        #expect(error?.kind == .unsupported)
    }

    @Test func operatorIdsAreOnePathComponent() {
        for id in ["", "..", ".x", "a/b", "a b", "é", String(repeating: "x", count: 300)] {
            let error = storeError {
                _ = try StateFolder(disk, root: folder.path, operatorID: id)
            }
            #expect(error?.kind == .unsupported)
        }
    }

    @Test func largeRecordsAndManyBlocksComeBack() throws {
        let state = try StateFolder(disk, root: folder.path, operatorID: "big")
        var generator = SplitMix64(seed: 1)
        var delta = DeltaWriter(.delta, version: 1, groups: 0..<256)
        var expected: [[UInt8]: [UInt8]] = [:]
        for number in 0..<600 {
            let isNoise = number % 3 == 0
            let size = number == 77 ? 3 << 20 : Int.random(in: 0..<6000, using: &generator)
            let value: [UInt8] =
                isNoise || number == 77
                ? (0..<size).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
                : Array(repeating: 5, count: size)
            let key = Array("key \(number)".utf8)
            delta.put(group: number % 256, key: key, value: value)
            expected[key] = value
        }
        let size = try state.publish(delta)
        #expect(size < expected.values.reduce(0) { $0 + $1.count } / 2 + 4 << 20)
        var groups: [Int] = []
        var found: [[UInt8]: [UInt8]] = [:]
        try StateLoader(state, groups: 0..<256, version: 1).replay { group, key, value in
            groups.append(group)
            found[Array(key)] = value.map { Array($0) }
        }
        #expect(found == expected)
        #expect(groups == groups.sorted())
        var part = 0
        try StateLoader(state, groups: 77..<78, version: 1).replay { group, _, _ in
            #expect(group == 77)
            part += 1
        }
        #expect(part == 3)
    }
}
