import MillraceBase

/// The settings the scheduler decides by. The driver fills them from its `Conf`.
public struct CoreSettings: Hashable, Sendable {
    /// `millrace.scheduler.mode`: whether jobs are served one after the other, or pools of jobs by
    /// their shares.
    public var schedulingMode = SchedulingMode.fifo
    /// From `millrace.scheduler.allocation.file`; a pool that isn't named there has weight 1.
    public var pools: [PoolSettings] = []
    /// `millrace.task.maxFailures`: a stage is given up when one of its tasks failed this often.
    public var maxTaskFailures = 4
    /// `millrace.stage.maxConsecutiveAttempts`: a stage is given up after this many attempts in a
    /// row that ended for want of map outputs.
    public var maxConsecutiveStageAttempts = 4
    /// `millrace.stage.maxAttempts`: a stage is given up instead of being attempted more often.
    public var maxStageAttempts = Int.max
    /// `millrace.driver.maxResultSize`: bytes that the results of one job may take together; 0 is
    /// no limit.
    public var maxResultSize = 1 << 30
    /// `millrace.stage.ignoreDecommissionFetchFailure`: an attempt that ended for want of the
    /// outputs of a decommissioned executor hasn't failed.
    public var ignoresDecommissionFetchFailures = true
    /// `millrace.files.fetchFailure.unRegisterOutputOnHost`: an output that a shuffle service can't
    /// serve means that those of all executors on that host are lost.
    public var unregistersOutputsOfHost = false
    /// How long fetch failures are collected before their stages are submitted again. Spark's
    /// `RESUBMIT_TIMEOUT`.
    public var resubmitDelay: Duration = .milliseconds(200)
    /// `millrace.scheduler.numCancelledJobGroupsToTrack`: groups of which it's remembered that
    /// their future jobs are cancelled too.
    public var cancelledGroupLimit = 1_000
    /// `millrace.locality.wait`: how long a task waits for an executor that has its data, and then
    /// for one on the same host.
    public var localityWait: Duration = .seconds(3) {
        didSet { (processLocalityWait, nodeLocalityWait) = (localityWait, localityWait) }
    }
    /// `millrace.locality.wait.process` and `.node`: the same, one by one.
    public var processLocalityWait: Duration = .seconds(3)
    public var nodeLocalityWait: Duration = .seconds(3)
    /// `millrace.locality.wait.state`: how long a task waits for the executor that owns its state.
    public var stateLocalityWait: Duration = .seconds(10)
    /// `millrace.shuffle.reduceLocality.enabled`: whether reduce tasks prefer hosts that have much
    /// of their input.
    public var prefersMapOutputHosts = true
    /// `millrace.starvation.timeout`: how long a job may wait for its first slot before a warning,
    /// and between two.
    public var starvationTimeout: Duration = .seconds(15)
    /// `millrace.network.timeout`: an executor that was silent for so long is lost.
    public var heartbeatTimeout: Duration = .seconds(120)
    /// `millrace.network.timeoutInterval`: how often silence is looked for.
    public var heartbeatCheckInterval: Duration = .seconds(60)
    /// `millrace.scheduler.prefetch.queueTime`: tasks may wait at an executor for about this long,
    /// so that a short task doesn't cost a round trip. Zero switches prefetching off.
    public var prefetchQueueTime: Duration = .milliseconds(2)
    /// `millrace.scheduler.prefetch.maxTasks`: most tasks an executor holds beyond its cores.
    public var prefetchLimit = 64
    /// Tasks an executor may hold beyond its cores while nothing is known of a stage's run time.
    public var prefetchUnknown = 2
    /// Whether a debug build stops at a broken invariant. The simulator looks itself.
    public var checksInvariants = true
    /// A bug to be found; nil outside the simulator's tests.
    public var canary: Canary?

    /// An executor that has not said so long after a task was killed that it ended is given up;
    /// `nil` waits for ever. `millrace.task.reaper.killTimeout`, and time for its own reaper.
    public var killDeadline: Duration?

    public var exclusion = ExclusionSettings()
    public var speculation = SpeculationSettings()
    public var barrier = BarrierSettings()
    /// `nil`: shuffles are not merged.
    public var merge: MergeSettings?
    /// `millrace.executor.decommission.forceKillTimeout`: a decommissioned executor that is still
    /// there after so long is given up; `nil` waits for ever.
    public var decommissionTimeout: Duration?

    /// `millrace.streaming.groupScheduling.*`.
    public var groups = GroupSize.Settings()
    /// How many executors there should be; `nil` when the program's user says so.
    public var allocation: AllocationSettings?

    /// How decommissioned executors hand on what they have; `nil` leaves their end to the shell
    /// (`Effect.executorDrained`).
    public var departures: DepartureSettings?

    public init() {}
}
