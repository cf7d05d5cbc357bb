import MillraceBase
import MillraceCore
import MillraceWire
import Synchronization

/// Runs the tasks of one executor: what is resident here (plans, stages, map outputs), and one
/// thread per core slot.
///
/// The same in an executor process, which is fed by the control stream, and inside the driver for
/// `local[N]`, which is fed by values. `launch` and its siblings are called by the loop and never
/// block; a task's end is reported on its thread.
public final class ExecutorRuntime: Sendable {
    private struct StageKey: Hashable {
        var stage: StageID
        var attempt: Int
    }
    private struct State {
        var stages: [StageKey: ResidentStage] = [:]
        var outputs: [ShuffleID: MapOutputs] = [:]
        /// Tasks that a thread has taken.
        var running: [TaskID: TaskContext] = [:]
        /// Killed between a thread's taking them and their start, with the reason.
        var killed: [TaskID: String] = [:]
        /// Tasks here, queued or running.
        var held: Set<TaskID> = []
    }
    private struct Work: Sendable {
        var task: TaskDescription
        var stage: ResidentStage?
    }

    public let executor: ExecutorID
    public let plans = ResidentPlans()
    public let mapOutputStore: MapOutputStore
    public let memory: MemoryManager
    public let slots: Int
    let fetcher: any BlockFetcher
    let maxBytesInFlight: Int
    private let report: @Sendable (TaskEnd) -> Void
    private let state = Mutex(State())
    private let queue = WorkQueue<Work>()
    private let threads = Mutex<[TaskThread]>([])

    /// `report` is called once for each launched task, on its thread.
    public init(
        executor: ExecutorID, slots: Int, memory: MemoryManager, mapOutputStore: MapOutputStore,
        fetcher: any BlockFetcher, maxBytesInFlight: Int,
        report: @escaping @Sendable (TaskEnd) -> Void
    ) {
        self.executor = executor
        self.slots = slots
        self.memory = memory
        self.mapOutputStore = mapOutputStore
        self.fetcher = fetcher
        self.maxBytesInFlight = maxBytesInFlight
        self.report = report
    }

    public func start() throws {
        let started = try (0..<slots).map { slot in
            try TaskThread(name: "task-\(slot)") { [self] in
                while let work = queue.pop() { run(work) }
            }
        }
        threads.withLock { $0 = started }
    }

    /// Asks running tasks to end, forgets queued ones, and waits for the threads.
    public func stop() {
        queue.close(discarding: true)
        state.withLock { state in
            state.running.values.forEach { $0.kill(reason: "the executor is stopping") }
        }
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
    }

    /// Tasks here, running or queued.
    public var heldTasks: Int { state.withLock { $0.held.count } }

    // MARK: What the driver sends

    public func add(stages: [StageSetup]) {
        state.withLock { state in
            for setup in stages {
                state.stages[StageKey(stage: setup.stage, attempt: setup.attempt)] = ResidentStage(
                    setup: setup, plans: plans)
            }
        }
    }

    public func finish(stages: [StageID]) {
        let finished = Set(stages)
        state.withLock { state in
            state.stages = state.stages.filter { !finished.contains($0.key.stage) }
        }
    }

    public func update(_ outputs: [MapOutputs]) {
        state.withLock { state in for output in outputs { state.outputs[output.shuffle] = output } }
    }

    public func remove(_ shuffles: [ShuffleID]) {
        state.withLock { state in
            for shuffle in shuffles { state.outputs[shuffle] = nil }
        }
        for shuffle in shuffles { mapOutputStore.remove(shuffle) }
    }

    public func launch(_ tasks: [TaskDescription]) {
        let work = state.withLock { state in
            for task in tasks { state.held.insert(task.id) }
            return tasks.map { task in
                let key = StageKey(stage: task.stage, attempt: task.stageAttempt)
                return Work(task: task, stage: state.stages[key])
            }
        }
        queue.push(work)
    }

    /// A queued task ends at once, so that the driver may give it to somebody else; a running one
    /// at its next chunk. One that has ended already is none of this executor's business.
    public func kill(_ kills: [DriverMessage.Kill]) {
        let reasons = Dictionary(
            kills.map { ($0.task, $0.reason) }, uniquingKeysWith: { first, _ in first })
        let queued = queue.remove { reasons[$0.task.id] != nil }
        state.withLock { state in
            for work in queued { state.held.remove(work.task.id) }
            for kill in kills where state.held.contains(kill.task) {
                if let context = state.running[kill.task] {
                    context.kill(reason: kill.reason)
                } else {
                    state.killed[kill.task] = kill.reason
                }
            }
        }
        for work in queued {
            let reason = reasons[work.task.id] ?? ""
            report(TaskEnd(task: work.task.id, reason: .killed(reason: reason)))
        }
    }

    func mapOutputs(of shuffle: ShuffleID) -> MapOutputs? { state.withLock { $0.outputs[shuffle] } }

    // MARK: On a task thread

    private func run(_ work: Work) {
        let start = ContinuousClock.now
        let killed = state.withLock { $0.killed.removeValue(forKey: work.task.id) }
        var end = TaskEnd(task: work.task.id, reason: .killed(reason: killed ?? ""))
        if killed == nil { run(work, into: &end) }
        end.runTime = ContinuousClock.now - start
        state.withLock { state in
            state.running[work.task.id] = nil
            state.killed[work.task.id] = nil
            state.held.remove(work.task.id)
        }
        report(end)
    }

    private func run(_ work: Work, into end: inout TaskEnd) {
        guard let stage = work.stage else {
            end.reason = .exception(message: "\(work.task.stage) is not set up here", trace: "")
            return
        }
        let setup = stage.setup
        let memory = TaskMemory(manager: memory, task: work.task.id)
        defer { memory.end() }
        do {
            let context = TaskContext(
                partition: work.task.partition, attempt: work.task.attempt, taskID: work.task.id,
                stage: setup.stage, stageAttempt: setup.attempt, job: setup.job, batch: setup.batch,
                query: setup.query ?? "", input: try TaskInput(decoding: work.task.input),
                shuffle: TaskShuffle(runtime: self, setup: setup, task: work.task.id),
                memory: memory)
            state.withLock { state in
                state.running[work.task.id] = context
                if let reason = state.killed[work.task.id] { context.kill(reason: reason) }
            }
            defer {
                end.recordsRead = context.metrics.recordsRead
                end.recordsWritten = context.metrics.recordsWritten
                end.metrics = context.metrics.named.map {
                    TaskMetric(name: $0.name, value: $0.value)
                }
            }
            switch try stage.executable().run(context) {
            case .result(let bytes): end.reason = .result(bytes)
            case .mapOutput(let sizes):
                end.reason = .mapOutput(BlockSizes(sizes.lazy.map { Int(clamping: $0) }))
            }
        } catch { end.reason = Self.reason(error, setup) }
    }

    private static func reason(_ error: any Error, _ setup: StageSetup) -> TaskEndReason {
        switch error {
        case let failure as FetchFailure:
            .fetchFailed(
                MillraceCore.FetchFailure(
                    shuffle: setup.inputShuffles[failure.shuffleInput], mapIndex: failure.mapIndex,
                    executor: failure.executor, reduce: failure.reduce, message: failure.message))
        case let missing as MapOutputsMissing:
            .fetchFailed(
                MillraceCore.FetchFailure(
                    shuffle: missing.shuffle, mapIndex: nil, executor: nil, reduce: missing.reduce,
                    message: missing.description))
        case let killed as TaskKilled: .killed(reason: killed.reason)
        default: .exception(message: "\(error)", trace: "")
        }
    }
}
