import MillraceBase
import MillraceCore

/// Executors without a network: what they're sent they have done when they're next asked. Each
/// holds its tasks in a ring, so that they cost the measured core little cache.
struct InstantExecutors {
    private let scenario: ScaleScenario
    private let batch: Int
    private let hangingStride: Int
    private let shift: Int
    /// By executor, `1 << shift` places each.
    private var rings: [TaskID]
    private var heads: [Int32]
    private var tails: [Int32]
    private(set) var isAlive: [Bool]
    /// Tasks that hang; they end when they are killed.
    private var hanging: [TaskID: Int] = [:]
    private var killed: [(task: TaskID, executor: Int)] = []
    private(set) var ends: [TaskEnd] = []

    private(set) var launched = 0
    private(set) var finishedJobs = 0
    private(set) var failure: JobFailure?
    /// The stage that came first; of `loss` the one with the map tasks.
    private var firstStage: StageID?
    /// The task of `loss` that reads the map outputs.
    private var reader: TaskID?
    private(set) var wakeAt = Instant.distantFuture

    /// An executor holds no more than its cores and `batch` tasks.
    init(_ scenario: ScaleScenario, _ shape: ScaleRun.Shape) {
        self.scenario = scenario
        let count = shape.executors
        batch = shape.batch
        hangingStride = ScaleScenario.hangingStride(shape)
        var shift = 1
        while 1 << shift < shape.cores + batch { shift += 1 }
        self.shift = shift
        rings = [TaskID](repeating: TaskID(0), count: count << shift)
        heads = [Int32](repeating: 0, count: count)
        tails = [Int32](repeating: 0, count: count)
        isAlive = [Bool](repeating: true, count: count)
    }

    /// Does what the core has decided.
    mutating func take(_ effects: Effects) {
        for effect in effects.list {
            switch effect {
            case .launch(let executor, let range):
                launched += range.count
                for task in effects.launches[range] { push(task, on: executor.rawValue) }
            case .kill(_, let task, _):
                if let executor = hanging.removeValue(forKey: task) {
                    killed.append((task, executor))
                }
            case .armTimer(let instant): wakeAt = instant
            case .jobSucceeded: finishedJobs += 1
            case .jobFailed(_, let why): failure = why
            default: break
            }
        }
    }

    private mutating func push(_ task: TaskDescription, on executor: Int) {
        if scenario == .speculation, task.attempt == 0,
            task.partition % hangingStride == 0
        {
            hanging[task.id] = executor
            return
        }
        if firstStage == nil { firstStage = task.stage }
        if task.stage != firstStage { reader = task.id }
        let mask = Int32(1 << shift - 1)
        rings[executor << shift + Int(tails[executor] & mask)] = task.id
        tails[executor] &+= 1
    }

    /// The ends that the executor reports in one message, in `ends`; false when it has none.
    mutating func report(_ executor: Int) -> Bool {
        ends.removeAll(keepingCapacity: true)
        let held = Int(tails[executor] &- heads[executor])
        let mask = 1 << shift - 1
        for place in 0..<min(held, batch) {
            let position = (Int(heads[executor]) + place) & mask
            ends.append(end(of: rings[executor << shift + position], on: executor))
        }
        heads[executor] &+= Int32(ends.count)
        return !ends.isEmpty
    }

    /// The end of a task that was killed, in `ends`, and who reports it.
    mutating func reportKilled() -> ExecutorID? {
        guard let (task, executor) = killed.popLast() else { return nil }
        ends.removeAll(keepingCapacity: true)
        ends.append(TaskEnd(task: task, reason: .killed(reason: "a copy succeeded")))
        return ExecutorID(executor)
    }

    mutating func lose(_ executor: Int) {
        isAlive[executor] = false
        heads[executor] = tails[executor]
    }

    private static let sizes = BlockSizes([100])
    static let runTime = Duration.microseconds(10)

    private func end(of task: TaskID, on executor: Int) -> TaskEnd {
        var reason = TaskEndReason.result([])
        if scenario == .exclusion, executor % ScaleScenario.rarity == 0 {
            reason = .exception(message: "bad disk", trace: "")
        } else if scenario == .loss, task != reader {
            reason = .mapOutput(Self.sizes)
        }
        return TaskEnd(task: task, reason: reason, runTime: Self.runTime)
    }
}
