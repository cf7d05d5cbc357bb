import MillraceBase
import MillraceCore
import MillraceDriver
import MillraceExecutor

/// A query that says itself how many slots it needs.
extension StreamingQueryRunner {
    /// Before the first batch: from now on the query isn't judged by the tasks that wait.
    func startScaling() {
        guard let lag else { return }
        spec.context.cluster?.driver.demandSlots(lag.slots, of: query.id)
    }

    func endScaling() {
        if lag != nil { spec.context.cluster?.driver.demandSlots(nil, of: query.id) }
    }

    /// After each batch, and now and then while there is none.
    func scale(_ trigger: TriggerReport) {
        guard var lag else { return }
        let decision = lag.decide(sample(trigger), now: StreamClock.now().instant)
        self.lag = lag
        if decision.isChange {
            Log.info("stream", "scaling", ["query": query.id, "decision": decision])
            spec.context.cluster?.driver.demandSlots(decision.slots, of: query.id)
        } else {
            Log.debug("stream", "scaling", ["query": query.id, "decision": decision])
        }
        query.note(decision)
        for listener in manager.listeners {
            listener.onScalingDecision(
                .init(
                    id: query.id, runId: query.runId, name: query.name,
                    timestampMs: trigger.startedMs, decision: decision))
        }
    }

    private func sample(_ trigger: TriggerReport) -> LagSample {
        let rows = trigger.ran == nil ? 0 : report.total(StreamMetric.inputRows)
        var backlog: Int64 = 0
        for (index, source) in sources.enumerated() {
            guard let end = trigger.ran.map({ $0.end[index] }) ?? trigger.offsets[index] else {
                continue
            }
            backlog += source.backlog(after: end, rows: rows) ?? 0
        }
        let slots = spec.context.runner.executorSlots.reduce(0) { $0 + $1.cores }
        let duration = trigger.times[.triggerExecution] ?? .zero
        var interval = Duration.zero
        if case .processingTime(let every) = spec.trigger.kind { interval = every }
        var busy = Duration.zero
        if trigger.ran != nil {
            // Where nobody measured the tasks, all slots count as busy for all of the batch.
            busy = report.runTime > .zero ? report.runTime : duration * max(slots, 1)
        }
        return LagSample(
            backlogRows: backlog, processedRows: rows, busyTime: busy,
            batchDuration: trigger.ran == nil ? .zero : duration, triggerInterval: interval,
            stateBytes: stateProgress?.memoryUsedBytes ?? 0, slots: slots, parallelism: widest)
    }

    /// The settings of its controller; nil when it's off.
    static func lagSettings(_ conf: Conf) -> LagSettings? {
        guard conf.streamingAllocation.isEnabled, let allocation = AllocationSettings(conf) else {
            return nil
        }
        let cores = allocation.tasksPerExecutor
        var settings = LagSettings()
        settings.minSlots = max(conf.streamingAllocation.minExecutors * cores, 1)
        let most = min(conf.streamingAllocation.maxExecutors, allocation.maxExecutors)
        let (slots, overflow) = most.multipliedReportingOverflow(by: cores)
        settings.maxSlots = max(overflow ? Int.max : slots, settings.minSlots)
        settings.catchUpTarget = conf.streamingAllocation.catchUpTarget
        settings.targetUtilization = conf.streamingAllocation.targetUtilization
        settings.maxTriggerShare = conf.streamingAllocation.maxTriggerShare
        settings.window = conf.streamingAllocation.rateWindow
        settings.scalingInterval = conf.streamingAllocation.scalingInterval
        settings.stateBytesPerSecond = conf.streamingAllocation.stateRate.bytes
        return settings
    }
}

extension MillraceContext {
    /// Tasks of a stream's stages, where nobody says: as many as there are slots, or may be when
    /// executors come and go. A query that had fewer could never use those that come.
    var streamParallelism: Int {
        guard let settings = StreamingQueryRunner.lagSettings(conf) else {
            return defaultParallelism
        }
        // Without a limit a guess, for each task of each batch has its price.
        let most = settings.maxSlots <= 4_096 ? settings.maxSlots : 32
        return max(defaultParallelism, most)
    }
}
