import MillraceBase
import MillraceCore
import Synchronization

/// The streaming queries of one application. Spark's `StreamingQueryManager`, `session.streams`.
public final class StreamingQueryManager: Sendable {
    private struct State {
        var queries: [StreamingQuery] = []
        var listeners: [any StreamingQueryListener] = []
        /// Names of queries that are being started.
        var names: Set<String> = []
        var tables: [String: any Sendable] = [:]
        var ended: [(query: String, error: MillraceError?)] = []
        var waiters: [Int: CheckedContinuation<MillraceError?, Never>] = [:]
        var nextToken = 0
    }
    private let state = Mutex(State())

    init() {}

    /// Queries that run.
    public var active: [StreamingQuery] { state.withLock { $0.queries } }
    /// The running query of that id.
    public func get(_ id: String) -> StreamingQuery? { active.first { $0.id == id } }

    /// Returns when some query has ended since the start or the last `resetTerminated`; throws what
    /// it failed with.
    public func awaitAnyTermination() async throws {
        let error = await withCheckedContinuation { continuation in
            let ended = state.withLock { state -> (query: String, error: MillraceError?)? in
                if let ended = state.ended.first(where: { $0.error != nil }) ?? state.ended.first {
                    return ended
                }
                state.nextToken += 1
                state.waiters[state.nextToken] = continuation
                return nil
            }
            if let ended { continuation.resume(returning: ended.error) }
        }
        if let error { throw error }
    }

    /// Forgets the queries that have ended, for `awaitAnyTermination`.
    public func resetTerminated() { state.withLock { $0.ended = [] } }

    public func addListener(_ listener: any StreamingQueryListener) {
        state.withLock { $0.listeners.append(listener) }
    }
    public func removeListener(_ listener: any StreamingQueryListener) {
        state.withLock { $0.listeners.removeAll { $0 === listener } }
    }

    /// The rows of a memory sink's table (`queryName`). Throws `notFound` without such a table, and
    /// `invalidArgument` when its rows are of another type.
    public func table<Element>(
        _ name: String, of: Element.Type = Element.self
    ) throws -> [Element] {
        guard let table = state.withLock({ $0.tables[name] }) else {
            throw MillraceError(.notFound, "there is no table \"\(name)\" of a memory sink")
        }
        guard let typed = table as? MemoryTable<Boxed<Element>> else {
            throw MillraceError(
                .invalidArgument, "the rows of table \"\(name)\" are not \(Element.self)")
        }
        return typed.rows.map(\.value)
    }

    /// Stops all queries.
    public func stopAll() async {
        for query in active { await query.stop() }
    }

    // MARK: For queries

    var listeners: [any StreamingQueryListener] { state.withLock { $0.listeners } }

    func set(_ table: any Sendable, named name: String) {
        state.withLock { $0.tables[name] = table }
    }
    func existingTable(_ name: String) -> (any Sendable)? { state.withLock { $0.tables[name] } }

    /// Throws if a query of that name runs.
    func reserve(_ name: String?) throws {
        guard let name else { return }
        let isFree = state.withLock { state in
            !state.queries.contains { $0.name == name } && state.names.insert(name).inserted
        }
        guard isFree else {
            throw MillraceError(
                .invalidArgument,
                "Cannot start query with name \(name) as a query with that name is already "
                    + "active in this "
                    + "session")
        }
    }
    func release(_ name: String?) {
        if let name { state.withLock { _ = $0.names.remove(name) } }
    }

    func began(_ query: StreamingQuery) {
        state.withLock { state in
            state.queries.append(query)
            if let name = query.name { state.names.remove(name) }
        }
    }

    func ended(_ query: StreamingQuery, _ error: MillraceError?) {
        let waiters = state.withLock { state in
            state.queries.removeAll { $0 === query }
            state.ended.append((query.runId, error))
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: error) }
    }

    // MARK: One for each context

    private struct Entry {
        weak var context: MillraceContext?
        var manager: StreamingQueryManager
    }
    private static let managers = Mutex<[ObjectIdentifier: Entry]>([:])

    static func of(_ context: MillraceContext) -> StreamingQueryManager {
        managers.withLock { managers in
            if let entry = managers[ObjectIdentifier(context)], entry.context === context {
                return entry.manager
            }
            managers = managers.filter { $0.value.context != nil }
            let manager = StreamingQueryManager()
            managers[ObjectIdentifier(context)] = Entry(context: context, manager: manager)
            return manager
        }
    }
}

extension MillraceContext {
    /// The streaming queries of this application.
    public var streams: StreamingQueryManager { StreamingQueryManager.of(self) }
    /// Where streams begin.
    public var readStream: DataStreamReader { DataStreamReader(context: self) }
}

extension MillraceSession {
    /// The streaming queries of this application.
    public var streams: StreamingQueryManager { context.streams }
    /// Where streams begin.
    public var readStream: DataStreamReader { context.readStream }
}
