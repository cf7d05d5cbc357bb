import Glibc
import MillraceBase
import MillraceNet
import MillraceStore
import MillraceWire
import Testing

@testable import MillraceShuffleService

@Suite("The shuffle service") struct ShuffleServiceTests {
    let blocks: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 7, count: 3_000_000)]

    @Test("serves the blocks of a registered executor to its application")
    func servesBlocks() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        let folder = try fixture.write(application: "a", executor: 3, shuffle: 1, task: 9, blocks)
        _ = try await fixture.register("a", executor: 3, folder: folder).get()
        for (reduce, block) in blocks.enumerated() {
            let fetched = try await fixture.fetch(
                "3/shuffle_1_9_\(reduce)", credential: "a:secret")
            #expect(try fetched.get() == block)
        }
        let status = try fixture.status
        #expect(status.registeredExecutors == 1)
        #expect(status.blocksServed == 3)
        #expect(status.blockBytesServed == 3_000_003)
    }

    @Test("says which block is missing")
    func missingBlocks() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        let folder = try fixture.write(application: "a", executor: 3, shuffle: 1, task: 9, blocks)
        _ = try await fixture.register("a", executor: 3, folder: folder).get()
        for key in ["3/shuffle_1_9_3", "3/shuffle_1_8_0", "3/shuffle_2_9_0", "3/rdd_1_1", "x", ""] {
            let result = try await fixture.fetch(key, credential: "a:secret")
            #expect(result == .failure(.notFound(key)))
        }
        #expect(
            try await fixture.fetch("4/shuffle_1_9_0", credential: "a:secret")
                == .failure(.notFound("4/shuffle_1_9_0: the executor is not registered")))
    }

    @Test("never makes a path of what a key says")
    func pathTraversal() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        let folder = try fixture.write(application: "a", executor: 3, shuffle: 1, task: 9, blocks)
        _ = try await fixture.register("a", executor: 3, folder: folder).get()
        for key in [
            "3/../executor-3/shuffle_1_9_0", "../3/shuffle_1_9_0", "3/shuffle_1_../9_0",
            "3/shuffle_1_9_-1", "3/shuffle_1_9_0/..", "/etc/passwd", "3//etc/passwd",
        ] {
            guard case .failure(.notFound) = try await fixture.fetch(key, credential: "a:secret")
            else {
                Issue.record("\(key) was served")
                continue
            }
        }
    }

    @Test("takes only folders that can be an executor's of that application")
    func refusesFolders() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        let other = try fixture.write(application: "b", executor: 0, shuffle: 0, task: 0, blocks)
        let own = try fixture.write(application: "a", executor: 0, shuffle: 0, task: 0, blocks)
        #expect(symlink(other, "\(fixture.root)/millrace-a/link") == 0)
        for folder in [
            "/etc", "relative", "", "\(own)/../../millrace-b/executor-0",
            "\(fixture.root)/millrace-a/link", "\(fixture.root)/millrace-a/none", "/",
        ] {
            let result = try await fixture.register("a", executor: 0, folder: folder)
            #expect(throws: RPCStatus.self) { try result.get() }
        }
        let foreign = try await fixture.register("a", executor: 0, folder: other)
        guard case .failure(let status) = foreign else { return #expect(Bool(false)) }
        #expect(status.code == .permissionDenied)
        for name in ["", "../a", ".a", "a/b", String(repeating: "a", count: 129), "a b"] {
            let result = try await fixture.register(name, executor: 0, folder: own)
            #expect(throws: RPCStatus.self) { try result.get() }
        }
        #expect(try fixture.status.registeredExecutors == 0)
        #expect(try fixture.status.requestsRefused == 14)
    }

    @Test("lets no application at another one's blocks")
    func refusesForeigners() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        for name in ["a", "b"] {
            let folder = try fixture.write(
                application: name, executor: 0, shuffle: 0, task: 0, [Array(name.utf8)])
            _ = try await fixture.register(
                name, executor: 0, folder: folder, secret: "of \(name)"
            ).get()
        }
        // The same key is another block for each of them.
        for name in ["a", "b"] {
            let result = try await fixture.fetch(
                "0/shuffle_0_0_0", credential: "\(name):of \(name)")
            #expect(try result.get() == Array(name.utf8))
        }
        for credential in ["a:of b", "a:", "a", "", "c:of a"] {
            let result = try await fixture.fetch("0/shuffle_0_0_0", credential: credential)
            guard case .failure(.refused) = result else {
                Issue.record("'\(credential)' was let in: \(result)")
                continue
            }
        }
        let request = ShuffleServiceRequest(
            applicationID: "a", secret: "of b", shuffles: [ShuffleID(0)])
        for method in ["RemoveShuffles", "FinishApplication", "KeepAlive"] {
            let result = try await fixture.call(method, request)
            guard case .failure(let status) = result else {
                Issue.record("\(method) of a stranger was done")
                continue
            }
            #expect(status.code == .permissionDenied)
        }
    }

    @Test("serves the same blocks after it was started again")
    func survivesRestart() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        let folder = try fixture.write(application: "a", executor: 3, shuffle: 1, task: 9, blocks)
        _ = try await fixture.register("a", executor: 3, folder: folder).get()
        try fixture.restart()
        let fetched = try await fixture.fetch("3/shuffle_1_9_2", credential: "a:secret")
        #expect(try fetched.get() == blocks[2])
        guard
            case .failure(.refused) = try await fixture.fetch("3/shuffle_1_9_2", credential: "a:x")
        else {
            Issue.record("the restarted service lets strangers in")
            return
        }
    }

    @Test("sets a damaged registration aside and serves the others")
    func damagedRegistration() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        for name in ["a", "b"] {
            let folder = try fixture.write(
                application: name, executor: 0, shuffle: 0, task: 0, blocks)
            _ = try await fixture.register(name, executor: 0, folder: folder).get()
        }
        let files = PosixFileSystem()
        let path = fixture.root + "/state/a.application"
        var bytes = try files.read(path)
        bytes[bytes.count / 2] ^= 1
        try files.writeDurably(bytes, to: path)
        try fixture.restart()
        #expect(try files.names(in: fixture.root + "/state").contains("a.application.damaged"))
        #expect(try fixture.status.registeredApplications == 1)
        let fetched = try await fixture.fetch("0/shuffle_0_0_0", credential: "b:secret")
        #expect(try fetched.get() == blocks[0])
    }

    @Test("deletes the files of a removed shuffle, and nothing else")
    func removesShuffles() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        var folder = ""
        for shuffle in 0..<3 {
            folder = try fixture.write(
                application: "a", executor: 0, shuffle: shuffle, task: 0, blocks)
        }
        _ = try await fixture.register("a", executor: 0, folder: folder).get()
        let request = ShuffleServiceRequest(
            applicationID: "a", secret: "secret", shuffles: [ShuffleID(1)])
        _ = try await fixture.call("RemoveShuffles", request).get()
        try await fixture.until { $0.service.status.filesDeleted == 2 }
        #expect(
            try PosixFileSystem().names(in: folder) == [
                "shuffle_0_0.data", "shuffle_0_0.index", "shuffle_2_0.data", "shuffle_2_0.index",
            ])
        #expect(
            try await fixture.fetch("0/shuffle_1_0_0", credential: "a:secret")
                == .failure(.notFound("0/shuffle_1_0_0")))
    }

    @Test("deletes everything of a finished application, and only files of shuffles")
    func finishesApplications() async throws {
        let fixture = try ServiceFixture()
        defer { fixture.stop() }
        let files = PosixFileSystem()
        let folder = try fixture.write(application: "a", executor: 0, shuffle: 0, task: 0, blocks)
        let other = try fixture.write(application: "a", executor: 1, shuffle: 0, task: 1, blocks)
        try files.writeDurably([1], to: other + "/not-ours")
        for (executor, path) in [folder, other].enumerated() {
            _ = try await fixture.register("a", executor: executor, folder: path).get()
        }
        let request = ShuffleServiceRequest(applicationID: "a", secret: "secret")
        _ = try await fixture.call("FinishApplication", request).get()
        try await fixture.until { $0.service.status.filesDeleted == 4 }
        #expect(try files.status(folder) == nil)
        #expect(try files.names(in: other) == ["not-ours"])
        #expect(try fixture.status.registeredApplications == 0)
        #expect(try files.names(in: fixture.root + "/state").isEmpty)
    }

    @Test("finishes an application whose driver has gone silent")
    func expiresApplications() async throws {
        let fixture = try ServiceFixture(timeout: .milliseconds(200))
        defer { fixture.stop() }
        let folder = try fixture.write(application: "a", executor: 0, shuffle: 0, task: 0, blocks)
        _ = try await fixture.register("a", executor: 0, folder: folder).get()
        try await fixture.until {
            $0.service.status.applicationsExpired == 1 && $0.service.status.filesDeleted == 2
        }
        #expect(try PosixFileSystem().status(folder) == nil)
    }
}
