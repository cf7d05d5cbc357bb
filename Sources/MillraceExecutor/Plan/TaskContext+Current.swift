import CLinux
import MillraceBase
import MillraceCore

extension TaskContext {
    /// The task that the calling thread runs; nil elsewhere. Spark's `TaskContext.get()`.
    public static var current: TaskContext? {
        clinux_this_task().pointee.context.map {
            Unmanaged<TaskContext>.fromOpaque($0).takeUnretainedValue()
        }
    }

    /// Runs the task's code on the calling thread, so that `current` and accumulators find it.
    func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        let here = clinux_this_task()
        let former = here.pointee
        here.pointee = clinux_task(
            context: Unmanaged.passUnretained(self).toOpaque(),
            accumulators: clinux_nothing_accumulated(), mask: 0)
        defer { here.pointee = former }
        accumulators.enter(here)
        return try body()
    }

    /// The partition that the task computes. Spark's `partitionId()`.
    public var partitionId: Int { partition }
    /// Spark's `stageId()`.
    public var stageId: Int { stage.rawValue }
    /// How often the stage was started before. Spark's `stageAttemptNumber()`.
    public var stageAttemptNumber: Int { stageAttempt }
    /// How often the task was started before, in this attempt of its stage. Spark's
    /// `attemptNumber()`.
    public var attemptNumber: Int { attempt }
    /// Unique in the application: no two attempts share it. Spark's `taskAttemptId()`.
    public var taskAttemptId: Int { taskID.rawValue }

    /// What the job was given with `withLocalProperty` or `setLocalProperty`; nil when nothing.
    /// Spark's `getLocalProperty`.
    public func localProperty(_ key: String) -> String? {
        localProperties.first { $0.key == key }?.value
    }
}
