import MillraceBase
import MillraceCore
import MillraceNet
import MillraceStore

/// Finds out where a block was damaged: its owner reads it again and compares it with the checksum
/// from when it was written. Spark's ShuffleChecksum diagnosis.
final class BlockDiagnosis: Sendable {
    /// Before a block's name: asks for its checksums then and now.
    static let prefix = "checksum_"
    private let store: MapOutputStore
    private let fetcher: any BlockFetcher
    private let thread = BackgroundThread("blocks-check")

    init(store: MapOutputStore, fetcher: any BlockFetcher) {
        self.store = store
        self.fetcher = fetcher
    }

    func stop() { thread.stop() }

    // MARK: The owner's side

    /// Reading may take long: not on the loop.
    func answer(_ key: String) -> BlockContent {
        guard let block = BlockID(key.dropFirst(Self.prefix.count)) else {
            return .failure(.notFound(key))
        }
        return .later { [self] answer in
            thread.perform { [self] in
                do {
                    var reply = ByteWriter()
                    guard let sums = try checksums(block) else { return answer(.bytes([])) }
                    reply.writeFixed(sums.written)
                    reply.writeFixed(sums.now)
                    answer(.bytes(reply.bytes))
                } catch { answer(.failure(.failed("\(error)"))) }
            }
        }
    }

    /// nil for a block that is in memory here. Throws for one that isn't here, and `StoreError`.
    private func checksums(_ block: BlockID) throws -> BlockChecksums? {
        let content = try store.block(
            shuffle: block.shuffle, task: block.mapTask, reduce: block.reduce)
        switch content {
        case nil: throw MillraceError(.notFound, "\(block) is not here")
        case .memory: return nil
        case .file(let file, let partition):
            return BlockChecksums(
                written: file.segments[partition].checksum, now: try file.checksum(of: partition))
        }
    }

    // MARK: The reader's side

    /// Where a block was damaged of which so much is known here: the checksum of what arrived, if
    /// that is. Waits for its owner.
    func damage(
        of block: BlockID, from executor: ExecutorID, isOwn: Bool, received: UInt32? = nil
    ) -> BlockDamage {
        do {
            let sums = isOwn ? try checksums(block) : try ask(block, executor)
            return BlockDamage(of: executor, sums, received: received)
        } catch { return .unknown(executor, "\(error)") }
    }

    /// nil when the block is in no file.
    private func ask(_ block: BlockID, _ executor: ExecutorID) throws -> BlockChecksums? {
        let fetch = fetcher.start(names: [Self.prefix + block.description], from: executor)
        let reply = try TaskContext.waiting(for: fetch)
        guard let bytes = reply.first, !bytes.isEmpty else { return nil }
        var reader = ByteReader(bytes)
        return BlockChecksums(
            written: try reader.readFixed(UInt32.self), now: try reader.readFixed(UInt32.self))
    }
}

/// Of a block in a file: as it was written, and as it is read now.
struct BlockChecksums: Hashable, Sendable {
    var written: UInt32
    var now: UInt32
}

/// Where a block was damaged that its reader could not open.
enum BlockDamage: Hashable, Sendable, CustomStringConvertible {
    /// Its owner's file is not what was written.
    case onDisk(ExecutorID)
    /// The file is right: in the network, or in the memory of either side.
    case onItsWay(ExecutorID)
    /// What arrived is what was written, and that was wrong already.
    case beforeWritten(ExecutorID)
    /// It was never in a file.
    case inMemory(ExecutorID)
    /// The owner cannot say, and why.
    case unknown(ExecutorID, String)

    init(of owner: ExecutorID, _ sums: BlockChecksums?, received: UInt32?) {
        guard let sums else {
            self = .inMemory(owner)
            return
        }
        if sums.written != sums.now {
            self = .onDisk(owner)
        } else {
            self = received == sums.written ? .beforeWritten(owner) : .onItsWay(owner)
        }
    }

    var description: String {
        switch self {
        case .onDisk(let owner): "on the disk of \(owner): its file is not what was written"
        case .onItsWay(let owner):
            "on its way, in the network or in memory: the file of \(owner) is as it was written"
        case .beforeWritten(let owner):
            "before it was written, in the memory of \(owner): what arrived is what its file has"
        case .inMemory(let owner): "in the memory of \(owner)"
        case .unknown(let owner, let why): "somewhere: \(owner) cannot say where (\(why))"
        }
    }
}
