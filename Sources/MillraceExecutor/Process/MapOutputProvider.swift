import MillraceBase
import MillraceNet

/// Serves this executor's map outputs on the data plane. Loop-owned.
final class MapOutputProvider: BlockProvider {
    private let store: MapOutputStore

    init(store: MapOutputStore) { self.store = store }

    func content(of request: BlockRequest) -> BlockContent {
        let name = String(decoding: request.key, as: UTF8.self)
        guard let block = BlockID(name) else { return .failure(.notFound(name)) }
        do {
            switch try store.block(shuffle: block.shuffle, task: block.mapTask, reduce: block.reduce) {
            case nil: return .failure(.notFound(name))
            case .memory(let bytes): return .bytes(bytes)
            case .file(let path, let offset, let length):
                return .file(
                    try SharedFile(path: path), offset: UInt64(offset), length: UInt64(length))
            }
        } catch { return .failure(.failed("\(name): \(error)")) }
    }
}
