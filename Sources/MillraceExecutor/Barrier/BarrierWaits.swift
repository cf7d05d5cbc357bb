import MillraceBase
import MillraceCore
import MillraceWire

/// The tasks of an executor that wait for the others of their barrier stage, and where the
/// executors are.
final class BarrierWaits: Sendable {
    private enum Answer: Sendable {
        case outstanding(epoch: Int)
        case decided(BarrierDecision.Outcome)
        /// The task is wanted no more.
        case withdrawn
    }

    private struct State {
        var answers: [TaskID: Answer] = [:]
        var addresses: [ExecutorID: String] = [:]
    }

    private let state = Monitor(State())
    let limits: BarrierLimits

    init(limits: BarrierLimits) { self.limits = limits }

    /// What the driver decided; nil when it said nothing within `limit`, or the task was withdrawn.
    /// On the task's thread.
    func wait(
        _ request: BarrierRequest, atMost limit: Duration, asking ask: () -> Void
    ) -> BarrierDecision.Outcome? {
        let task = request.task
        state.withLock { $0.answers[task] = .outstanding(epoch: request.epoch) }
        ask()
        let end = ContinuousClock.now + limit
        var outcome: BarrierDecision.Outcome??
        // The monitor waits for days, not for a year.
        while outcome == nil, ContinuousClock.now < end {
            outcome = state.wait(atMost: end - ContinuousClock.now) { state in
                switch state.answers[task] {
                case .outstanding: nil
                case .decided(let outcome): .some(outcome)
                case .withdrawn, nil: .some(nil)
                }
            }
        }
        state.withLock { $0.answers[task] = nil }
        return outcome ?? nil
    }

    /// What the driver said. Tasks that wait no more, or for another epoch, are passed over.
    func decide(_ decisions: [BarrierDecision]) {
        state.withLock { state in
            for decision in decisions {
                for task in decision.tasks {
                    guard case .outstanding(let epoch) = state.answers[task],
                        epoch == decision.epoch
                    else { continue }
                    state.answers[task] = .decided(decision.outcome)
                }
            }
        }
        state.wakeAll()
    }

    func withdraw(_ task: TaskID) {
        state.withLock { if $0.answers[task] != nil { $0.answers[task] = .withdrawn } }
        state.wakeAll()
    }

    // MARK: Addresses

    func add(_ peers: [DriverMessage.Peer]) {
        state.withLock { state in
            for peer in peers where !peer.isService {
                state.addresses[peer.executor] =
                    peer.port == 0 ? peer.host : "\(peer.host):\(peer.port)"
            }
        }
    }

    func remove(_ executors: [ExecutorID]) {
        state.withLock { state in for executor in executors { state.addresses[executor] = nil } }
    }

    /// One that is unknown has left since the launch: the stage is tried again anyway.
    func addresses(of executors: [ExecutorID]) -> [String] {
        state.withLock { state in executors.map { state.addresses[$0] ?? "" } }
    }
}

/// How long barrier tasks wait, and how much they may tell each other.
public struct BarrierLimits: Sendable {
    /// The driver ends the wait before; this is for one that says nothing at all.
    public var wait: Duration
    /// Of one task's message.
    public var messageBytes: Int

    public init(wait: Duration = .seconds(120), messageBytes: Int = 1 << 26) {
        self.wait = wait
        self.messageBytes = messageBytes
    }

    public init(_ conf: Conf) {
        self.init(
            wait: conf.barrier.syncTimeout + conf.network.timeout,
            messageBytes: conf.network.maxMessageSize.bytes / 2)
    }
}
