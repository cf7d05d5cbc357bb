import Foundation
import MillraceBase
import MillraceStore
import Testing

@testable import Millrace

/// The application's folder, and those that killed ones left.
@Suite struct LocalDirectoryTests {
    private let parent = FileManager.default.temporaryDirectory
        .appendingPathComponent("millrace-folders-\(UUID().uuidString)").path
    private let files = PosixFileSystem()

    private func names() throws -> [String] { try files.names(in: parent) }

    private func make(_ path: String) throws {
        let path = "\(parent)/\(path)"
        try files.makeFolders(StorePath.folder(of: path))
        try files.create(path, exclusively: true).close()
    }

    @Test func foldersOfDeadApplicationsAreRemovedAndNoOthers() throws {
        defer { try? files.deleteTree(parent) }
        let conf = try Conf(["millrace.local.dir": parent])
        let living = try LocalDirectory(conf, applicationID: "app-1-1")
        #expect(try names() == ["millrace-app-1-1"])
        // One whose owner is dead, one that nobody ever locked, and somebody else's.
        try make("millrace-app-2-2/owner.lock")
        try make("millrace-app-2-2/executor-0/blocks/rdd_1_2")
        try make("millrace-app-3-3/executor-0/shuffle_0_1.data")
        try make("other/owner.lock")
        LocalDirectory.removeLeft(in: parent, files)
        #expect(try names() == ["millrace-app-1-1", "millrace-app-3-3", "other"])
        living.remove()
        #expect(try names() == ["millrace-app-3-3", "other"])
    }
}
