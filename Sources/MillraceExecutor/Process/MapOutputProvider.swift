import MillraceBase
import MillraceNet
import MillraceStore

/// Serves this executor's map outputs on the data plane, and takes what others announce.
/// Loop-owned.
final class MapOutputProvider: BlockProvider {
    private let runtime: ExecutorRuntime
    private let store: MapOutputStore

    init(_ runtime: ExecutorRuntime) {
        self.runtime = runtime
        store = runtime.mapOutputStore
    }

    func receive(_ notice: [UInt8]) {
        do { runtime.deliver(try MapOutputReady(decoding: notice)) } catch {
            Log.warn("executor", "a peer told what cannot be read", ["reason": error])
        }
    }

    func content(of request: BlockRequest) -> BlockContent {
        let name = String(decoding: request.key, as: UTF8.self)
        guard let block = BlockID(name) else { return .failure(.notFound(name)) }
        do {
            switch try store.block(
                shuffle: block.shuffle, task: block.mapTask, reduce: block.reduce)
            {
            case nil: return .failure(.notFound(name))
            case .memory(let bytes): return .bytes(bytes)
            case .file(let file, let partition):
                let segment = file.segments[partition]
                return .file(
                    try SharedFile(path: segment.path), offset: UInt64(segment.offset),
                    length: UInt64(segment.length))
            }
        } catch { return .failure(.failed("\(name): \(error)")) }
    }
}
