import MillraceBase
import MillraceNet
import Synchronization

/// The pieces of the driver's broadcasts, served to executors. Filled by any thread, read on the
/// loop.
public final class BroadcastStore: BlockProvider, Sendable {
    private let pieces = Mutex<[BroadcastID: [BlockContent]]>([:])
    private let uploaded = Atomic<Int>(0)

    init() {}

    /// Bytes of pieces that executors were given so far.
    public var uploadedBytes: Int { uploaded.load(ordering: .relaxed) }
    /// Broadcasts that are kept.
    public var count: Int { pieces.withLock { $0.count } }

    func add(_ id: BroadcastID, _ pieces: [BlockContent]) {
        self.pieces.withLock { $0[id] = pieces }
    }
    func remove(_ id: BroadcastID) { pieces.withLock { _ = $0.removeValue(forKey: id) } }

    public func content(of request: BlockRequest) -> BlockContent {
        let name = String(decoding: request.key.prefix(64), as: UTF8.self)
        let parts = name.split(separator: "_")
        guard parts.count == 3, parts[0] == "broadcast", let id = Int(parts[1]),
            let piece = Int(parts[2].dropFirst("piece".count)),
            let content = pieces.withLock({ pieces -> BlockContent? in
                guard let all = pieces[BroadcastID(id)], all.indices.contains(piece) else {
                    return nil
                }
                return all[piece]
            })
        else { return .failure(.notFound(name)) }
        uploaded.wrappingAdd(Int(clamping: content.length ?? 0), ordering: .relaxed)
        return content
    }
}
