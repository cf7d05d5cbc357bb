import MillraceBase
import MillraceCore
import MillraceWire

/// The tasks of an executor that wait to hear from the driver whether they may commit their output.
final class CommitDecisions: Sendable {
    private enum Answer: Sendable {
        case outstanding
        case decided(Bool)
        /// The task is wanted no more.
        case withdrawn
    }

    private let answers = Monitor<[TaskID: Answer]>([:])

    /// Whether the task may commit; nil when nobody said so within `limit`, or it was withdrawn. On
    /// the task's thread.
    func wait(for task: TaskID, atMost limit: Duration, asking ask: () -> Void) -> Bool? {
        answers.withLock { $0[task] = .outstanding }
        ask()
        let decision: Bool?? = answers.wait(atMost: limit) { answers in
            switch answers[task] {
            case .outstanding: nil
            case .decided(let isGranted): .some(isGranted)
            case .withdrawn, nil: .some(nil)
            }
        }
        answers.withLock { $0[task] = nil }
        return decision ?? nil
    }

    /// What the driver said. Tasks that wait no more are passed over.
    func decide(_ decisions: [DriverMessage.CommitDecision]) {
        answers.withLock { answers in
            for decision in decisions where answers[decision.task] != nil {
                answers[decision.task] = .decided(decision.isGranted)
            }
        }
        answers.wakeAll()
    }

    func withdraw(_ task: TaskID) {
        answers.withLock { if $0[task] != nil { $0[task] = .withdrawn } }
        answers.wakeAll()
    }
}
