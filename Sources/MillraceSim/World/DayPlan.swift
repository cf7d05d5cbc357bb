import MillraceBase
import MillraceCore
import MillraceDriver

/// What a day's cluster looks like and how it is set, drawn from the seed.
struct DayPlan {
    var hosts: Int
    var executors: Int
    var coresPerExecutor: Int
    var jobs: Int
    var queries: Int
    /// Between two jobs.
    var jobInterval: Duration
    /// Between two arrivals of rows at a source.
    var dataInterval: Duration
    /// Of a task without trouble.
    var taskTime: Duration
    /// Whether accumulators count the rows.
    var countsRows: Bool
    /// Of a thousand jobs, so many commit files.
    var commits = 300
    /// Of a thousand jobs, so many say where their tasks should run.
    var choosyJobs = 300
    /// Jobs may bring too much for the driver.
    var limitsResults = false
    /// Whether map outputs outlive their executors, on their hosts.
    var hasShuffleService: Bool
    /// Blocks of up to so many rows travel with the word that they are there.
    var inlineRows: Int
    var settings = CoreSettings()
    var heartbeatInterval: Duration
    /// Until a lost executor is replaced.
    var replacementDelay: Duration

    /// Where jobs may go, besides the pool that is always there.
    static let poolNames = ["default", "a", "b"]

    private static func pools(_ random: inout SplitMix64) -> [PoolSettings] {
        poolNames.dropFirst().map { name in
            var pool = PoolSettings(name: name)
            pool.schedulingMode = random.pick([.fifo, .fair])
            pool.weight = random.pick([1, 3])
            pool.minShare = random.pick([0, 2])
            return pool
        }
    }

    /// Executors as they are needed.
    private func allocation(_ random: inout SplitMix64) -> AllocationSettings {
        var allocation = AllocationSettings()
        allocation.minExecutors = random.below(2)
        allocation.initialExecutors = allocation.minExecutors + random.below(2)
        allocation.allocationRatio = random.pick([0.3, 1])
        allocation.backlogTimeout = .milliseconds(random.pick([1, 100, 1_000]))
        allocation.sustainedBacklogTimeout = .milliseconds(random.pick([1, 100, 1_000]))
        allocation.idleTimeout = .milliseconds(random.pick([20, 200, 60_000]))
        allocation.shuffleTimeout = .milliseconds(random.pick([50, 60_000]))
        allocation.isShuffleTracked = random.chance(700)
        allocation.decommissions = random.chance(500)
        allocation.interval = .milliseconds(random.pick([1, 100]))
        return allocation
    }

    /// Tells the driver of as many executors and cores as there may be, after the kind of day had
    /// its say: with wrong numbers a barrier stage waits for slots that never come, and rightly.
    mutating func settleAllocation() {
        guard let initial = settings.allocation?.initialExecutors else { return }
        settings.allocation?.maxExecutors = max(initial, executors, 1)
        settings.allocation?.tasksPerExecutor = coresPerExecutor
        // As Spark demands it: else idle executors take with them what the next stage reads, again
        // and again.
        let handsOn =
            settings.allocation?.decommissions == true && settings.departures?.movesOutputs == true
            && settings.decommissionTimeout.map { $0 >= .seconds(1) } ?? true
        if !hasShuffleService, !handsOn { settings.allocation?.isShuffleTracked = true }
    }

    init(_ random: inout SplitMix64, _ weather: Weather, canary: Canary?) {
        hosts = random.within(1...4)
        executors = random.within(1...5)
        coresPerExecutor = random.within(1...3)
        jobs = random.within(2...10)
        queries = random.pick([0, 0, 1, 1, 2])
        jobInterval = .microseconds(random.pick([0, 500, 10_000, 100_000]))
        dataInterval = .milliseconds(random.pick([5, 50, 300]))
        taskTime = .microseconds(random.pick([20, 200, 2_000, 30_000]))
        heartbeatInterval = .milliseconds(random.pick([100, 1_000, 10_000]))
        replacementDelay = .milliseconds(random.pick([1, 50, 500]))
        countsRows = random.chance(500)
        hasShuffleService = random.chance(200)
        inlineRows = random.pick([0, 2, 1_000])
        settings.maxTaskFailures = random.pick([1, 2, 4, 4, 4])
        settings.maxConsecutiveStageAttempts = random.pick([1, 2, 4, 4, 4])
        settings.resubmitDelay = .milliseconds(random.pick([0, 1, 20, 200]))
        settings.localityWait = .milliseconds(random.pick([0, 20, 3_000]))
        settings.schedulingMode = random.pick([.fifo, .fair])
        settings.pools = DayPlan.pools(&random)
        settings.maxStageAttempts = random.pick([4, .max, .max])
        settings.prefersMapOutputHosts = random.chance(700)
        settings.unregistersOutputsOfHost = random.chance(300)
        settings.ignoresDecommissionFetchFailures = random.chance(700)
        settings.speculation.isEnabled = random.pick([false, true])
        settings.speculation.interval = .milliseconds(random.pick([1, 10, 100]))
        settings.speculation.quantile = random.pick([0.1, 0.5, 0.9])
        settings.speculation.multiplier = random.pick([1.5, 3])
        settings.speculation.minTaskRunTime = .milliseconds(random.pick([1, 10, 100]))
        settings.exclusion.isEnabledForStages = random.pick([false, false, true])
        settings.exclusion.isEnabledForApplication = random.pick([false, false, true])
        settings.exclusion.timeout = .milliseconds(random.pick([5, 100, 1_000]))
        settings.exclusion.unschedulableTimeout = .milliseconds(random.pick([50, 2_000]))
        settings.exclusion.excludesOnFetchFailure = random.pick([false, true])
        settings.exclusion.killsExecutors = random.pick([false, true])
        settings.exclusion.decommissionsKilled = random.pick([false, true])
        settings.prefetchQueueTime = .microseconds(random.pick([0, 2_000, 50_000]))
        settings.prefetchLimit = random.pick([0, 1, 64])
        // Without trouble even the slowest heartbeat comes in time.
        settings.heartbeatTimeout =
            heartbeatInterval * random.pick([3, 12]) + weather.networkDelay * 30
        settings.heartbeatCheckInterval = settings.heartbeatTimeout / 2
        settings.starvationTimeout = .milliseconds(random.pick([50, 15_000]))
        settings.decommissionTimeout = .milliseconds(random.pick([10, 1_000]))
        if random.chance(600) {
            var departures = DepartureSettings()
            departures.movesOutputs = random.chance(800)
            departures.maxMoves = random.pick([1, 8])
            departures.maxFailures = random.pick([1, 3])
            departures.patience = .milliseconds(random.pick([10, 1_000]))
            settings.departures = departures
        }
        if random.chance(300) { settings.allocation = allocation(&random) }
        settings.groups.isEnabled = random.chance(800)
        settings.groups.minimum = random.pick([1, 1, 5, 20])
        settings.groups.repairDelay = .milliseconds(random.pick([5, 50, 500]))
        settings.checksInvariants = false
        settings.canary = canary
    }
}

extension DayPlan {
    /// Jobs may bring as much as the last one of the day must, which is often less than others do.
    /// No queries on such a day: their batches would bring too much again and again.
    mutating func limitResults(of graph: inout Graph, _ random: inout SplitMix64) {
        let rows = graph.rows(graph.datasets.count - 1)
        let needed = rows.reduce(0) { $0 + Program.encode($1).count + 4 }
        settings.maxResultSize = needed + random.within(4...20)
        queries = 0
        limitsResults = true
    }
}
