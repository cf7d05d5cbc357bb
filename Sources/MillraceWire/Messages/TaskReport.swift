import MillraceBase
import MillraceCore

/// What a task has to tell the driver, on its way from the task's thread to the control stream.
public enum TaskReport: Sendable {
    /// Once for each task, and the last of it.
    case ended(TaskEnd)
    /// What it has added to accumulators so far.
    case accumulators(PartialAccumulators)
    /// It wants to know whether it may commit its output.
    case commitRequested(TaskID)
}

extension ExecutorMessage {
    /// All that the tasks said in one turn of the loop.
    public init(_ reports: [TaskReport]) {
        self.init()
        for report in reports {
            switch report {
            case .ended(let end): taskEnds.append(end)
            case .accumulators(let partial): partialAccumulators.append(partial)
            case .commitRequested(let task): commitRequests.append(task)
            }
        }
    }
}
