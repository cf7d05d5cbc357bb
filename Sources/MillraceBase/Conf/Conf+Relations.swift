/// What must hold between settings. Each is checked when the settings are made, so that a
/// contradiction is said at the start and not when it bites.
extension Conf {
    func checkRelations() throws(ConfError) {
        try checkExclusion()
        try checkAllocation()
        try require(
            executor.heartbeatInterval < network.timeout, ExecutorEntries.entries.heartbeatInterval,
            "must be below \(NetworkEntries.entries.timeout.key) (\(network.timeout.confText))")
        try require(
            streaming.minGroupSize <= streaming.maxGroupSize,
            StreamingEntries.entries.minGroupSize,
            "must not be above \(StreamingEntries.entries.maxGroupSize.key) "
                + "(\(streaming.maxGroupSize))")
        try require(
            streaming.lowerGroupOverhead <= streaming.upperGroupOverhead,
            StreamingEntries.entries.lowerGroupOverhead,
            "must not be above \(StreamingEntries.entries.upperGroupOverhead.key) "
                + "(\(streaming.upperGroupOverhead))")
        try require(
            (security.certificateFile == nil) == (security.privateKeyFile == nil),
            security.certificateFile == nil
                ? SecurityEntries.entries.privateKeyFile : SecurityEntries.entries.certificateFile,
            "needs the other one of certificate and key too")
        try require(
            !security.isTLSEnabled
                || (security.certificateFile != nil && security.authorityFile != nil),
            SecurityEntries.entries.isTLSEnabled,
            "needs \(SecurityEntries.entries.certificateFile.key), "
                + "\(SecurityEntries.entries.privateKeyFile.key) and "
                + SecurityEntries.entries.authorityFile.key)
        try require(
            security.secret == nil || security.secretFile == nil,
            SecurityEntries.entries.secretFile,
            "cannot be given together with \(SecurityEntries.entries.secret.key)")
        try require(
            !security.isAuthenticationEnabled || security.secret != nil
                || security.secretFile != nil,
            SecurityEntries.entries.isAuthenticationEnabled,
            "needs \(SecurityEntries.entries.secretFile.key)")
    }

    private func checkAllocation() throws(ConfError) {
        let entries = DynamicAllocationEntries.entries
        let most = dynamicAllocation.maxExecutors
        try require(
            dynamicAllocation.minExecutors <= most, entries.minExecutors,
            "must be at most \(entries.maxExecutors.key) (\(most))")
        try require(
            dynamicAllocation.initialExecutors ?? 0 <= most, entries.initialExecutors,
            "must be at most \(entries.maxExecutors.key) (\(most))")
        let streaming = StreamingAllocationEntries.entries
        try require(
            !streamingAllocation.isEnabled || dynamicAllocation.isEnabled, streaming.isEnabled,
            "needs \(entries.isEnabled.key)")
        try require(
            streamingAllocation.minExecutors <= streamingAllocation.maxExecutors,
            streaming.minExecutors,
            "must be at most \(streaming.maxExecutors.key) (\(streamingAllocation.maxExecutors))")
    }

    /// A host on which everything fails must not be able to fail a job. Spark's
    /// `HealthTracker.validateExcludeOnFailureConfs`.
    private func checkExclusion() throws(ConfError) {
        let isEnabled = exclusion.isEnabledForStages ?? exclusion.isEnabled ?? false
        try require(
            !isEnabled || exclusion.maxTaskAttemptsPerHost < scheduler.maxTaskFailures,
            ExclusionEntries.entries.maxTaskAttemptsPerHost,
            "must be below \(SchedulerEntries.entries.maxTaskFailures.key) "
                + "(\(scheduler.maxTaskFailures))")
    }

    private func require<Value>(
        _ holds: Bool, _ entry: ConfEntry<Value>, _ reason: String
    ) throws(ConfError) {
        if holds { return }
        let setting = given(entry.key) ?? ConfSetting(entry.key, entry.defaultText)
        throw Conf.failure(setting, reason)
    }
}
