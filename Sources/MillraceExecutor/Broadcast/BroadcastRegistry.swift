import MillraceBase
import Synchronization

/// The broadcast values of this process, each once: the driver's own, and in an executor those that
/// tasks have asked for.
final class BroadcastRegistry: Sendable {
    struct Key: Hashable, Sendable {
        /// Tells the applications of one process apart.
        var owner: UInt64
        var id: BroadcastID
    }

    static let shared = BroadcastRegistry()

    private enum Entry {
        case loading
        case loaded(any AnyObject & Sendable)
    }
    private let entries = Monitor<[Key: Entry]>([:])
    /// Where an executor gets values; nil in a driver.
    private let source = Mutex<BroadcastClient?>(nil)

    func connect(_ client: BroadcastClient?) { source.withLock { $0 = client } }

    func put(_ key: Key, _ value: any AnyObject & Sendable) {
        entries.withLock { $0[key] = .loaded(value) }
    }

    /// Who holds the value already keeps it.
    func remove(_ key: Key) {
        entries.withLock { $0[key] = nil }
        entries.wakeAll()
    }

    /// An executor has one application only.
    func remove(_ ids: [BroadcastID]) {
        let ids = Set(ids)
        entries.withLock { entries in
            entries = entries.filter {
                if case .loading = $0.value { return true }
                return !ids.contains($0.key.id)
            }
        }
        entries.wakeAll()
    }

    private enum Found {
        case value(any AnyObject & Sendable)
        case nothing
        case isLoading
    }

    /// The value; nil when it is the caller's to fetch, for whom others wait from now on. Throws
    /// `TaskKilled`: who is told to end does not wait for another task's fetch.
    private func find(_ key: Key) throws -> (any AnyObject & Sendable)? {
        while true {
            let found = entries.withLock { entries -> Found in
                switch entries[key] {
                case .loaded(let value): return .value(value)
                case .loading: return .isLoading
                case nil:
                    entries[key] = .loading
                    return .nothing
                }
            }
            switch found {
            case .value(let value): return value
            case .nothing: return nil
            case .isLoading: try waitForOther(key)
            }
        }
    }

    private func waitForOther(_ key: Key) throws {
        let task = TaskContext.current
        let wait = { [entries] in
            entries.wait { entries -> Void? in
                if case .loading = entries[key], task?.isInterrupted != true { return nil }
                return ()
            }
        }
        guard let task else { return wait() }
        try task.waiting(wakenBy: { [entries] in entries.wakeAll() }, wait)
    }

    /// The value, fetched and decoded by the first who asks while the others wait.
    func value(
        _ key: Key, bytes: Int, isOwnBytes: Bool = false,
        decode: ([UInt8]) throws -> any AnyObject & Sendable
    ) throws -> AnyObject {
        if let known = try find(key) { return known }
        do {
            guard let client = source.withLock({ $0 }) else { throw destroyed(key.id) }
            let value = try decode(try client.fetch(key.id, bytes: bytes))
            client.note(key.id, bytes: bytes, isOwnBytes: isOwnBytes)
            put(key, value)
            entries.wakeAll()
            return value
        } catch {
            remove(key)
            throw error
        }
    }
}

extension BroadcastRegistry {
    /// A plan that is broadcast, fetched and decoded by the first task that runs it. Of an
    /// executor, which has one application only.
    func plan(_ id: BroadcastID, bytes: Int) throws -> ExecutablePlan {
        let found = try value(Key(owner: 0, id: id), bytes: bytes) {
            try ExecutablePlan(decoding: $0)
        }
        guard let plan = found as? ExecutablePlan else {
            throw MillraceError(.corruptData, "\(id) is no plan")
        }
        return plan
    }
}

func destroyed(_ id: BroadcastID) -> MillraceError {
    MillraceError(
        .invalidArgument,
        "\(id) was destroyed and cannot be used any more; call unpersist() to "
            + "free it on executors only")
}
