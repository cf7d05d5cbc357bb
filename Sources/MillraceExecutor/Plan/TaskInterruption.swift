import Synchronization

/// Whether a task is to end, and why: said on any thread, heard on the task's at its next chunk of
/// rows, or at once where it waits.
final class TaskInterruption: Sendable {
    private struct State {
        var reason: String?
        var wake: (@Sendable () -> Void)?
    }

    private let isSet = Atomic<Bool>(false)
    private let state = Mutex(State())

    /// Any thread; the first reason counts.
    func kill(reason: String) {
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.reason == nil else { return nil }
            state.reason = reason
            isSet.store(true, ordering: .relaxed)
            return state.wake
        }
        wake?()
    }

    var isKilled: Bool { isSet.load(ordering: .relaxed) }
    var reason: String? { isKilled ? state.withLock { $0.reason } : nil }

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
        if isInterrupted { throw killed() }
    }

    @inline(never) private func killed() -> TaskKilled {
        TaskKilled(reason: interruption.reason ?? "")
    }

    /// Waits for what another thread brings, not longer than the task is wanted: `wake` ends the
    /// wait early when the task is killed. Throws `TaskKilled` then, whatever `wait` does.
    func waiting<Result>(
        wakenBy wake: @escaping @Sendable () -> Void, _ wait: () throws -> Result
    ) throws -> Result {
        guard interruption.setWake(wake) else { throw killed() }
        let result = Swift.Result { try wait() }
        _ = interruption.setWake(nil)
        try killTaskIfInterrupted()
        return try result.get()
    }
}

/// A task was asked to end and did. Spark's TaskKilledException.
public struct TaskKilled: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String
    public init(reason: String) { self.reason = reason }
    public var description: String { "the task was killed: \(reason)" }
}
