import MillraceBase
import MillraceCore

extension MergeSettings {
    /// nil when shuffles are not to be merged, or there is no shuffle service that could.
    init?(_ conf: Conf) {
        guard conf.shufflePush.isEnabled else { return nil }
        guard conf.shuffleService.isEnabled else {
            Log.warn(
                "driver",
                "\(ShufflePushEntries.entries.isEnabled.key) does nothing without "
                    + ShuffleServiceEntries.entries.isEnabled.key)
            return nil
        }
        self.init()
        minMergersRatio = conf.shufflePush.minMergersRatio
        minMergers = conf.shufflePush.minMergers
        if conf.dynamicAllocation.isEnabled { maxExecutors = conf.dynamicAllocation.maxExecutors }
        finalizeTimeout = conf.shufflePush.finalizeTimeout
        minSizeToWait = conf.shufflePush.minShuffleSizeToWait.bytes
        minPushedRatio = conf.shufflePush.minPushedRatio
        resultsTimeout = conf.shufflePush.resultsTimeout
    }
}
