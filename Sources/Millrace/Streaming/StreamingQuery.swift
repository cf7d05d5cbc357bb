import MillraceBase
import MillraceCore
import Synchronization

/// A query that was started: runs on its own thread until it is stopped, ends or fails. Spark's
/// `StreamingQuery`.
public final class StreamingQuery: Sendable {
    /// The query's durable name, a UUID kept in the checkpoint.
    public let id: String
    /// Of this start of the query, a UUID.
    public let runId: String
    /// As given with `queryName`.
    public let name: String?

    private struct State {
        var status = StreamingQueryStatus(
            message: "Initializing sources", isDataAvailable: false, isTriggerActive: false)
        var progress: [StreamingQueryProgress] = []
        var scaling: ScalingDecision?
        var exception: MillraceError?
        var isActive = true
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
        var processAll: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextToken = 0
    }
    private let state = Mutex(State())
    private let retained: Int
    private let mailbox: QueryMailbox
    /// Ends the job at work when the query is stopped.
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(id: String, runId: String, name: String?, retained: Int, mailbox: QueryMailbox) {
        self.id = id
        self.runId = runId
        self.name = name
        self.retained = retained
        self.mailbox = mailbox
    }

    // MARK: What it is doing

    public var isActive: Bool { state.withLock { $0.isActive } }
    /// Why it ended, if it failed.
    public var exception: MillraceError? { state.withLock { $0.exception } }
    public var status: StreamingQueryStatus { state.withLock { $0.status } }
    /// Of the last trigger; nil before the first.
    public var lastProgress: StreamingQueryProgress? { state.withLock { $0.progress.last } }
    /// The last hundred (`millrace.streaming.numRecentProgressUpdates`), oldest first.
    public var recentProgress: [StreamingQueryProgress] { state.withLock { $0.progress } }

    /// The last answer of the controller that says how many slots the query needs; nil without
    /// `millrace.streaming.dynamicAllocation.enabled`.
    public var lastScalingDecision: ScalingDecision? { state.withLock { $0.scaling } }

    // MARK: Control

    /// Ends the query and returns when it has ended. A batch at work is cut off; the next start
    /// repeats it.
    public func stop() async {
        mailbox.post(.stopRequested)
        task.withLock { $0?.cancel() }
        _ = await ended()
    }

    /// Returns when the query has ended; throws what it failed with.
    public func awaitTermination() async throws {
        _ = await ended()
        if let exception { throw exception }
    }

    /// Whether the query ended within `timeout`; throws what it failed with.
    @discardableResult
    public func awaitTermination(timeout: Duration) async throws -> Bool {
        let hasEnded = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.ended() }
            group.addTask {
                try? await ContinuousClock().sleep(for: timeout)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        if let exception { throw exception }
        return hasEnded || !isActive
    }

    /// Returns when all data that is there now has been processed and committed; throws what the
    /// query failed with. For tests: with data arriving all the time it may take for ever.
    public func processAllAvailable() async throws {
        await withCheckedContinuation { continuation in
            let token = state.withLock { state -> Int? in
                guard state.isActive else { return nil }
                state.nextToken += 1
                state.processAll[state.nextToken] = continuation
                return state.nextToken
            }
            guard let token else { return continuation.resume() }
            mailbox.post(.processAllRequested(token: token))
        }
        if let exception { throw exception }
    }

    /// True when it has ended, false when the waiting task was cancelled.
    private func ended() async -> Bool {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.isActive, !Task.isCancelled else { return true }
                    state.waiters[token] = continuation
                    return false
                }
                if isOver { continuation.resume(returning: !isActive) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: token) }?.resume(returning: false)
        }
    }

    // MARK: For the runner

    func runs(as task: Task<Void, Never>) { self.task.withLock { $0 = task } }

    func update(_ message: String, isDataAvailable: Bool, isTriggerActive: Bool) {
        state.withLock { state in
            state.status.message = message
            state.status.isDataAvailable = isDataAvailable
            state.status.isTriggerActive = isTriggerActive
        }
    }

    func add(_ progress: StreamingQueryProgress) {
        state.withLock { state in
            state.progress.append(progress)
            if state.progress.count > retained { state.progress.removeFirst() }
        }
    }

    func note(_ decision: ScalingDecision) { state.withLock { $0.scaling = decision } }

    func complete(_ tokens: [Int]) {
        let waiting = state.withLock { state in
            tokens.compactMap { state.processAll.removeValue(forKey: $0) }
        }
        for continuation in waiting { continuation.resume() }
    }

    func end(_ error: MillraceError?) {
        let (waiters, processAll) = state.withLock { state in
            state.isActive = false
            state.exception = error
            state.status = StreamingQueryStatus(
                message: error.map { "Terminated with exception: \($0.message)" } ?? "Stopped",
                isDataAvailable: false, isTriggerActive: false)
            defer {
                state.waiters = [:]
                state.processAll = [:]
            }
            return (Array(state.waiters.values), Array(state.processAll.values))
        }
        task.withLock { $0 = nil }
        for waiter in waiters { waiter.resume(returning: true) }
        for waiter in processAll { waiter.resume() }
    }
}

extension StreamingQuery: CustomStringConvertible {
    public var description: String { "Query \(name ?? "<unnamed>") [id = \(id), runId = \(runId)]" }
}
