import MillraceBase

@testable import MillraceCore

/// A cluster in a box: random jobs, executors that fail in every way the core knows of, and a model
/// of what must come out.
///
/// Executors are pure chance, but honest: a reduce task fails to fetch exactly when a map output
/// that the core promised isn't there. What is checked: every result index comes exactly once,
/// results are made from complete inputs, slots balance, each job ends once, and nothing is left
/// over when the faults stop.
struct MiniSimulation {
    struct Executor {
        var cores: Int
        var host: Int
        var isAlive = true
        var isDecommissioned = false
        var takesTasks: Bool { isAlive && !isDecommissioned }
        /// Launch order; the first `cores` run.
        var queue: [TaskDescription] = []
        /// Kills that it will obey when it gets round to it.
        var kills: Set<TaskID> = []
        /// Map outputs it wrote: shuffle, map index, task.
        var blocks: [[Int]] = []
        /// Granted tasks that wait for their inputs.
        var parked: [Parked] = []
    }

    static let hosts = 3
    /// On this one a shuffle service serves what executors leave behind.
    static let serviceHost = 0

    var core: DriverCore
    var random: PRNG
    var now = Instant.zero
    var timer: Instant?
    var effects = Effects()
    var executors: [Executor] = []
    /// Map outputs that really exist: shuffle, map index, task.
    var blocks: Set<[Int]> = []
    var tasks: [TaskID: (setup: StageSetup, outputs: [MapOutputs])] = [:]
    /// Blocks that some task missed.
    var complaints: Set<[Int]> = []
    /// Slow tasks don't end before.
    var earliestEnd: [TaskID: Instant] = [:]

    var queries: [Query] = []
    var grants: [GrantID: Grant] = [:]
    var granted: [TaskID: GrantedTask] = [:]
    /// Granted tasks that never run.
    var doomed: Set<TaskID> = []

    var merges = Merges()

    var jobCount = 0
    var shuffleCount = 0
    var partitionsOf: [JobID: Int] = [:]
    var results: [JobID: Set<Int>] = [:]
    var reusable: [(shuffles: [Int], chain: [Int])] = []
    var provenance = Provenance()
    var ended: [JobID: Bool] = [:]
    var accumulators = AccumulatedModel()
    var problems: [String] = []
    var steps = 0
    /// How often each kind of thing happened, to see that the days are bad enough.
    var seen: [String: Int] = [:]
    var areFaultsOn = true

    init(seed: UInt64) {
        random = PRNG(seed: seed)
        var settings = CoreSettings()
        settings.heartbeatTimeout = .seconds(1_000_000)
        settings.heartbeatCheckInterval = .seconds(1_000_000)
        settings.schedulingMode = random.chance(500) ? .fair : .fifo
        settings.speculation.isEnabled = random.chance(500)
        settings.speculation.quantile = 0.5
        settings.speculation.multiplier = 1.5
        settings.speculation.minTaskRunTime = .milliseconds(random.below(100))
        if random.chance(300) {
            settings.speculation.taskDurationThreshold = .milliseconds(random.below(500))
        }
        settings.exclusion.isEnabledForStages = random.chance(400)
        settings.exclusion.isEnabledForApplication = random.chance(400)
        settings.exclusion.timeout = .milliseconds(100 + random.below(2_000))
        settings.exclusion.unschedulableTimeout = .milliseconds(random.below(2_000))
        settings.exclusion.excludesOnFetchFailure = random.chance(300)
        settings.exclusion.killsExecutors = random.chance(300)
        settings.exclusion.decommissionsKilled = random.chance(500)
        if random.chance(500) { settings.decommissionTimeout = .milliseconds(random.below(2_000)) }
        settings.unregistersOutputsOfHost = random.chance(500)
        settings.ignoresDecommissionFetchFailures = random.chance(500)
        settings.maxTaskFailures = 2 + random.below(4)
        settings.localityWait = .milliseconds(random.below(3) * 50)
        settings.prefetchQueueTime = .microseconds([0, 100, 2_000][random.below(3)])
        settings.merge = Self.mergeSettings(&random)
        core = DriverCore(settings: settings)
    }

    /// Runs `count` jobs to their ends; `problems` says what went wrong.
    mutating func run(jobs count: Int, stepLimit: Int = 50_000) {
        for _ in 0...random.below(3) { addExecutor() }
        while ended.count < count || !core.isQuiescent {
            steps += 1
            guard steps < stepLimit, problems.isEmpty else { break }
            if steps > stepLimit / 2 { areFaultsOn = false }
            if !executors.contains(where: \.takesTasks) { addExecutor() }
            step(jobs: count)
            problems += core.violations()
        }
        settleBatches()
        if problems.isEmpty {
            problems += accumulators.leftOver(shuffles: core.dag.outputs.shuffles.count)
        }
        if ended.count < count || !core.isQuiescent { problems.append("stuck after \(steps)") }
        for job in 0..<jobCount where ended[JobID(job)] == nil {
            problems.append("job \(job) has no end")
        }
    }

    mutating func step(jobs count: Int) {
        switch random.below(100) {
        case 0..<8: if jobCount < count { submitJob() }
        case 8..<12: if jobCount < count { submitBatch() }
        case 12..<14: if executors.count(where: \.takesTasks) < 5 { addExecutor() }
        case 14..<15: if areFaultsOn { loseExecutor() }
        case 15..<16: if areFaultsOn, jobCount > 0 { cancelJob() }
        case 16..<30: advance()
        case 30..<31: releaseShuffle()
        case 31..<32: if areFaultsOn { loseBlocks() }
        case 32..<33: if areFaultsOn, random.chance(300) { decommission() }
        case 33..<36: beat()
        case 36..<37: if areFaultsOn, random.chance(200) { loseHost() }
        case 37..<45: hearOfMerges()
        default: report()
        }
    }

    // MARK: The core's side

    mutating func handle(_ event: DriverEvent) {
        effects.removeAll()
        core.handle(event, now: now, into: &effects)
        for effect in effects.list { perform(effect) }
    }

    mutating func perform(_ effect: Effect) {
        switch effect {
        case .launch(let executor, let range):
            for task in effects.launches[range] { launch(task, on: executor.rawValue) }
        case .kill(let executor, let task, let reason):
            seen["kill: \(reason)", default: 0] += 1
            executors[executor.rawValue].kills.insert(task)
        case .taskResult(let job, let index, let bytes):
            if !results[job, default: []].insert(index).inserted {
                problems.append("\(job) got result \(index) twice")
            }
            if ended[job] != nil { problems.append("\(job) got a result after its end") }
            let task = TaskID(bytes.reduce(0) { $0 << 8 | Int($1) })
            if tasks[task]?.setup.job != job { problems.append("\(job) got a wrong result") }
            if let problem = provenance.deliver(task, to: job) { problems.append(problem) }
        case .notice(.scheduling(let notice)): note(notice)
        case .executorDrained(let executor):
            seen["drained", default: 0] += 1
            if !executors[executor.rawValue].queue.isEmpty
                || !executors[executor.rawValue].parked.isEmpty
            {
                problems.append("\(executor) is drained, and has tasks")
            }
        case .dismissExecutor(let executor, _):
            seen["dismissed", default: 0] += 1
            end(executor: executor.rawValue)
        case .accumulators(let change): accumulators.apply(change)
        case .jobSucceeded(let job):
            problems += accumulators.check(job, units: partitionsOf[job] ?? 0)
            if results[job, default: []].count != partitionsOf[job] {
                problems.append("\(job) ended with results missing")
            }
            end(job, true)
        case .jobFailed(let job, let failure):
            seen["job failed: \("\(failure)".prefix(24))", default: 0] += 1
            end(job, false)
        case .armTimer(let instant): timer = instant
        case .stageStarted(_, _, let attempt, _):
            if attempt > 0 { seen["stage retried", default: 0] += 1 }
        case .notice(.fetchFailed(_, _, let failure)):
            seen["fetch failed", default: 0] += 1
            expectForgotten(failure)
        case .notice(.fetchFailureIgnored): seen["old fetch failure", default: 0] += 1
        case .grant, .runBatch, .endGrant, .revokeGrant, .tellMapOutputs:
            performOnGrants(effect)
        case .finalizeMerge(let shuffle, let plan, let hosts): finalize(shuffle, plan, hosts)
        case .notice(.inputsLost): seen["inputs lost", default: 0] += 1
        case .notice(.rolledBack): seen["rolled back", default: 0] += 1
        case .notice(.successRefused): seen["success refused", default: 0] += 1
        case .notice(.mapOutputsLost): seen["outputs lost", default: 0] += 1
        default: break
        }
    }

    mutating func end(_ job: JobID, _ success: Bool) {
        if ended.updateValue(success, forKey: job) != nil { problems.append("\(job) ended twice") }
    }

    private mutating func note(_ notice: TaskNotice) {
        switch notice {
        case .taskSpeculatable: seen["speculatable", default: 0] += 1
        case .taskSetUnschedulable: seen["unschedulable", default: 0] += 1
        case .executorExcluded, .hostExcluded: seen["excluded", default: 0] += 1
        case .executorExcludedForStage, .hostExcludedForStage:
            seen["excluded for a stage", default: 0] += 1
        case .exclusionsEnded: seen["exclusion ended", default: 0] += 1
        }
    }

    mutating func launch(_ task: TaskDescription, on executor: Int) {
        guard let setup = core.setup(of: task.stage, attempt: task.stageAttempt) else {
            problems.append("\(task.id) has no setup")
            return
        }
        if executors[executor].isDecommissioned { problems.append("\(task.id) comes too late") }
        if !executors[executor].isAlive { problems.append("\(task.id) goes to a dead executor") }
        let twin = executors[executor].queue.first {
            $0.stage == task.stage && $0.stageAttempt == task.stageAttempt
                && $0.partition == task.partition
        }
        if let twin, !executors[executor].kills.contains(twin.id) {
            problems.append("\(task.id) joins \(twin.id), which does the same there")
        }
        let outputs = setup.inputShuffles.map { core.mapOutputs(of: $0)! }
        tasks[task.id] = (setup, outputs)
        checkMerges(setup)
        accumulators.launched(setup, reading: outputs)
        if random.chance(150) { earliestEnd[task.id] = now + .milliseconds(random.below(1_500)) }
        executors[executor].queue.append(task)
    }

    /// What was reported missing, and is, must not be promised again.
    mutating func expectForgotten(_ failure: FetchFailure) {
        guard let map = failure.mapIndex,
            let status = core.mapOutputs(of: failure.shuffle)?.statuses[map],
            complaints.contains([failure.shuffle.rawValue, map, status.mapTask.rawValue])
        else { return }
        problems.append("map \(map) of \(failure.shuffle) is still promised")
    }
}
