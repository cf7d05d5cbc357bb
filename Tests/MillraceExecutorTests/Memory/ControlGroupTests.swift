import Glibc
import MillraceBase
import MillraceStore
import Testing

@testable import MillraceExecutor

@Suite struct ControlGroupTests {
    private let root: String

    init() {
        var template = Array("/tmp/control-group-XXXXXX\0".utf8)
        root = template.withUnsafeMutableBytes {
            String(cString: mkdtemp($0.baseAddress!.assumingMemoryBound(to: CChar.self))!)
        }
    }

    private func write(_ path: String, _ text: String) throws {
        let path = "\(root)/\(path)"
        try PosixFileSystem().makeFolders(String(path[..<path.lastIndex(of: "/")!]))
        let file = try PosixFileSystem().create(path, exclusively: false)
        try file.write(Array(text.utf8))
        try file.close()
    }

    private func removed() { try? PosixFileSystem().deleteTree(root) }

    @Test("version 1: the smallest limit on the way to the root")
    func versionOne() throws {
        defer { removed() }
        try write("memory/memory.limit_in_bytes", "9223372036854771712\n")
        try write("memory/a/memory.limit_in_bytes", "1000000\n")
        try write("memory/a/b/memory.limit_in_bytes", "9223372036854771712\n")
        try write("memory/a/b/memory.usage_in_bytes", "4096\n")
        let group = ControlGroup("7:pids:/x\n4:memory:/a/b\n0::/c\n", mount: root)
        #expect(group?.version == .one)
        #expect(group?.limit == 1_000_000)
        #expect(group?.used == 4096)
    }

    @Test("version 2: memory.max, and max is no limit")
    func versionTwo() throws {
        defer { removed() }
        try write("a/memory.max", "max\n")
        try write("a/memory.current", "8192\n")
        let group = ControlGroup("0::/a\n", mount: root)
        #expect(group?.version == .two)
        #expect(group?.limit == nil)
        #expect(group?.used == 8192)
        try write("a/memory.max", "2097152\n")
        #expect(ControlGroup("0::/a\n", mount: root)?.limit == 2_097_152)
    }

    @Test("in a container the path is the host's and the root is its own group")
    func container() throws {
        defer { removed() }
        try write("memory/memory.limit_in_bytes", "536870912\n")
        #expect(ControlGroup("4:memory:/kubepods/p/c\n", mount: root)?.limit == 536_870_912)
        #expect(ControlGroup("", mount: root)?.limit == nil)
    }

    @Test("an executor may use the smaller of what it was promised and what its group allows")
    func limit() throws {
        #expect(MemoryLimit.ofThisProcess(promised: .kibibytes(64)).source == .setting)
        #expect(MemoryLimit.reserve(of: 64 << 20) == 8 << 20)
        #expect(MemoryLimit.reserve(of: 4 << 30) == 64 << 20)
        let manager = MemoryManager(
            limit: MemoryLimit(bytes: 1 << 30, source: .setting), conf: Conf())
        #expect(MemoryText.size(manager.total) == "576.0 MiB")
    }
}
