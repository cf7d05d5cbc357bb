import MillraceBase

@testable import MillraceCore

/// What scripts say about the `TaskScheduler`: its settings, and the commands that only it knows.
extension ScriptRunner {
    mutating func configureTasks(_ key: String, _ value: String, _ arguments: Arguments) throws {
        switch key {
        case "mode": settings.schedulingMode = SchedulingMode(conf: value) ?? .fifo
        case "exclusion":
            settings.exclusion.isEnabledForStages = ["on", "stage"].contains(value)
            settings.exclusion.isEnabledForApplication = ["on", "application"].contains(value)
        case "exclusion-timeout": settings.exclusion.timeout = try arguments.duration(value)
        case "exclusion-fetch": settings.exclusion.excludesOnFetchFailure = value == "on"
        case "exclusion-kill":
            settings.exclusion.killsExecutors = value != "off"
            settings.exclusion.decommissionsKilled = value == "decommission"
        case "speculation": settings.speculation.isEnabled = value == "on"
        case "kill-deadline": settings.killDeadline = try arguments.duration(value)
        case "quantile": settings.speculation.quantile = Double(value) ?? 0.9
        case "threshold":
            settings.speculation.taskDurationThreshold = try arguments.duration(value)
        case "wait-process": settings.processLocalityWait = try arguments.duration(value)
        case "wait-node": settings.nodeLocalityWait = try arguments.duration(value)
        case "wait-state": settings.stateLocalityWait = try arguments.duration(value)
        case "decommission-timeout":
            settings.decommissionTimeout = try arguments.duration(value)
        default: try configureMerge(key, value, arguments)
        }
    }

    mutating func performOnTasks(_ arguments: Arguments) throws {
        switch arguments.name {
        case "pool": try declarePool(arguments)
        case "running":
            output += core.tasks.queue.pools.map {
                "pool \($0.settings.name) runs \($0.runningCount)"
            }
        case "copies": output.append("\(core.tasks.copiesLaunched)")
        case "disk-full":
            try end(arguments, isExecutorAtFault: true) { _ in
                .exception(message: "no room", trace: "")
            }
        case "decommission":
            handle(.executorDecommissioned(ExecutorID(try arguments.number(0)), reason: "spot"))
        default: throw Problem(description: "no command is called \(arguments.name)")
        }
    }

    private mutating func declarePool(_ arguments: Arguments) throws {
        var pool = PoolSettings(name: arguments.words.first ?? "")
        pool.weight = try arguments.integer("weight") ?? 1
        pool.minShare = try arguments.integer("min-share") ?? 0
        if let mode = arguments["mode"] {
            pool.schedulingMode = SchedulingMode(conf: mode) ?? .fifo
        }
        settings.pools.append(pool)
        core = DriverCore(settings: settings)
    }
}
