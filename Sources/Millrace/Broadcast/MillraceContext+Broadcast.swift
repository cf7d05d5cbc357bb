import MillraceBase
import MillraceExecutor
import MillraceWire
import Synchronization

extension MillraceContext {
    /// Makes a value available to all tasks, to be captured by their closures. It is cut into
    /// pieces (`millrace.broadcast.blockSize`); an executor fetches them when its first task needs
    /// the value, from the driver or from executors that have them. A value that is broadcast
    /// already, by its content, is not sent again. Throws `notSerializable` for a value that cannot
    /// be encoded. Spark's `sc.broadcast`.
    public func broadcast<Value: Sendable>(_ value: Value) throws -> Broadcast<Value> {
        let bytes = try BroadcastCoding.bytes(of: value)
        let content = broadcasts.content(of: bytes, type: "\(Value.self)", runner)
        return Broadcast(value, handle: BroadcastHandle(content), bytes: bytes.count)
    }
}

/// The broadcasts of an application that somebody still holds, by content.
final class KnownBroadcasts: Sendable {
    private struct Content: Hashable {
        var hash: ContentHash
        var type: String
        var count: Int
    }
    private struct Known {
        weak var content: BroadcastContent?
    }

    private let pieceSize: Int
    private let compresses: Bool
    private let owner = UInt64.random(in: 0...UInt64.max)
    private let known = Mutex<[Content: Known]>([:])
    private let ids = Atomic<Int>(0)

    init(_ conf: Conf) {
        pieceSize = conf.broadcast.blockSize.bytes
        compresses = conf.broadcast.compress
    }

    /// The known one of that content, or a new one, which executors may fetch from now on.
    func content(
        of bytes: [UInt8], type: String, _ runner: any JobRunner
    ) -> BroadcastContent {
        let key = Content(hash: ContentHash(of: bytes), type: type, count: bytes.count)
        if let content = known.withLock({ $0[key]?.content }) { return content }
        let id = BroadcastID(ids.wrappingAdd(1, ordering: .relaxed).oldValue)
        runner.register(
            id,
            pieces: {
                BroadcastPiece.pieces(of: bytes, size: pieceSize, compress: compresses)
            })
        let made = BroadcastContent(id: id, owner: owner, runner: runner)
        known.withLock { known in
            known = known.filter { $0.value.content != nil }
            known[key] = Known(content: made)
        }
        return made
    }
}
