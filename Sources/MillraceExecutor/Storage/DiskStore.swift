import MillraceBase
import MillraceStore
import Synchronization

/// Cached partitions in files of this executor's folder. Readers keep a file open, so that removing
/// it is no matter for them. Spark's DiskStore.
final class DiskStore: Sendable {
    private let folder: String
    private let fileSystem = PosixFileSystem()
    private let sizes = Mutex<[RDDBlockID: Int]>([:])
    private let isFolderMade = Mutex(false)

    init(folder: String) { self.folder = folder }

    func path(_ block: RDDBlockID) -> String { StorePath.join(folder, "\(block)") }
    func size(_ block: RDDBlockID) -> Int? { sizes.withLock { $0[block] } }

    /// Writes a block out of the frames that `next` gives, and returns them for reading. Throws
    /// `StoreError` and what `next` throws; nothing is left behind then.
    @discardableResult func write(
        _ block: RDDBlockID, _ next: () throws -> [UInt8]?
    ) throws -> () throws -> [UInt8]? {
        try isFolderMade.withLock { isMade in
            if !isMade { try fileSystem.makeFolders(folder) }
            isMade = true
        }
        let temporary = StorePath.join(folder, TemporaryName.next(for: "\(block)"))
        var size = 0
        do {
            let file = try fileSystem.create(temporary, exclusively: true)
            while let frame = try next() {
                try file.write(frame)
                size += frame.count
            }
            try file.close()
            let frames = frames(in: try fileSystem.open(temporary), size: size, of: block)
            try fileSystem.rename(temporary, to: path(block), replacing: true)
            sizes.withLock { $0[block] = size }
            return frames
        } catch {
            try? fileSystem.delete(temporary)
            throw error
        }
    }

    /// The block's frames, one after the other; nil when there is no such block.
    func frames(of block: RDDBlockID) throws -> (() throws -> [UInt8]?)? {
        guard let size = size(block) else { return nil }
        return frames(in: try fileSystem.open(path(block)), size: size, of: block)
    }

    private func frames(
        in file: any ReadableFile, size: Int, of block: RDDBlockID
    ) -> () throws -> [UInt8]? {
        var position = 0
        return {
            guard position < size else { return nil }
            let head = try file.read(at: position, count: BlockFrames.headSize)
            let count = BlockFrames.headSize + (try BlockFrames.bodySize(head, of: block))
            let frame = try file.read(at: position, count: count)
            position += count
            return frame
        }
    }

    /// Whether it was there.
    @discardableResult func remove(_ block: RDDBlockID) -> Bool {
        guard sizes.withLock({ $0.removeValue(forKey: block) }) != nil else { return false }
        do { try fileSystem.delete(path(block)) } catch {
            Log.warn("executor", "cannot delete a cached block", ["block": block, "reason": error])
        }
        return true
    }

    func blocks(of rdd: RDDID) -> [RDDBlockID] {
        sizes.withLock { $0.keys.filter { $0.rdd == rdd } }
    }
}
