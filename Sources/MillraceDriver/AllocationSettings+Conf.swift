import MillraceBase
import MillraceCore

extension AllocationSettings {
    /// The settings of dynamic allocation; nil when it is off, or on `local[N]`, whose one executor
    /// is the driver itself.
    public init?(_ conf: Conf) {
        guard conf.dynamicAllocation.isEnabled else { return nil }
        self.init()
        minExecutors = conf.dynamicAllocation.minExecutors
        maxExecutors = conf.dynamicAllocation.maxExecutors
        tasksPerExecutor = conf.executor.cores
        switch conf.application.master {
        case .local: return nil
        case .localCluster(let executors, let cores, _):
            tasksPerExecutor = cores
            // This machine is not to be filled with processes unless somebody says so.
            if conf.given("millrace.dynamicAllocation.maxExecutors") == nil {
                maxExecutors = max(executors, minExecutors)
            }
        case .standalone, .kubernetes: break
        }
        // Spark's Utils.getDynamicAllocationInitialExecutors.
        var instances = 0
        if conf.given("millrace.executor.instances") != nil { instances = conf.executor.instances }
        let initial = max(
            conf.dynamicAllocation.initialExecutors ?? minExecutors, minExecutors, instances)
        initialExecutors = min(initial, maxExecutors)
        allocationRatio = conf.dynamicAllocation.executorAllocationRatio
        backlogTimeout = conf.dynamicAllocation.schedulerBacklogTimeout
        sustainedBacklogTimeout =
            conf.dynamicAllocation.sustainedSchedulerBacklogTimeout ?? backlogTimeout
        idleTimeout = conf.dynamicAllocation.executorIdleTimeout
        cachedIdleTimeout = conf.dynamicAllocation.cachedExecutorIdleTimeout
        // The service keeps map outputs better than an idle executor.
        isShuffleTracked =
            conf.dynamicAllocation.isShuffleTracked && !conf.shuffleService.isEnabled
        shuffleTimeout = conf.dynamicAllocation.shuffleTrackingTimeout
        decommissions = conf.decommission.isEnabled
    }
}
