import MillraceBase

/// The two ways in which the tasks of a barrier stage wait for each other.
public enum BarrierKind: Hashable, Sendable, CustomStringConvertible {
    /// Until all are there.
    case barrier
    /// The same; each brings a text and gets those of all.
    case allGather

    public var description: String {
        switch self {
        case .barrier: "barrier()"
        case .allGather: "allGather()"
        }
    }
}

/// A barrier task waits for the others.
public struct BarrierRequest: Hashable, Sendable {
    public var task: TaskID
    /// How often it has waited before, in this attempt.
    public var epoch: Int
    public var kind: BarrierKind
    /// What it brings to `allGather`.
    public var message: String

    public init(task: TaskID, epoch: Int, kind: BarrierKind, message: String = "") {
        self.task = task
        self.epoch = epoch
        self.kind = kind
        self.message = message
    }
}

/// What becomes of the tasks on one executor that wait for the others of their stage.
public struct BarrierDecision: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// All are there. For `allGather` what each brought, by partition; else nothing.
        case passed(messages: [String])
        /// They will never all be there. The tasks are to fail.
        case failed(reason: String)
    }

    public var tasks: [TaskID]
    /// Of the requests that are answered.
    public var epoch: Int
    public var outcome: Outcome

    public init(tasks: [TaskID], epoch: Int, outcome: Outcome) {
        self.tasks = tasks
        self.epoch = epoch
        self.outcome = outcome
    }
}
