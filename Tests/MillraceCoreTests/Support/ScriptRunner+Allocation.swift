import MillraceBase

@testable import MillraceCore

/// Dynamic allocation in scripts.
extension ScriptRunner {
    mutating func performAllocation(_ arguments: Arguments) throws {
        switch arguments.name {
        case "allocation": try allocate(arguments)
        case "refuse":
            isRefusing = arguments.words.first != "no"
            isRefusingOnce = arguments.words.first == "once"
        case "demand":
            handle(
                .slotsDemanded(
                    query: arguments.words.first ?? "", slots: try arguments.integer("slots")))
        case "departures":
            var own = DepartureSettings()
            own.maxMoves = try arguments.integer("moves") ?? 8
            own.patience = try arguments["patience"].map(arguments.duration) ?? .seconds(30)
            own.movesOutputs = !arguments.words.contains("nothing")
            settings.departures = own
            core = DriverCore(settings: settings)
        case "moved", "not-moved":
            let map = try arguments.integer("map") ?? 0
            guard
                let move = moves.last(where: {
                    $0.shuffle.rawValue == arguments.words.first.flatMap { Int($0) } ?? 0
                        && $0.mapIndex == map
                })
            else { throw Problem(description: "nothing was to be moved") }
            handle(.outputMoved(move, isMoved: arguments.name == "moved"))
        case "gauges": output += gauges()
        case "kill-executor":
            handle(.executorKilled(ExecutorID(try arguments.number(0)), reason: "asked"))
        case "pushed", "merged", "no-answer", "merge": try performOnMerges(arguments)
        default: throw Problem(description: "no command is called \(arguments.name)")
        }
    }

    ///     departures moves=8 patience=30s nothing     moved 0 map=1     not-moved 0 map=1
    ///     allocation min=0 max=5 initial=1 ratio=0.5 slots=2 backlog=1s sustained=2s
    ///         idle=60s cached-idle=600s shuffle=600s untracked kill
    private mutating func allocate(_ arguments: Arguments) throws {
        var own = AllocationSettings()
        for (key, value) in arguments.options {
            switch key {
            case "min": own.minExecutors = try arguments.integer(of: value)
            case "max": own.maxExecutors = try arguments.integer(of: value)
            case "initial": own.initialExecutors = try arguments.integer(of: value)
            case "slots": own.tasksPerExecutor = try arguments.integer(of: value)
            case "ratio": own.allocationRatio = Double(value) ?? 1
            case "backlog": own.backlogTimeout = try arguments.duration(value)
            case "sustained": own.sustainedBacklogTimeout = try arguments.duration(value)
            case "idle": own.idleTimeout = try arguments.duration(value)
            case "cached-idle": own.cachedIdleTimeout = try arguments.duration(value)
            case "shuffle": own.shuffleTimeout = try arguments.duration(value)
            default: throw Problem(description: "no setting is called \(key)")
            }
        }
        own.isShuffleTracked = !arguments.words.contains("untracked")
        own.decommissions = !arguments.words.contains("kill")
        // Looks of other kinds are not what these scripts are about.
        settings.prefetchQueueTime = .zero
        settings.heartbeatTimeout = .seconds(1_000_000)
        settings.heartbeatCheckInterval = .seconds(1_000_000)
        settings.starvationTimeout = .seconds(1_000_000)
        settings.allocation = own
        core = DriverCore(settings: settings)
    }

    private func gauges() -> [String] {
        guard let gauges = core.allocationGauges else { return ["no dynamic allocation"] }
        return gauges.named.filter { $0.value != 0 }.map { "\($0.name) = \($0.value)" }
    }
}
