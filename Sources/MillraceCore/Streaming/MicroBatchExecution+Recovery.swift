import MillraceBase

extension MicroBatchExecution {
    /// Takes up where the logs end: after the last committed batch, or with a batch whose range was
    /// written and that is not committed; that one runs again over the same range, with the same
    /// time and watermark, whatever the sources have by now.
    mutating func recover(
        _ logs: RecoveredLogs, _ time: StreamTime, _ effects: inout [MicroBatchEffect]
    ) {
        precondition(phase == .created, "a query starts once")
        if let problem = problem(in: logs) { return terminate(problem, &effects) }
        if let latest = logs.latest {
            if logs.committed == latest.batch {
                batch = latest.batch.next
                offsets = latest.offsets
                watermarkMs = logs.nextWatermarkMs
            } else {
                batch = latest.batch
                offsets = logs.previous ?? Array(repeating: nil, count: settings.sources)
                watermarkMs = latest.watermarkMs
                isRerun = true
                isLogged = true
                current = MicroBatch(
                    id: latest.batch, start: offsets, end: latest.offsets,
                    timestampMs: latest.timestampMs, watermarkMs: latest.watermarkMs)
            }
        }
        if settings.trigger == .availableNow {
            effects.append(.prepareAvailableNow(start: current?.end ?? offsets))
        }
        beginTrigger(time, &effects)
    }

    private func problem(in logs: RecoveredLogs) -> MillraceError? {
        guard let latest = logs.latest else {
            return logs.committed.map {
                incompatible(
                    "commits/\($0.rawValue) is there, but offsets/ is empty; the checkpoint is "
                        + "incomplete"
                )
            }
        }
        if latest.offsets.count != settings.sources {
            return incompatible(
                "There are [\(latest.offsets.count)] sources in the checkpoint offsets and now "
                    + "there are "
                    + "[\(settings.sources)] sources requested by the query. Cannot continue.")
        }
        if let committed = logs.committed, committed > latest.batch {
            return incompatible(
                "commits/\(committed.rawValue) is there, but not offsets/\(committed.rawValue); "
                    + "the "
                    + "checkpoint is incomplete")
        }
        if logs.committed == latest.batch || latest.batch.rawValue == 0 { return nil }
        let before = latest.batch.rawValue - 1
        if logs.committed?.rawValue != before {
            return incompatible(
                "offsets/\(latest.batch.rawValue) is there, but not commits/\(before); the "
                    + "checkpoint is "
                    + "incomplete")
        }
        guard let previous = logs.previous, previous.count == settings.sources else {
            return incompatible(
                "batch \(latest.batch.rawValue) is to be repeated, but offsets/\(before), where it "
                    + "begins, is not there")
        }
        return nil
    }

    private func incompatible(_ message: String) -> MillraceError {
        MillraceError(.incompatibleState, message)
    }
}
