import MillraceBase
import MillraceWire
import Synchronization

/// A value that tasks read, sent to each executor once however many tasks and jobs use it. Made by
/// `MillraceContext.broadcast`, captured by closures; what travels with them is its number. Spark's
/// Broadcast.
public struct Broadcast<Value>: Codable, Sendable {
    public let id: BroadcastID
    private let owner: UInt64
    private let bytes: Int
    private let cell: Cell
    /// The driver's side.
    let handle: BroadcastHandle?

    /// The decoded value, as long as this process keeps it.
    private final class Box: Sendable {
        nonisolated(unsafe) let value: Value
        init(_ value: Value) { self.value = value }
    }
    private final class Cell: Sendable {
        private struct Content {
            weak var box: Box?
        }
        private let content = Mutex(Content())
        var box: Box? {
            get { content.withLock { $0.box } }
            set { content.withLock { $0.box = newValue } }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case id, owner, bytes
    }

    /// On the driver, of a value that was encoded.
    public init(_ value: Value, handle: BroadcastHandle, bytes: Int) {
        id = handle.id
        owner = handle.owner
        self.bytes = bytes
        self.handle = handle
        cell = Cell()
        BroadcastRegistry.shared.put(.init(owner: owner, id: id), Box(value))
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(BroadcastID.self, forKey: .id)
        owner = try container.decode(UInt64.self, forKey: .owner)
        bytes = try container.decode(Int.self, forKey: .bytes)
        handle = nil
        cell = Cell()
    }

    /// Throws `invalidArgument` when it was destroyed.
    public func encode(to encoder: any Encoder) throws {
        if handle?.isDestroyed == true { throw destroyed(id) }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(owner, forKey: .owner)
        try container.encode(bytes, forKey: .bytes)
    }

    /// The value. The first task of an executor that asks waits until it is there. Costs a lock
    /// each time: take it out of a loop over rows. Throws `invalidArgument` when it was destroyed,
    /// `TaskKilled`, or why it cannot be had, which fails the task.
    public var value: Value {
        get throws {
            if handle?.isDestroyed == true { throw destroyed(id) }
            if let box = cell.box { return box.value }
            let found = try BroadcastRegistry.shared.value(
                .init(owner: owner, id: id), bytes: bytes,
                isOwnBytes: Value.self == [UInt8].self
            ) { bytes in
                Box(try BroadcastCoding<Value>.value(of: bytes, id))
            }
            guard let box = found as? Box else {
                throw MillraceError(.corruptData, "\(id) holds another type than \(Value.self)")
            }
            cell.box = box
            return box.value
        }
    }

    /// Removes the value from the executors; the next task that needs it fetches it again.
    public func unpersist() { handle?.unpersist() }

    /// Removes the value everywhere. Later use throws.
    public func destroy() { handle?.destroy() }
}

/// The driver's end of one broadcast: when it goes, or is destroyed, and no other broadcast has the
/// same content, so does the value, everywhere.
public final class BroadcastHandle: Sendable {
    public let id: BroadcastID
    let owner: UInt64
    private let content: Mutex<BroadcastContent?>

    public init(_ content: BroadcastContent) {
        id = content.id
        owner = content.owner
        self.content = Mutex(content)
    }

    var isDestroyed: Bool { content.withLock { $0 == nil } }
    func unpersist() { content.withLock { $0 }?.unpersist() }
    func destroy() { content.withLock { $0 = nil } }
}

/// A value that is broadcast, once for all broadcasts of equal content.
public final class BroadcastContent: Sendable {
    public let id: BroadcastID
    let owner: UInt64
    private let runner: any JobRunner

    public init(id: BroadcastID, owner: UInt64, runner: any JobRunner) {
        self.id = id
        self.owner = owner
        self.runner = runner
    }

    deinit {
        BroadcastRegistry.shared.remove(.init(owner: owner, id: id))
        runner.removeBroadcast(id, forever: true)
    }

    func unpersist() { runner.removeBroadcast(id, forever: false) }
}
