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
        var isAlive = true
        var isDecommissioned = false
        var takesTasks: Bool { isAlive && !isDecommissioned }
        /// Launch order; the first `cores` run.
        var queue: [TaskDescription] = []
        /// Kills that it will obey when it gets round to it.
        var kills: Set<TaskID> = []
        /// Map outputs it wrote: shuffle, map index, task.
        var blocks: [[Int]] = []
    }

    private(set) var core: DriverCore
    private var random: PRNG
    private var now = Instant.zero
    private var timer: Instant?
    private var effects = Effects()
    private var executors: [Executor] = []
    /// Map outputs that really exist: shuffle, map index, task.
    private var blocks: Set<[Int]> = []
    private var tasks: [TaskID: (setup: StageSetup, outputs: [MapOutputs])] = [:]
    /// Blocks that some task missed.
    private var complaints: Set<[Int]> = []
    /// Slow tasks don't end before.
    private var earliestEnd: [TaskID: Instant] = [:]

    private var jobCount = 0
    private var shuffleCount = 0
    private var partitionsOf: [JobID: Int] = [:]
    private var results: [JobID: Set<Int>] = [:]
    private var reusable: [(shuffle: Int, chain: [Int])] = []
    private(set) var ended: [JobID: Bool] = [:]
    private var accumulators = AccumulatedModel()
    private(set) var problems: [String] = []
    private(set) var steps = 0
    /// How often each kind of thing happened, to see that the days are bad enough.
    private(set) var seen: [String: Int] = [:]
    private var areFaultsOn = true

    init(seed: UInt64) {
        random = PRNG(seed: seed)
        var settings = CoreSettings()
        settings.heartbeatTimeout = .seconds(1_000_000)
        settings.heartbeatCheckInterval = .seconds(1_000_000)
        if random.chance(500) { settings.decommissionTimeout = .milliseconds(random.below(2_000)) }
        settings.maxTaskFailures = 2 + random.below(4)
        settings.localityWait = .milliseconds(random.below(3) * 50)
        settings.prefetchQueueTime = .microseconds([0, 100, 2_000][random.below(3)])
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
        if problems.isEmpty {
            problems += accumulators.leftOver(shuffles: core.dag.outputs.shuffles.count)
        }
        if ended.count < count || !core.isQuiescent { problems.append("stuck after \(steps)") }
        for job in 0..<jobCount where ended[JobID(job)] == nil {
            problems.append("job \(job) has no end")
        }
    }

    private mutating func step(jobs count: Int) {
        switch random.below(100) {
        case 0..<12: if jobCount < count { submitJob() }
        case 12..<14: if executors.count(where: \.takesTasks) < 5 { addExecutor() }
        case 14..<15: if areFaultsOn { loseExecutor() }
        case 15..<16: if areFaultsOn, jobCount > 0 { cancelJob() }
        case 16..<30: advance()
        case 30..<31: releaseShuffle()
        case 31..<32: if areFaultsOn { loseBlocks() }
        case 32..<33: if areFaultsOn, random.chance(300) { decommission() }
        case 33..<36: beat()
        default: report()
        }
    }

    // MARK: The core's side

    private mutating func handle(_ event: DriverEvent) {
        effects.removeAll()
        core.handle(event, now: now, into: &effects)
        for effect in effects.list { perform(effect) }
    }

    private mutating func perform(_ effect: Effect) {
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
            if bytes != [1] { problems.append("\(job) got a wrong result") }
        case .executorDrained(let executor):
            seen["drained", default: 0] += 1
            if !executors[executor.rawValue].queue.isEmpty {
                problems.append("\(executor) is drained, and has tasks")
            }
        case .dismissExecutor(let executor, _):
            seen["dismissed", default: 0] += 1
            executors[executor.rawValue].isAlive = false
            executors[executor.rawValue].queue.removeAll()
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
        case .notice(.mapOutputsLost): seen["outputs lost", default: 0] += 1
        default: break
        }
    }

    private mutating func end(_ job: JobID, _ success: Bool) {
        if ended.updateValue(success, forKey: job) != nil { problems.append("\(job) ended twice") }
    }

    private mutating func launch(_ task: TaskDescription, on executor: Int) {
        guard let setup = core.setup(of: task.stage, attempt: task.stageAttempt) else {
            problems.append("\(task.id) has no setup")
            return
        }
        if executors[executor].isDecommissioned { problems.append("\(task.id) comes too late") }
        if !executors[executor].isAlive { problems.append("\(task.id) goes to a dead executor") }
        let outputs = setup.inputShuffles.map { core.mapOutputs(of: $0)! }
        tasks[task.id] = (setup, outputs)
        accumulators.launched(setup, reading: outputs)
        if random.chance(150) { earliestEnd[task.id] = now + .milliseconds(random.below(1_500)) }
        executors[executor].queue.append(task)
    }

    /// What was reported missing, and is, must not be promised again.
    private mutating func expectForgotten(_ failure: FetchFailure) {
        guard let map = failure.mapIndex,
            let status = core.mapOutputs(of: failure.shuffle)?.statuses[map],
            complaints.contains([failure.shuffle.rawValue, map, status.mapTask.rawValue])
        else { return }
        problems.append("map \(map) of \(failure.shuffle) is still promised")
    }

    // MARK: The world's side

    private mutating func addExecutor() {
        let id = ExecutorID(executors.count)
        executors.append(Executor(cores: 1 + random.below(3)))
        handle(.executorRegistered(id, host: "h", cores: executors[id.rawValue].cores))
    }

    private mutating func loseExecutor() {
        let alive = executors.indices.filter { executors[$0].isAlive }
        let id = alive[random.below(alive.count)]
        executors[id].isAlive = false
        executors[id].queue.removeAll()
        let loss = ExecutorLoss(reason: "chance", causedByApp: random.chance(500))
        handle(.executorLost(ExecutorID(id), loss))
    }

    private mutating func decommission() {
        let alive = executors.indices.filter { executors[$0].isAlive }
        let id = alive[random.below(alive.count)]
        executors[id].isDecommissioned = true
        handle(.executorDecommissioned(ExecutorID(id), reason: "chance"))
    }

    /// A disk forgets its blocks, and nobody says so: only a fetch finds out.
    private mutating func loseBlocks() {
        let id = random.below(executors.count)
        let lost = executors[id].blocks
        executors[id].blocks = []
        blocks.subtract(lost)
        if !lost.isEmpty { seen["disk lost", default: 0] += 1 }
    }

    private mutating func submitJob() {
        let id = jobCount
        jobCount += 1
        var chain: [Int] = []
        var shuffles: [Int] = []
        // Sometimes the first shuffle of an earlier job is read again.
        if random.chance(300), let old = reusable.last {
            chain = old.chain
            shuffles = [old.shuffle]
        } else {
            chain = (0...random.below(3)).map { _ in 1 + random.below(6) }
            for _ in chain.dropFirst() {
                shuffles.append(shuffleCount)
                shuffleCount += 1
            }
            if let first = shuffles.first { reusable.append((first, Array(chain.prefix(2)))) }
        }
        let final = chain[chain.count - 1]
        let some = random.chance(200) ? [random.below(final)] : nil
        let preferred =
            random.chance(400) ? (0..<final).map { _ in random.below(executors.count) } : []
        partitionsOf[JobID(id)] = some?.count ?? final
        handle(
            .jobSubmitted(
                Jobs.chain(
                    id, chain, shuffles: shuffles, partitions: some, preferred: preferred,
                    properties: JobProperties(
                        group: "g\(random.below(4))", tags: ["t\(random.below(4))"]))))
    }

    private mutating func cancelJob() {
        let name = random.below(4)
        switch random.below(4) {
        case 0: handle(.jobsCancelled(.group("g\(name)"), reason: "chance"))
        case 1: handle(.jobsCancelled(.tag("t\(name)"), reason: "chance"))
        default: handle(.jobCancelled(JobID(random.below(jobCount)), reason: "chance"))
        }
    }

    private mutating func releaseShuffle() {
        guard reusable.count > 1 else { return }
        handle(.shuffleReleased(ShuffleID(reusable.removeFirst().shuffle)))
    }

    private mutating func advance() {
        now = now + .milliseconds(random.below(100))
        if let due = timer, due <= now {
            timer = nil
            handle(.timerFired)
        }
    }

    /// An executor's heartbeat, with what a running task has added so far.
    private mutating func beat() {
        let id = random.below(executors.count)
        guard executors[id].isAlive, let task = executors[id].queue.first else { return }
        let updates = AccumulatedModel.updates(tasks[task.id]!.setup, task, .result([]))
        handle(
            .accumulatorsReported(
                ExecutorID(id), [PartialAccumulators(task: task.id, updates: updates)]))
        problems += accumulators.checkPartials()
    }

    /// One executor reports some of its running tasks.
    private mutating func report() {
        let busy = executors.indices.filter { !executors[$0].queue.isEmpty }
        guard !busy.isEmpty else {
            // Nothing runs: only time can help.
            if core.runningJobCount > 0 { advance() }
            return
        }
        let id = busy[random.below(busy.count)]
        var ends: [TaskEnd] = []
        for _ in 0...random.below(4) where !executors[id].queue.isEmpty {
            let place = random.below(min(executors[id].cores, executors[id].queue.count))
            let task = executors[id].queue[place]
            if let earliest = earliestEnd[task.id], earliest > now { continue }
            executors[id].queue.remove(at: place)
            let reason = outcome(of: task, on: id)
            ends.append(
                TaskEnd(
                    task: task.id, reason: reason, runTime: .microseconds(random.below(300)),
                    accumulators: AccumulatedModel.updates(tasks[task.id]!.setup, task, reason)))
        }
        guard !ends.isEmpty else {
            advance()
            return
        }
        handle(.tasksEnded(ExecutorID(id), ends))
        // A report may come twice; the second says nothing.
        if random.chance(20) { handle(.tasksEnded(ExecutorID(id), ends)) }
    }

    private mutating func outcome(of task: TaskDescription, on executor: Int) -> TaskEndReason {
        if executors[executor].kills.contains(task.id), random.chance(500) {
            return .killed(reason: "asked")
        }
        if areFaultsOn, random.chance(60) { return .exception(message: "chance", trace: "") }
        let (setup, outputs) = tasks[task.id]!
        for shuffle in outputs {
            for (index, status) in shuffle.statuses.enumerated() {
                guard let status else {
                    return .fetchFailed(
                        FetchFailure(
                            shuffle: shuffle.shuffle, mapIndex: nil, executor: nil,
                            reduce: task.partition, message: "no location"))
                }
                let key = [shuffle.shuffle.rawValue, index, status.mapTask.rawValue]
                let isThere = executors[status.executor.rawValue].isAlive && blocks.contains(key)
                if !isThere || (areFaultsOn && random.chance(15)) {
                    complaints.insert(key)
                    return .fetchFailed(
                        FetchFailure(
                            shuffle: shuffle.shuffle, mapIndex: index, executor: status.executor,
                            reduce: task.partition, message: "gone"))
                }
            }
        }
        guard let output = setup.outputShuffle else { return .result([1]) }
        let block = [output.rawValue, task.partition, task.id.rawValue]
        blocks.insert(block)
        executors[executor].blocks.append(block)
        return .mapOutput(BlockSizes([Int](repeating: 3, count: setup.reducerCount)))
    }
}
