import Synchronization

/// What other threads want of a running task: its end, with a reason, or what it has added to
/// accumulators. The task hears it at its next chunk of rows, an end also where it waits.
final class TaskInterruption: Sendable {
    private struct State {
        var reason: String?
        var wake: (@Sendable () -> Void)?
    }

    static let killed: UInt8 = 1
    static let askedForAccumulators: UInt8 = 2

    private let wants = Atomic<UInt8>(0)
    private let state = Mutex(State())

    /// Any thread; the first reason counts.
    func kill(reason: String) {
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.reason == nil else { return nil }
            state.reason = reason
            wants.bitwiseOr(Self.killed, ordering: .relaxed)
            return state.wake
        }
        wake?()
    }

    /// Any thread.
    func askForAccumulators() { wants.bitwiseOr(Self.askedForAccumulators, ordering: .relaxed) }

    /// Nothing, most of the time.
    var isWanted: Bool { wants.load(ordering: .relaxed) != 0 }
    var isKilled: Bool { wants.load(ordering: .relaxed) & Self.killed != 0 }
    var reason: String? { isKilled ? state.withLock { $0.reason } : nil }

    /// Whether it was asked for what it has added, since the last time.
    fileprivate func takeAccumulatorsAsked() -> Bool {
        let former = wants.bitwiseAnd(~Self.askedForAccumulators, ordering: .relaxed).oldValue
        return former & Self.askedForAccumulators != 0
    }

    /// False when the task was killed before: there is nothing to wait for then.
    fileprivate func setWake(_ wake: (@Sendable () -> Void)?) -> Bool {
        state.withLock { state in
            state.wake = wake
            return state.reason == nil
        }
    }
}

extension TaskContext {
    /// Asks the task to end; any thread.
    public func kill(reason: String) {
        interruption.kill(reason: reason)
        memory.cancel()
    }

    /// Whether the task was asked to end. Spark's `TaskContext.isInterrupted`.
    public var isInterrupted: Bool { interruption.isKilled }

    /// Throws `TaskKilled` when the task was asked to end. To be called once per chunk of rows by
    /// whoever makes or takes them, and by long loops of the program. Spark's
    /// `killTaskIfInterrupted`.
    @inline(__always) public func killTaskIfInterrupted() throws {
        if interruption.isWanted { try attend() }
    }

    @inline(never) private func attend() throws {
        if let reason = interruption.reason { throw TaskKilled(reason: reason) }
        if interruption.takeAccumulatorsAsked() { tellAccumulators() }
    }

    /// Waits for what another thread brings, not longer than the task is wanted: `wake` ends the
    /// wait early when the task is killed. Throws `TaskKilled` then, whatever `wait` does.
    func waiting<Result>(
        wakenBy wake: @escaping @Sendable () -> Void, _ wait: () throws -> Result
    ) throws -> Result {
        guard interruption.setWake(wake) else {
            throw TaskKilled(reason: interruption.reason ?? "")
        }
        let result = Swift.Result { try wait() }
        _ = interruption.setWake(nil)
        try killTaskIfInterrupted()
        return try result.get()
    }
}

extension TaskContext {
    /// The blocks of a fetch, waited for by the task of the calling thread, if there is one, not
    /// longer than it is wanted. Throws `TaskKilled` and `BlockFetchError`.
    static func waiting(for fetch: any BlockFetch) throws -> [[UInt8]] {
        guard let task = current else { return try fetch.wait() }
        return try task.waiting(wakenBy: { fetch.cancel() }) { try fetch.wait() }
    }
}

/// A task was asked to end and did. Spark's TaskKilledException.
public struct TaskKilled: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String
    public init(reason: String) { self.reason = reason }
    public var description: String { "the task was killed: \(reason)" }
}
