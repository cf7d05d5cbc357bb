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
                    guard let sums = try checksums(block) else {
                        return answer(.failure(.notFound(key)))
                    }
                    reply.writeFixed(sums.written)
                    reply.writeFixed(sums.now)
                    answer(.bytes(reply.bytes))
                } catch { answer(.failure(.failed("\(error)"))) }
            }
        }
    }

    /// nil for a block that isn't in a file here.
    private func checksums(_ block: BlockID) throws -> (written: UInt32, now: UInt32)? {
        guard
            case .file(let file, let partition)? = try store.block(
                shuffle: block.shuffle, task: block.mapTask, reduce: block.reduce)
        else { return nil }
        return (file.segments[partition].checksum, try file.checksum(of: partition))
    }

    // MARK: The reader's side

    /// What is to be said of a damaged block. Waits for its owner.
    func cause(_ block: BlockID, from executor: ExecutorID, isOwn: Bool) -> String {
        do {
            let sums = isOwn ? try checksums(block) : try ask(block, executor)
            guard let sums else { return "in the memory of \(executor)" }
            return sums.written == sums.now
                ? "on its way, in the network or in memory: the file of \(executor) is as it was "
                    + "written"
                : "on the disk of \(executor): its file is not what was written"
        } catch { return "somewhere: \(executor) cannot say where (\(error))" }
    }

    private func ask(
        _ block: BlockID, _ executor: ExecutorID
    ) throws -> (written: UInt32, now: UInt32)? {
        let reply = try fetcher.start(names: [Self.prefix + block.description], from: executor)
            .wait()
        var reader = ByteReader(reply.first ?? [])
        return (try reader.readFixed(UInt32.self), try reader.readFixed(UInt32.self))
    }
}
