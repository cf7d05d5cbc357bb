import MillraceBase
import MillraceCore
import MillraceStore

/// A block of another executor in a file of this one: too large to be held in memory, and not to
/// depend on its owner for as long as it takes to read. Spark's `fetchToDisk`.
///
/// The file is where spills are and has the very bytes that were sent: frames, encrypted if the
/// application's files are. It goes with the value, however the task ends.
final class FetchedCopy {
    let block: BlockID
    private let file: SpillFile
    private let folder: String
    private let executor: ExecutorID
    private var received = CRC32C()
    /// Of what arrived.
    var checksum: UInt32 { received.value }

    /// Throws `StoreError`.
    init(of block: BlockID, in spills: SpillFolder, on executor: ExecutorID) throws(StoreError) {
        self.block = block
        self.executor = executor
        folder = spills.folder
        // By this name it is deleted with its shuffle, should the process not come to do it.
        file = try spills.create("\(block).fetched")
    }

    var size: Int { file.size }

    func append(_ part: [UInt8]) throws(StoreError) {
        received.update(part[...])
        try file.append(part)
    }

    /// All is there.
    func finish() throws(StoreError) { try file.finish() }

    /// Up to `count` bytes, fewer only at the end.
    func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
        try file.read(at: offset, count: min(count, file.size - offset))
    }

    /// What is wrong when the file is not what arrived; nil when it is.
    var damage: LocalDiskDamaged? {
        do {
            var kept = CRC32C()
            var offset = 0
            while offset < file.size {
                let bytes = try read(at: offset, count: 1 << 20)
                kept.update(bytes[...])
                offset += bytes.count
            }
            if kept.value == received.value { return nil }
            return LocalDiskDamaged(
                executor: executor, folder: folder,
                what: "the copy of \(block) is not what arrived here")
        } catch {
            return LocalDiskDamaged(
                executor: executor, folder: folder,
                what: "the copy of \(block) cannot be read (\(error))")
        }
    }
}

/// What this executor wrote for a task of its own is not there any more as it was written: the
/// executor's fault, not the task's, which is tried on another one.
struct LocalDiskDamaged: Error, Hashable, Sendable, CustomStringConvertible {
    var executor: ExecutorID
    var folder: String
    var what: String

    var description: String {
        "the disk of \(executor) damages files in \(folder): \(what); set millrace.local.dir to "
            + "a folder on another disk"
    }
}

extension FetchedBlocks {
    /// Puts a block into a file, two parts under way at a time, and says how to read it there.
    /// Throws `FetchFailure`, `LocalDiskFull`, `TaskKilled` and `MemoryExhausted`; no file is left
    /// then.
    func copied(_ status: MapStatus) throws -> Content {
        let block = block(of: status)
        let size = status.sizes[reduce]
        Log.debug(
            "executor", "a large block goes to disk", ["block": block, "about bytes": size])
        try reserveForPiece()
        let spills = runtime.mapOutputStore.spills
        let copy = try LocalDiskFull.whileWriting(
            "a copy of \(block), which is too large for memory", bytes: size, to: spills.folder
        ) {
            let copy = try FetchedCopy(of: block, in: spills, on: runtime.executor)
            try reservingAnother { isThere in
                try receive(status, into: copy, partsUnderWay: isThere ? 2 : 1)
            }
            try copy.finish()
            return copy
        }
        self.copy = copy
        return .pieces(
            BlockPieces(of: runtime.pieceSize) { $2 = try copy.read(at: $0, count: $1) })
    }

    private func receive(
        _ status: MapStatus, into copy: FetchedCopy, partsUnderWay: Int
    ) throws {
        var underWay: [any BlockFetch] = []
        defer { for fetch in underWay { fetch.cancel() } }
        var asked = 0
        while true {
            while underWay.count < partsUnderWay {
                underWay.append(part(asked..<(asked + runtime.pieceSize), of: status))
                asked += runtime.pieceSize
            }
            let part = try arrived(underWay.removeFirst(), of: status)
            try copy.append(part)
            if part.count < runtime.pieceSize { return }
        }
    }
}
