import MillraceBase
import MillraceCore
import MillraceWire
import Synchronization

/// Runs the tasks of one executor: what is resident here (plans, stages, map outputs), and one
/// thread per core slot.
///
/// The same in an executor process, which is fed by the control stream, and inside the driver for
/// `local[N]`, which is fed by values. `launch` and its siblings are called by the loop and never
/// block; what a task has to say is reported on its thread.
public final class ExecutorRuntime: Sendable {
    struct StageKey: Hashable {
        var stage: StageID
        var attempt: Int
    }
    struct State {
        var stages: [StageKey: ResidentStage] = [:]
        var outputs: [ShuffleID: MapOutputs] = [:]
        /// Blocks that came before anybody asked for them.
        var inlineBlocks: [ShuffleID: InlineBlocks] = [:]
        var grants = ResidentGrants()
        /// Tasks that a thread has taken.
        var running: [TaskID: TaskContext] = [:]
        /// Killed between a thread's taking them and their start, with the reason.
        var killed: [TaskID: String] = [:]
        /// Tasks here, queued or running.
        var held: Set<TaskID> = []
        /// Of tasks that were asked to end; nil when nobody watches them.
        var reaper: TaskReaper?

        /// Granted tasks that are about to be queued, and what they read.
        mutating func remember(_ ready: ResidentGrant.Ready) {
            for work in ready.tasks { held.insert(work.task.id) }
            for input in ready.inputs {
                outputs[input.outputs.shuffle] = input.outputs
                inlineBlocks[input.outputs.shuffle] = input.blocks
            }
        }
    }

    public let executor: ExecutorID
    public let plans = ResidentPlans()
    public let mapOutputStore: MapOutputStore
    public let memory: MemoryManager
    let transfers: BlockTransfers
    let broadcasts: BroadcastClient
    let adoption: OutputAdoption
    let diagnosis: BlockDiagnosis
    let pusher: OutputPusher
    public let slots: Int
    let fetcher: any BlockFetcher
    let maxBytesInFlight: Int
    /// A larger block is never whole in memory.
    let maxBlockInMemory: Int
    /// Bytes of a block that are read at a time when it isn't read whole.
    let pieceSize: Int
    let maxInlineBlock: Int
    /// `millrace.executor.heartbeat.dropZeroAccumulatorUpdates`
    let dropsZeroUpdates: Bool
    /// How long a task waits to hear whether it may commit.
    let commitTimeout: Duration
    let commits = CommitDecisions()
    let barriers: BarrierWaits
    let report: @Sendable (ExecutorReport) -> Void
    let state = Mutex(State())
    let queue = WorkQueue<QueuedTask>()
    private let threads = Mutex<[TaskThread]>([])

    /// `report` is called on any thread; once for each launched task with its end. Cached blocks
    /// that go to disk go to `blockFolder`. Blocks of up to `maxInlineBlock` bytes are sent to
    /// other executors with the word that they are there.
    public init(
        executor: ExecutorID, slots: Int, memory: MemoryManager, mapOutputStore: MapOutputStore,
        blockFolder: String, fetcher: any BlockFetcher, maxBytesInFlight: Int,
        maxBlockInMemory: Int = .max, maxInlineBlock: Int = 0, dropsZeroUpdates: Bool = true,
        broadcastPieceSize: Int = BroadcastPiece.size,
        commitTimeout: Duration = .seconds(120), barrierLimits: BarrierLimits = BarrierLimits(),
        reaper: TaskReaper? = nil, push: PushSettings = PushSettings(),
        report: @escaping @Sendable (ExecutorReport) -> Void
    ) {
        self.executor = executor
        self.slots = slots
        self.memory = memory
        self.mapOutputStore = mapOutputStore
        self.fetcher = fetcher
        self.maxBytesInFlight = maxBytesInFlight
        self.dropsZeroUpdates = dropsZeroUpdates
        self.maxBlockInMemory = maxBlockInMemory
        pieceSize = min(4 << 20, max(64 << 10, memory.total / 32))
        self.maxInlineBlock = maxInlineBlock
        self.commitTimeout = commitTimeout
        barriers = BarrierWaits(limits: barrierLimits)
        state.withLock { $0.reaper = reaper }
        self.report = report
        adoption = OutputAdoption(
            store: mapOutputStore, fetcher: fetcher, maxBytesInFlight: maxBytesInFlight,
            report: report)
        diagnosis = BlockDiagnosis(store: mapOutputStore, fetcher: fetcher)
        pusher = OutputPusher(store: mapOutputStore, settings: push, report: report)
        transfers = BlockTransfers(
            manager: BlockManager(memory: memory, folder: blockFolder, report: report),
            fetcher: fetcher, executor: executor, report: report)
        broadcasts = BroadcastClient(
            memory: memory, fetcher: fetcher, pieceSize: broadcastPieceSize, report: report)
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
        broadcasts.stop()
        for thread in threads { thread.join() }
        transfers.stop()
        adoption.stop()
        diagnosis.stop()
        pusher.stop()
    }

    /// Tasks here, running or queued.
    public var heldTasks: Int { state.withLock { $0.held.count } }

    // MARK: What the driver sends

    public func add(stages: [StageSetup]) {
        transfers.manager.expect(stages.flatMap { $0.persisted.map(\.rdd) })
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
        let ready = state.withLock { state in
            var tasks: [QueuedTask] = []
            for output in outputs {
                state.outputs[output.shuffle] = output
                let ready = state.grants.take(output)
                state.remember(ready)
                tasks += ready.tasks
            }
            return tasks
        }
        if !ready.isEmpty { queue.push(ready) }
    }

    public func remove(_ shuffles: [ShuffleID]) {
        state.withLock { state in
            for shuffle in shuffles {
                state.outputs[shuffle] = nil
                state.inlineBlocks[shuffle] = nil
            }
        }
        pusher.forget(shuffles)
        for shuffle in shuffles { mapOutputStore.remove(shuffle) }
    }

    public func launch(_ tasks: [TaskDescription]) {
        let work = state.withLock { state in
            for task in tasks { state.held.insert(task.id) }
            return tasks.map { task in
                let key = StageKey(stage: task.stage, attempt: task.stageAttempt)
                return QueuedTask(task: task, stage: state.stages[key])
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
                    state.reaper?.killed(kill.task, reason: kill.reason, at: .now)
                } else {
                    state.killed[kill.task] = kill.reason
                }
            }
        }
        for work in queued {
            let reason = reasons[work.task.id] ?? ""
            report(.ended(TaskEnd(task: work.task.id, reason: .killed(reason: reason))))
        }
    }

    /// Says which tasks were asked to end long ago and still run. True when one of them has had all
    /// the time it gets: the process is to end then.
    public func reap() -> Bool {
        let (overdue, isExpired) = state.withLock { state in
            let overdue = state.reaper?.overdue(at: .now) ?? []
            return (overdue, overdue.contains(where: \.isExpired))
        }
        for task in overdue { task.log() }
        if !overdue.isEmpty, state.withLock({ $0.reaper?.dumpsThreads ?? false }) {
            Log.warn("executor", "the threads of the process", ["doing": ThreadDump.text])
        }
        return isExpired
    }

    /// Asks the running tasks what they have added to accumulators so far; they say it at their
    /// next chunk of rows.
    public func askForAccumulators() {
        state.withLock { state in
            for context in state.running.values { context.interruption.askForAccumulators() }
        }
    }

    func mapOutputs(of shuffle: ShuffleID) -> MapOutputs? { state.withLock { $0.outputs[shuffle] } }
    func inlineBlocks(of shuffle: ShuffleID, reduce: Int) -> [TaskID: [UInt8]] {
        state.withLock { $0.inlineBlocks[shuffle]?.of(reduce: reduce) ?? [:] }
    }
}
