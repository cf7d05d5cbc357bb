import MillraceBase
import MillraceCore

/// What a task of a barrier stage knows more than another one: the other tasks of its stage, which
/// all run while it runs, and how to wait for them. Spark's BarrierTaskContext.
///
/// For the function that was given to `rdd.barrier().mapPartitions`, on the thread on which that is
/// called:
///
///     let parts = rdd.barrier().mapPartitions { rows in
///         let task = try BarrierTaskContext.get()
///         let sums = try task.allGather("\(rows.reduce(0, +))")
///         return [sums.compactMap { Int($0) }.reduce(0, +)]
///     }
///
/// All tasks must make the same calls in the same order. When a call throws, the task is to fail:
/// the stage is then tried again as a whole.
public struct BarrierTaskContext {
    /// What every task knows.
    public let task: TaskContext
    private let stage: TaskBarrier

    init?(_ task: TaskContext) {
        guard let stage = task.barrier else { return nil }
        self.task = task
        self.stage = stage
    }

    /// Of the task that the calling thread runs; nil elsewhere, and in a stage without barrier.
    public static var current: BarrierTaskContext? {
        TaskContext.current.flatMap { BarrierTaskContext($0) }
    }

    /// As `current`. Throws `MillraceError.invalidArgument` where there is none. Spark's
    /// `BarrierTaskContext.get()`.
    public static func get() throws -> BarrierTaskContext {
        guard let current else {
            throw MillraceError(
                .invalidArgument,
                "this is no task of a barrier stage: BarrierTaskContext is for the function given "
                    + "to rdd.barrier().mapPartitions, on the thread that calls it")
        }
        return current
    }

    /// The partition that the task computes, and its place in `taskInfos`.
    public var partitionId: Int { task.partitionId }
    public var stageId: Int { task.stageId }
    /// Always 0: a barrier task is never tried again by itself.
    public var attemptNumber: Int { task.attemptNumber }
    /// How often the stage was started before.
    public var stageAttemptNumber: Int { task.stageAttemptNumber }
    public var taskAttemptId: Int { task.taskAttemptId }

    /// The tasks of the stage, by partition. Spark's `getTaskInfos()`.
    public var taskInfos: [BarrierTaskInfo] {
        stage.addresses.map { BarrierTaskInfo(address: $0) }
    }

    /// Waits until all tasks of the stage have called it equally often. Throws `MillraceError`
    /// (`unavailable`) when that cannot be any more: one has ended, or called `allGather` instead,
    /// or did not come within `millrace.barrier.sync.timeout`. Throws `TaskKilled` when the task is
    /// asked to end, as it is when another one fails.
    public func barrier() throws { _ = try stage.wait(.barrier, "") }

    /// As `barrier()`; brings a text and gives those of all tasks, by partition. All of them
    /// together may be as long as half of `millrace.rpc.message.maxSize`.
    public func allGather(_ message: String = "") throws -> [String] {
        try stage.wait(.allGather, message)
    }
}

/// Where a task of a barrier stage runs.
public struct BarrierTaskInfo: Hashable, Sendable {
    /// `host:port`, the port on which its executor serves blocks; in `local[N]` without port.
    public let address: String
}

/// A barrier task's way to the others of its stage. Used by the task's thread only.
final class TaskBarrier {
    /// By partition.
    let addresses: [String]
    private let ask: (BarrierRequest) throws -> [String]
    private let task: TaskID
    /// Waits that are over.
    private var epoch = 0

    /// `ask` waits for the others.
    init(
        _ task: TaskID, addresses: [String], ask: @escaping (BarrierRequest) throws -> [String]
    ) {
        self.task = task
        self.addresses = addresses
        self.ask = ask
    }

    /// Of a task that runs after one of its stage's others and before the next: it can only wait
    /// where there are no others.
    static func serial(_ task: TaskID, of count: Int) -> TaskBarrier {
        TaskBarrier(task, addresses: [String](repeating: "localhost", count: count)) {
            guard count == 1 else {
                throw MillraceError(
                    .invalidArgument,
                    "\(count) tasks that run one after the other cannot wait for each other; "
                        + "run the job on local[\(count)]")
            }
            return $0.kind == .allGather ? [$0.message] : []
        }
    }

    func wait(_ kind: BarrierKind, _ message: String) throws -> [String] {
        let messages = try ask(
            BarrierRequest(task: task, epoch: epoch, kind: kind, message: message))
        epoch += 1
        return messages
    }
}
