import MillraceBase
import MillraceCore
import MillraceStore

/// What the `TaskScheduler` decides by.
extension CoreSettings {
    mutating func setTaskScheduler(_ conf: Conf) {
        schedulingMode = conf.scheduler.mode
        localityWait = conf.scheduler.localityWait
        processLocalityWait = conf.scheduler.processLocalityWait ?? localityWait
        nodeLocalityWait = conf.scheduler.nodeLocalityWait ?? localityWait
        stateLocalityWait = conf.scheduler.stateLocalityWait
        prefersMapOutputHosts = conf.shuffle.isReduceLocalityEnabled
        decommissionTimeout = conf.executor.decommissionTimeout
        speculation = SpeculationSettings(conf)
        exclusion = ExclusionSettings(conf)
        barrier = BarrierSettings(conf)
        killDeadline = CoreSettings.killDeadline(conf)
    }

    /// First its own reaper ends an executor, which looks at every polling interval.
    private static func killDeadline(_ conf: Conf) -> Duration? {
        // The driver's own threads stay.
        if case .local = conf.application.master { return nil }
        guard conf.scheduler.isReaperEnabled,
            let limit = conf.scheduler.reaperKillTimeout.duration
        else { return nil }
        return limit + conf.scheduler.reaperPollingInterval * 2
    }

    /// Reads `millrace.scheduler.allocation.file`, if there is one. Throws `MillraceError` for a
    /// file that isn't there or says something wrong.
    static func pools(_ conf: Conf) throws -> [PoolSettings] {
        guard let file = conf.scheduler.allocationFile else { return [] }
        let path = file.hasPrefix("file:") ? String(file.dropFirst(5)) : file
        do {
            return try AllocationFile.parse(PosixFileSystem().read(path), path: path)
        } catch let error as StoreError {
            let key = SchedulerEntries.entries.allocationFile.key
            throw MillraceError(.invalidArgument, "\(key)=\(file): \(error)", cause: nil)
        }
    }
}

extension SpeculationSettings {
    init(_ conf: Conf) {
        self.init()
        isEnabled = conf.speculation.isEnabled
        interval = conf.speculation.interval
        quantile = conf.speculation.quantile
        multiplier = conf.speculation.multiplier
        minTaskRunTime = conf.speculation.minTaskRunTime
        taskDurationThreshold = conf.speculation.taskDurationThreshold
    }
}

extension BarrierSettings {
    init(_ conf: Conf) {
        self.init()
        checkInterval = conf.barrier.checkInterval
        maxCheckFailures = conf.barrier.maxCheckFailures
        syncTimeout = conf.barrier.syncTimeout
        maxGatheredBytes = conf.network.maxMessageSize.bytes / 2
    }
}

extension ExclusionSettings {
    init(_ conf: Conf) {
        self.init()
        let isEnabled = conf.exclusion.isEnabled ?? false
        isEnabledForStages = conf.exclusion.isEnabledForStages ?? isEnabled
        isEnabledForApplication = conf.exclusion.isEnabledForApplication ?? isEnabled
        timeout = conf.exclusion.timeout
        maxTaskAttemptsPerExecutor = conf.exclusion.maxTaskAttemptsPerExecutor
        maxTaskAttemptsPerHost = conf.exclusion.maxTaskAttemptsPerHost
        maxFailedTasksPerExecutorInStage = conf.exclusion.maxFailedTasksPerExecutorInStage
        maxFailedExecutorsPerHostInStage = conf.exclusion.maxFailedExecutorsPerHostInStage
        maxFailedTasksPerExecutor = conf.exclusion.maxFailedTasksPerExecutor
        maxFailedExecutorsPerHost = conf.exclusion.maxFailedExecutorsPerHost
        excludesOnFetchFailure = conf.exclusion.excludesOnFetchFailure
        killsExecutors = conf.exclusion.killsExecutors
        decommissionsKilled = conf.exclusion.decommissionsKilled
        unschedulableTimeout = conf.exclusion.unschedulableTimeout
    }
}
