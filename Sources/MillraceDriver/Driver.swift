import MillraceBase
import MillraceCore
import MillraceNet
import MillraceWire
import Synchronization

/// The driver of one application: a loop thread with the scheduler's core on it, and the executors
/// of its backend.
///
/// The handle may be used from any thread; what it is asked for happens on the loop.
public final class Driver: Sendable {
    public let applicationID: String
    let loop: EventLoop
    let state: DriverState
    private let nextJob = Atomic<Int>(0)
    private let ending = Mutex(Ending.running)

    private enum Ending {
        case running
        /// Who waits for the end.
        case stopping([CheckedContinuation<Void, Never>])
        case stopped
    }

    /// Starts the loop and the backend. `accumulate` gets what happens to accumulators, in order,
    /// on the loop; it must not block. Throws when a port or thread cannot be had.
    public init(
        applicationID: String, conf: Conf, backend: any DriverBackend,
        accumulate: @escaping @Sendable (AccumulatorChange) -> Void = { _ in }
    ) throws {
        self.applicationID = applicationID
        var settings = CoreSettings(conf)
        settings.pools = try CoreSettings.pools(conf)
        loop = try EventLoop(name: "driver")
        state = DriverState(
            engine: DriverEngine(
                applicationID: applicationID, settings: settings,
                heartbeatInterval: conf.executor.heartbeatInterval,
                idlePlanBytes: conf.scheduler.idlePlansSize.bytes,
                accumulate: accumulate),
            backend: backend, loop: loop)
        try loop.start()
        do { try loop.sync { [state] in try state.start(conf) } } catch {
            loop.stop()
            throw error
        }
    }

    /// A number for the next job, unique in the application.
    public func newJobID() -> JobID { JobID(nextJob.wrappingAdd(1, ordering: .relaxed).oldValue) }

    /// Runs a job to its end. Throws `jobAborted` with the task's error, or `cancelled`, also when
    /// the calling Swift task is cancelled.
    public func run(_ job: JobDescription, plans: [PlanBytes]) async throws -> JobOutcome {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                submit(job, plans: plans) { continuation.resume(with: $0) }
            }
        } onCancel: {
            cancel(job.id, reason: "the caller was cancelled")
        }
    }

    /// As `run`, for callers that are no Swift task: `complete` is called once, on the loop, and
    /// must not block.
    public func submit(
        _ job: JobDescription, plans: [PlanBytes],
        complete: @escaping @Sendable (Result<JobOutcome, any Error>) -> Void
    ) {
        let pending = PendingJob(job, plans: plans) { complete($0.mapError { $0 }) }
        loop.post { [state] in state.submit(pending) }
    }

    public func cancel(_ job: JobID, reason: String) {
        loop.post { [state] in state.handle(.jobCancelled(job, reason: reason)) }
    }

    public func cancel(_ jobs: JobSelection, reason: String) {
        loop.post { [state] in state.handle(.jobsCancelled(jobs, reason: reason)) }
    }

    /// No job will read this shuffle any more.
    public func release(_ shuffle: ShuffleID) {
        loop.post { [state] in state.handle(.shuffleReleased(shuffle)) }
    }

    /// Whether executors fetch from the driver: they are other processes.
    public var servesBlocks: Bool { state.servesBlocks }
    /// The pieces of broadcasts, and how much of them was sent.
    public var broadcasts: BroadcastStore { state.broadcasts }

    /// Executors may fetch these pieces from now on.
    public func register(_ broadcast: BroadcastID, pieces: [BlockContent]) {
        state.broadcasts.add(broadcast, pieces)
        loop.post { [state] in
            state.handle(.broadcastRegistered(broadcast, pieces: pieces.count))
        }
    }

    /// Executors forget a broadcast; with `forever` nobody can fetch it again.
    public func removeBroadcast(_ broadcast: BroadcastID, forever: Bool) {
        if forever { state.broadcasts.remove(broadcast) }
        loop.post { [state] in state.handle(.broadcastRemoved(broadcast, forever: forever)) }
    }

    /// The blocks of this dataset are kept no longer; `done` when they are gone everywhere, or when
    /// the driver stops.
    public func unpersist(_ rdd: RDDID, done: @escaping @Sendable () -> Void) {
        loop.post { [state] in state.unpersist(rdd, done: done) }
    }

    /// No batch of the query up to this one is ever run again.
    public func settleBatches(of query: String, through batch: BatchID) {
        loop.post { [state] in state.handle(.batchesSettled(query: query, through: batch)) }
    }

    /// The query starts again, and its log has no batch after this one.
    public func retractBatches(of query: String, after batch: BatchID) {
        loop.post { [state] in state.handle(.batchesRetracted(query: query, after: batch)) }
    }

    /// No batch of that streaming query will come any more.
    public func endQuery(_ query: QueryID) {
        loop.post { [state] in state.handle(.queryEnded(query)) }
    }

    /// Waits until `count` executors are registered, at most `timeout`; returns how many are.
    public func waitForExecutors(_ count: Int, timeout: Duration) async -> Int {
        await waitForExecutors(count...Int.max, timeout: timeout)
    }

    /// Waits until so many executors are registered, at most `timeout`; returns how many are.
    public func waitForExecutors(_ counts: ClosedRange<Int>, timeout: Duration) async -> Int {
        await withCheckedContinuation { continuation in
            loop.post { [state] in
                state.waitForExecutors(counts, timeout: timeout) {
                    continuation.resume(returning: $0)
                }
            }
        }
    }

    /// Who is registered and what runs.
    public func status() async throws -> DriverStatus {
        try await loop.run { [state] in state.status }
    }

    /// What is kept of the persisted datasets.
    public func storageInfo() async throws -> [RDDStorageInfo] {
        try await loop.run { [state] in state.engine.storageInfo }
    }

    /// Ends running jobs and executors, then the loop. Who comes second waits for the same end.
    public func stop(reason: String) async {
        await withCheckedContinuation { continuation in
            let (isFirst, isOver) = ending.withLock { ending in
                switch ending {
                case .running:
                    ending = .stopping([continuation])
                    return (true, false)
                case .stopping(let waiting):
                    ending = .stopping(waiting + [continuation])
                    return (false, false)
                case .stopped: return (false, true)
                }
            }
            if isOver { continuation.resume() }
            if isFirst { loop.post { [self] in state.stop(reason: reason) { [self] in ended() } } }
        }
        loop.stop()
    }

    private func ended() {
        let ended = ending.withLock { ending in
            defer { ending = .stopped }
            return ending
        }
        guard case .stopping(let waiting) = ended else { return }
        for continuation in waiting { continuation.resume() }
    }
}

/// Where executors come from. Belongs to the driver's loop.
public protocol DriverBackend: AnyObject, Sendable {
    /// Starts executors; each comes back through `driver.register`.
    func start(_ driver: DriverDoor, conf: Conf) throws
    /// Executors there should be.
    var requestedTotal: Int { get }
    /// From now on there should be so many executors; fewer than there are ends none. False when
    /// that could not be asked for, or this backend's number is fixed.
    func requestTotal(_ total: Int) -> Bool
    /// The core gave this executor up; its process must not live on.
    func dismiss(_ executor: ExecutorID, _ loss: ExecutorLoss)
    /// This executor was asked to end and will: that is no failure, and nobody takes its place.
    func release(_ executor: ExecutorID, reason: String)
    /// Ends all executors; `done` when they are gone, or killed after a grace period.
    func stop(done: @escaping () -> Void)
}

/// What a backend tells the driver. Belongs to the loop.
public struct DriverDoor {
    let state: DriverState
    public var loop: EventLoop { state.loop }
    public var applicationID: String { state.engine.applicationID }

    /// Lets executors fetch the driver's broadcasts from an address of its own.
    func serveBlocks(host: String, token: String?, tls: TLSContext?, _ conf: Conf) throws {
        try state.serveBlocks(host: host, token: token, tls: tls, conf)
    }

    /// An executor that sends no heartbeats is never lost by silence.
    public func register(
        _ registration: ExecutorMessage.Registration, link: any ExecutorLink,
        sendsHeartbeats: Bool = true
    ) {
        state.register(registration, link: link, sendsHeartbeats: sendsHeartbeats)
    }
    public func receive(_ message: ExecutorMessage, from executor: ExecutorID) {
        state.receive(message, from: executor)
    }
    /// Executors register their files with services that this driver tells of the application.
    func use(_ services: ShuffleServices) { state.engine.shuffleServices = services }
    public func lose(_ executor: ExecutorID, _ loss: ExecutorLoss) { state.lose(executor, loss) }
    /// No executor will ever come again: jobs fail with this error instead of waiting.
    public func giveUp(_ error: MillraceError) { state.giveUp(error) }
    /// For the status service.
    public var status: DriverStatus { state.status }
}

/// What the driver is doing, at one instant.
public struct DriverStatus: Sendable {
    public struct Executor: Sendable {
        public var registration: ExecutorMessage.Registration
        public var heldTasks: Int
    }
    public var executors: [Executor]
    /// In the order of their submission.
    public var jobs: [(id: JobID, properties: JobProperties)]
}

extension CoreSettings {
    /// The scheduler's settings out of all.
    public init(_ conf: Conf) {
        self.init()
        maxTaskFailures = conf.scheduler.maxTaskFailures
        if case .local(_, let failures) = conf.application.master { maxTaskFailures = failures }
        maxConsecutiveStageAttempts = conf.scheduler.maxConsecutiveStageAttempts
        maxResultSize = conf.driver.maxResultSize.bytes
        maxStageAttempts = conf.scheduler.maxStageAttempts
        ignoresDecommissionFetchFailures = conf.scheduler.ignoresDecommissionFetchFailures
        unregistersOutputsOfHost = conf.shuffle.unregistersOutputsOfHost
        cancelledGroupLimit = conf.scheduler.cancelledGroupLimit
        heartbeatTimeout = conf.network.timeout
        heartbeatCheckInterval = min(conf.network.timeoutInterval, conf.network.timeout / 2)
        prefetchQueueTime = conf.scheduler.prefetchQueueTime
        starvationTimeout = conf.scheduler.starvationTimeout
        groups = GroupSize.Settings(conf)
        prefetchLimit = conf.scheduler.maxPrefetchedTasks
        allocation = AllocationSettings(conf)
        merge = MergeSettings(conf)
        setTaskScheduler(conf)
        var departures = DepartureSettings()
        departures.movesOutputs =
            conf.decommission.isStorageMoved && conf.decommission.areShuffleBlocksMoved
        departures.maxMoves = conf.decommission.maxShuffleMoves
        departures.maxFailures = conf.decommission.maxMoveFailures
        departures.patience = conf.decommission.reattemptInterval
        self.departures = departures
    }
}

extension GroupSize.Settings {
    init(_ conf: Conf) {
        self.init()
        isEnabled = conf.streaming.groupScheduling
        minimum = conf.streaming.minGroupSize
        maximum = conf.streaming.maxGroupSize
        lowerOverhead = conf.streaming.lowerGroupOverhead
        upperOverhead = conf.streaming.upperGroupOverhead
    }
}
