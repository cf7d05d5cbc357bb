import MillraceBase

@testable import MillraceCore

/// Dynamic allocation in scripts.
extension ScriptRunner {
    mutating func performAllocation(_ arguments: Arguments) throws {
        switch arguments.name {
        case "allocation": try allocate(arguments)
        case "refuse": isRefusing = arguments.words.first != "no"
        case "demand":
            handle(
                .slotsDemanded(
                    query: arguments.words.first ?? "", slots: try arguments.integer("slots")))
        case "cache":
            core.tasks.executors.states[try arguments.number(0)].cachedBlocks =
                try arguments.integer("blocks") ?? 1
        case "gauges": output += gauges()
        case "kill-executor":
            handle(.executorKilled(ExecutorID(try arguments.number(0)), reason: "asked"))
        default: throw Problem(description: "no command is called \(arguments.name)")
        }
    }

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
