import MillraceBase

@testable import MillraceCore

/// Runs a script's commands against a `DriverCore`; its clock stands still but for `advance`.
///
///     executor 0 cores=2            registers it (host=…, silent: without heartbeats,
///                                   service: with a shuffle service)
///     job 0 chain=2,3 shuffles=0    2 map tasks, 3 result tasks; also join=2,2,3 shuffles=0,1
///                                   partitions=1,0  prefer=0,0,1  group=g  tags=a,b
///                                   max-failures=1  inputs
///                                   persist=0,2 (these of its RDDs) copies=2
///     succeed 0 1  run=5ms          the tasks end well, in one report for each executor
///     fail 0 message…               killed 3    deny 3
///     disk-full 0                   fails, and its executor is to blame
///     fetch-fail 3 map=1 executor=0 (without them: an unknown location)
///     lose 0 [innocent]             heartbeat 0      advance 200ms (timers fire on the way)
///     decommission 0                kill-executor 0    lose-host a
///     allocation min=0 max=5 …      before the first event (`ScriptRunner+Allocation.swift`)
///     demand q slots=4              refuse [no|once]    gauges
///     cancel 0     cancel-group g [future]  cancel-tag t  cancel-all
///     release 0    commit 3 on=0
///     kept 0 on=1 rdd=0             executor keeps partition 0 of rdd 0; also gone 0 on=1 rdd=0
///     unpersist 0  blocks 0
///     outputs 0    setup 1.0        held             quiescent    shuffles (how many)
///     succeed 0 1  acc=0:5,1:2      the same updates of accumulators 0 and 1 by each; also `fail`
///     partial 0 acc=0:3             values           what the accumulators are
///     job 0 query=0                 a batch that may run under a grant (query by number)
///     end-query 0  group 0
///     job 0 query=q batch=3         settle q through=3   retract q after=3
///     set locality-wait=0ms         before the first event
///     job 0 prefer-hosts=a,b,-  prefer=0,-1,1 [state]
///     job 0 chain=1,1,1 shuffles=0,1 indeterminate=0 also=0 (shuffles the final stage reads too)
///     set mode=FAIR                 pool a weight=2 min-share=1 mode=FAIR    job 0 pool=a
///     running                       attempts of each pool
struct ScriptRunner {
    struct Problem: Error, CustomStringConvertible { var description: String }

    struct Launched {
        var task: TaskDescription
        var executor: ExecutorID
        var reducers: Int?
        var inputs: [ShuffleID]
    }

    var settings = CoreSettings()
    var core = DriverCore()
    private var now = Instant.zero
    private var timer: Instant?
    private var effects = Effects()
    var launched: [TaskID: Launched] = [:]
    var grants: [GrantID: Grant] = [:]
    var output: [String] = []
    var moves: [OutputMove] = []
    /// Whether requests for executors are refused.
    var isRefusing = false
    var isRefusingOnce = false
    private var accumulators = AccumulatorTable(registered: 0..<4)

    /// What one command prints.
    mutating func run(_ command: String) -> [String] {
        output = []
        let words = command.split(separator: " ").map(String.init)
        do {
            try perform(Arguments(words))
        } catch {
            output.append("error: \(error)")
        }
        let violations = core.violations()
        return output + violations.map { "violation: \($0)" }
    }

    private mutating func perform(_ arguments: Arguments) throws {
        switch arguments.name {
        case "set": try configure(arguments)
        case "executor":
            handle(
                .executorRegistered(
                    ExecutorID(try arguments.number(0)), host: arguments["host"] ?? "host",
                    cores: try arguments.integer("cores") ?? 1,
                    sendsHeartbeats: !arguments.words.contains("silent"),
                    hasShuffleService: arguments.words.contains("service")))
        case "job": try submit(arguments)
        case "succeed": try end(arguments, as: ScriptRunner.success)
        case "fail":
            let message = arguments.words.dropFirst().joined(separator: " ")
            try end(arguments.first) { _ in .exception(message: message, trace: "") }
        case "killed": try end(arguments) { _ in .killed(reason: "asked") }
        case "deny": try end(arguments) { _ in .commitDenied }
        case "fetch-fail": try failToFetch(arguments)
        case "lose":
            let loss = ExecutorLoss(
                reason: "exit 137", causedByApp: !arguments.words.contains("innocent"))
            handle(.executorLost(ExecutorID(try arguments.number(0)), loss))
        case "lose-host":
            handle(
                .hostLost(
                    arguments.words.first ?? "",
                    ExecutorLoss(reason: "the machine is gone", causedByApp: false)))
        case "heartbeat": handle(.heartbeat(ExecutorID(try arguments.number(0))))
        case "advance": try advance(by: try arguments.duration(arguments.words.first ?? ""))
        case "cancel": handle(.jobCancelled(JobID(try arguments.number(0)), reason: "asked"))
        case "cancel-group":
            cancel(
                .group(
                    arguments.words.first ?? "", andFuture: arguments.words.contains("future")))
        case "cancel-tag": cancel(.tag(arguments.words.first ?? ""))
        case "cancel-all": cancel(.all)
        case "release": handle(.shuffleReleased(ShuffleID(try arguments.number(0))))
        case "kept": try keep(arguments, bytes: 100)
        case "gone": try keep(arguments, bytes: 0)
        case "unpersist": handle(.rddReleased(RDDID(try arguments.number(0))))
        case "blocks": showBlocks(RDDID(try arguments.number(0)))
        case "commit":
            let executor = ExecutorID(try arguments.integer("on") ?? 0)
            handle(.commitRequested(executor, TaskID(try arguments.number(0))))
        case "partial": try reportPartial(arguments)
        case "settle":
            handle(
                .batchesSettled(
                    query: arguments.words.first ?? "",
                    through: BatchID(try arguments.integer("through") ?? 0)))
        case "retract":
            handle(
                .batchesRetracted(
                    query: arguments.words.first ?? "",
                    after: BatchID(try arguments.integer("after") ?? -1)))
        case "values": output += accumulators.lines
        case "outputs": showOutputs(ShuffleID(try arguments.number(0)))
        case "setup": try showSetup(arguments)
        case "held":
            output += core.tasks.executors.states.indices.map {
                "executor \($0) holds \(core.heldTaskCount(of: ExecutorID($0)))"
            }
        case "quiescent": output.append("\(core.isQuiescent)")
        case "shuffles": output.append("\(core.shuffleCount)")
        case "end-query", "group": try performOnGrants(arguments)
        case "pool", "running", "decommission", "copies", "disk-full": try performOnTasks(arguments)
        case "barrier", "gather", "places": try performOnBarriers(arguments)
        default: try performAllocation(arguments)
        }
    }

    mutating func handle(_ event: DriverEvent) {
        effects.removeAll()
        core.handle(event, now: now, into: &effects)
        for effect in effects.list {
            if case .armTimer(let instant) = effect { timer = instant }
            if case .moveOutput(let move) = effect { moves.append(move) }
            if case .accumulators(let change) = effect { accumulators.apply(change) }
            note(effect)
            guard case .launch(let executor, let range) = effect else { continue }
            for task in effects.launches[range] {
                let setup = core.setup(of: task.stage, attempt: task.stageAttempt)
                if setup == nil { output.append("error: no setup for \(task.id)") }
                launched[task.id] = Launched(
                    task: task, executor: executor,
                    reducers: setup?.outputShuffle == nil ? nil : setup?.reducerCount,
                    inputs: setup?.inputShuffles ?? [])
            }
        }
        output += effects.lines
        answerRequests()
    }

    /// As the driver does before anything else happens.
    private mutating func answerRequests() {
        let requests = effects.list.compactMap { effect -> Int? in
            if case .requestExecutors(let total) = effect { total } else { nil }
        }
        for total in requests {
            handle(.executorRequestAnswered(total: total, isAccepted: !isRefusing))
            if isRefusingOnce { isRefusing = false }
        }
    }

    private mutating func cancel(_ jobs: JobSelection) {
        handle(.jobsCancelled(jobs, reason: jobs.defaultReason))
    }

    private mutating func configure(_ arguments: Arguments) throws {
        for (key, value) in arguments.options {
            switch key {
            case "locality-wait": settings.localityWait = try arguments.duration(value)
            case "prefetch": settings.prefetchQueueTime = try arguments.duration(value)
            case "max-failures": settings.maxTaskFailures = Int(value) ?? 4
            case "cancelled-groups": settings.cancelledGroupLimit = Int(value) ?? 1
            case "stage-attempts": settings.maxStageAttempts = Int(value) ?? 4
            case "attempts-in-a-row": settings.maxConsecutiveStageAttempts = Int(value) ?? 4
            case "max-result": settings.maxResultSize = Int(value) ?? 0
            case "count-decommissions": settings.ignoresDecommissionFetchFailures = value != "yes"
            case "whole-host": settings.unregistersOutputsOfHost = value == "yes"
            case "heartbeat-timeout": settings.heartbeatTimeout = try arguments.duration(value)
            case "heartbeat-check": settings.heartbeatCheckInterval = try arguments.duration(value)
            case "groups": settings.groups.isEnabled = value == "on"
            case "group-min": settings.groups.minimum = Int(value) ?? 1
            case "group-max": settings.groups.maximum = Int(value) ?? 1
            default: try configureTasks(key, value, arguments)
            }
        }
        core = DriverCore(settings: settings)
    }

    private mutating func submit(_ arguments: Arguments) throws {
        let id = try arguments.number(0)
        let shuffles = try arguments.list("shuffles") ?? []
        if let join = try arguments.list("join") {
            handle(
                .jobSubmitted(Jobs.join(id, join[0], join[1], join[2], shuffles: shuffles)))
            return
        }
        let barrier = try arguments.list("barrier") ?? []
        for shape in ["union", "zip"] {
            guard let parents = try arguments.list(shape) else { continue }
            let count = shape == "union" ? parents.reduce(0, +) : parents[0]
            return handle(
                .jobSubmitted(Jobs.narrow(id, parents, count: count, barrier: barrier)))
        }
        let query = arguments["query"].flatMap { Int($0) }.map { QueryID($0) }
        let properties = JobProperties(
            group: arguments["group"],
            tags: (arguments["tags"] ?? "").split(separator: ",").map(String.init),
            pool: arguments["pool"] ?? "default",
            query: arguments["query"],
            batch: try (arguments.integer("batch") ?? (query == nil ? nil : id)).map {
                BatchID($0)
            }, streamingQuery: query,
            maxFailures: try arguments.integer("max-failures"))
        handle(
            .jobSubmitted(
                Jobs.chain(
                    id, try arguments.list("chain") ?? [1], shuffles: shuffles,
                    partitions: try arguments.list("partitions"),
                    preferred: try arguments.list("prefer") ?? [],
                    hosts: (arguments["prefer-hosts"] ?? "").split(separator: ",").map(String.init),
                    ownsState: arguments.words.contains("state"),
                    persisted: try arguments.list("persist") ?? [],
                    copies: try arguments.integer("copies") ?? 1, properties: properties,
                    hasInputs: arguments.words.contains("inputs"),
                    indeterminate: try arguments.list("indeterminate") ?? [], barrier: barrier,
                    also: try arguments.list("also") ?? [])))
    }

    private static func success(_ launched: Launched) -> TaskEndReason {
        guard let reducers = launched.reducers else {
            return .result(Array("r\(launched.task.partition)".utf8)[...])
        }
        return .mapOutput(BlockSizes([Int](repeating: 1, count: reducers)))
    }

    mutating func end(
        _ arguments: Arguments, isExecutorAtFault: Bool = false,
        as reason: (Launched) -> TaskEndReason
    ) throws {
        let run = try arguments["run"].map(arguments.duration) ?? .zero
        var reports: [(executor: ExecutorID, ends: [TaskEnd])] = []
        for word in arguments.words {
            let task = TaskID(try arguments.integer(of: word))
            guard let launched = launched[task] else {
                throw Problem(description: "\(task) was never launched")
            }
            var end = TaskEnd(
                task: task, reason: reason(launched), runTime: run,
                accumulators: try arguments.updates())
            end.isExecutorAtFault = isExecutorAtFault
            if let place = reports.firstIndex(where: { $0.executor == launched.executor }) {
                reports[place].ends.append(end)
            } else {
                reports.append((launched.executor, [end]))
            }
        }
        for report in reports { handle(.tasksEnded(report.executor, report.ends)) }
    }

    private mutating func failToFetch(_ arguments: Arguments) throws {
        let map = try arguments.integer("map")
        let executor = try arguments.integer("executor").map { ExecutorID($0) }
        try end(arguments) { launched in
            .fetchFailed(
                FetchFailure(
                    shuffle: launched.inputs.first ?? ShuffleID(99), mapIndex: map,
                    executor: executor, reduce: launched.task.partition,
                    message: "connection refused"))
        }
    }

    private mutating func advance(by duration: Duration) throws {
        let end = now + duration
        while let due = timer, due <= end {
            now = max(now, due)
            timer = nil
            output.append("at \(now.nanoseconds / 1_000_000) ms")
            handle(.timerFired)
        }
        now = end
    }

    private mutating func showOutputs(_ shuffle: ShuffleID) {
        guard let outputs = core.mapOutputs(of: shuffle) else {
            output.append("\(shuffle) is unknown")
            return
        }
        output.append("epoch \(outputs.epoch)")
        for (index, status) in outputs.statuses.enumerated() {
            let place = status.map { "\($0.executor), by \($0.mapTask)" } ?? "missing"
            output.append("map \(index): \(place)")
        }
    }

    private mutating func keep(_ arguments: Arguments, bytes: Int) throws {
        let rdd = RDDID(try arguments.integer("rdd") ?? 0)
        handle(
            .blocksUpdated(
                ExecutorID(try arguments.integer("on") ?? 0),
                try arguments.words.map {
                    BlockStatus(
                        rdd: rdd, partition: try arguments.integer(of: $0), memoryBytes: bytes,
                        diskBytes: 0)
                }))
    }

    private mutating func showBlocks(_ rdd: RDDID) {
        guard let holders = core.blockHolders(of: rdd) else {
            output.append("\(rdd) is unknown")
            return
        }
        for (partition, holders) in holders.enumerated() {
            let names = holders.map { "\($0.rawValue)" }.joined(separator: " ")
            output.append("partition \(partition): \(names.isEmpty ? "nowhere" : names)")
        }
    }

    private mutating func showSetup(_ arguments: Arguments) throws {
        let parts = (arguments.words.first ?? "").split(separator: ".").compactMap { Int($0) }
        guard parts.count == 2 else { throw Problem(description: "setup STAGE.ATTEMPT") }
        guard let setup = core.setup(of: StageID(parts[0]), attempt: parts[1]) else {
            output.append("none")
            return
        }
        let inputs = setup.inputShuffles.map { "\($0)" }.joined(separator: ", ")
        output.append("plan \(setup.plan) for \(setup.job), reads [\(inputs)]")
        output.append(
            setup.outputShuffle.map { "writes \($0) for \(setup.reducerCount) reducers" }
                ?? "returns results")
    }

    private mutating func reportPartial(_ arguments: Arguments) throws {
        let task = TaskID(try arguments.number(0))
        guard let launched = launched[task] else {
            throw Problem(description: "\(task) was never launched")
        }
        let partial = PartialAccumulators(task: task, updates: try arguments.updates())
        handle(.accumulatorsReported(launched.executor, [partial]))
    }
}
