import Glibc
import MillraceBase
import Testing

@testable import MillraceStore

@Suite struct FileSystemTests {
    let folder = TemporaryFolder(onDisk: true)
    var disk: PosixFileSystem { folder.fileSystem }

    @Test func aDurableWriteLeavesOnlyTheFile() throws {
        try disk.writeDurably([1, 2, 3], to: folder("a"))
        try disk.writeDurably([4], to: folder("a"))
        #expect(try disk.read(folder("a")) == [4])
        #expect(try folder.names() == ["a"])
        #expect(try disk.size(folder("a")) == 1)
    }

    @Test func ofTwoWritersWithoutReplacingOneWins() throws {
        try disk.writeDurably([1], to: folder("a"), replacing: false)
        let error = storeError { try disk.writeDurably([2], to: folder("a"), replacing: false) }
        #expect(error?.kind == .alreadyExists)
        #expect(try disk.read(folder("a")) == [1])
        #expect(try folder.names() == ["a"])
    }

    @Test func aCrashAtAnyStepLeavesTheOldOrTheNewContent() throws {
        for step in 0... {
            try disk.writeDurably(Array("old".utf8), to: folder("a"))
            let crashing = CrashingFileSystem(failsAt: step)
            let failed = storeError {
                try crashing.writeDurably(Array("newer".utf8), to: folder("a"))
            }
            let text = try folder.text("a")
            #expect(text == "old" || text == "newer")
            if failed == nil {
                #expect(text == "newer")
                break
            }
        }
        try disk.deleteTemporaries(in: folder.path)
        #expect(try folder.names() == ["a"])
    }

    @Test func errorsNameOperationPathAndReason() {
        let error = storeError { _ = try disk.read(folder("missing")) }
        #expect(error?.kind == .notFound)
        #expect(error?.description == "cannot open \(folder("missing")): No such file or directory")
        let noFolder = storeError { try disk.writeDurably([], to: folder("x/y")) }
        #expect(noFolder?.kind == .notFound)
        #expect(storeError { _ = try disk.list(folder("x")) }?.kind == .notFound)
    }

    @Test func foldersAndTrees() throws {
        try disk.makeFolders(folder("a/b/c"))
        try disk.makeFolders(folder("a/b/c"))
        try folder.write("a/b/f", [1])
        try folder.write("a/g", [1, 2])
        #expect(try disk.list(folder("a")).map(\.name) == ["b", "g"])
        #expect(try disk.list(folder("a")).map(\.isFolder) == [true, false])
        #expect(storeError { try disk.makeFolders(folder("a/g/h")) } != nil)
        try disk.deleteTree(folder("a"))
        try disk.deleteTree(folder("a"))
        #expect(try folder.names() == [])
    }

    @Test func appendingGoesBehindTheEndAndReadsStopThere() throws {
        for part in [[1, 2], [3]] as [[UInt8]] {
            let file = try disk.append(folder("log"))
            try file.write(part)
            try file.sync()
            try file.close()
        }
        let file = try disk.open(folder("log"))
        #expect(try file.read(at: 1, count: 100) == [2, 3])
        #expect(try file.read(at: 3, count: 4) == [])
        #expect(try file.read(at: 0, count: 0) == [])
    }

    @Test func aLockIsHeldOnceAndGoesWithItsHolder() throws {
        let lock = try disk.lock(folder("lock"))
        #expect(storeError { _ = try disk.lock(folder("lock")) }?.kind == .locked)
        lock.release()
        do {
            let again = try disk.lock(folder("lock"))
            withExtendedLifetime(again) {}
        }
        _ = try disk.lock(folder("lock"))
    }

    @Test(.enabled(if: TinyDisk.isPossible, "needs root and mount(2) for a disk of 64 KiB"))
    func aFullDiskIsATypedErrorAndLosesNothing() throws {
        let tiny = try TinyDisk(folder("disk"))
        try disk.writeDurably([1], to: folder("disk/a"))
        let big = [UInt8](repeating: 7, count: 1 << 20)
        let error = storeError { try disk.writeDurably(big, to: folder("disk/a")) }
        #expect(error?.kind == .noSpace)
        #expect(error?.operation == "write")
        #expect(error?.asMillraceError.isRetriable == true)
        #expect(try disk.read(folder("disk/a")) == [1])
        #expect(try folder.names("disk") == ["a"])
        tiny.unmount()
    }
}

/// 64 KiB in memory, mounted at a path.
struct TinyDisk {
    let path: String
    static let isPossible: Bool = {
        let folder = TemporaryFolder()
        guard let disk = try? TinyDisk(folder("probe")) else { return false }
        disk.unmount()
        return true
    }()

    init(_ path: String) throws {
        self.path = path
        try PosixFileSystem().makeFolders(path)
        guard mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0 else {
            throw posixError("mount", path)
        }
    }

    func unmount() { umount(path) }
}

@Suite struct StorePathTests {
    @Test func locationsAreResolved() throws {
        #expect(try StorePath.resolve("/a/b/") == "/a/b")
        #expect(try StorePath.resolve("/") == "/")
        #expect(try StorePath.resolve("//a/./b") == "/a/b")
        #expect(try StorePath.resolve("file:///a/b") == "/a/b")
        #expect(try StorePath.resolve("file:/a%20b") == "/a b")
        #expect(try StorePath.resolve("file://localhost/a") == "/a")
        #expect(try StorePath.resolve("relative/x").hasSuffix("/relative/x"))
        #expect(try StorePath.resolve("relative/x").hasPrefix("/"))
    }

    @Test func anotherSchemeIsOneClearError() {
        let error = storeError { _ = try StorePath.resolve("s3://bucket/x") }
        #expect(
            error?.description
                == "cannot use s3://bucket/x: the scheme \"s3\" is not supported; "
                + "give a path or a file:// URI")
        for location in ["hdfs://a/b", "file://host/x", "file:x", "file:///%zz", "", "file:///%00"]
        {
            #expect(storeError { _ = try StorePath.resolve(location) }?.kind == .unsupported)
        }
    }

    @Test func urisComeBackAsTheirPaths() throws {
        for path in ["/a/b c/100%/é", "/x+y=1,2", "/"] {
            #expect(try StorePath.resolve(StorePath.fileURI(path)) == path)
        }
        #expect(StorePath.fileURI("/a b") == "file:///a%20b")
    }

    @Test func pathsAreTakenApart() {
        #expect(StorePath.folder(of: "/a/b") == "/a")
        #expect(StorePath.folder(of: "/a") == "/")
        #expect(StorePath.folder(of: "a") == ".")
        #expect(StorePath.name(of: "/a/b") == "b")
        #expect(StorePath.join("/", "a") == "/a")
    }
}
