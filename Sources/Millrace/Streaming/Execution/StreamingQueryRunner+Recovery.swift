import MillraceBase
import MillraceCore
import MillraceStore

/// What a start finds in the checkpoint.
extension StreamingQueryRunner {
    /// Reads the logs, and clears away the state of batches that were not committed.
    func recoveredLogs() throws -> RecoveredLogs {
        var logs = RecoveredLogs()
        if let commit = try checkpoint.commits.getLatest() {
            logs.committed = commit.batch
            logs.nextWatermarkMs = commit.entry.nextBatchWatermarkMs
        }
        if let latest = try checkpoint.offsets.getLatest() {
            try check(latest.entry.metadata)
            logs.latest = RecoveredLogs.Offsets(
                batch: latest.batch, offsets: latest.entry.offsets,
                timestampMs: latest.entry.metadata.batchTimestampMs,
                watermarkMs: latest.entry.metadata.batchWatermarkMs)
            if latest.batch.rawValue > 0 {
                logs.previous = try checkpoint.offsets.get(BatchID(latest.batch.rawValue - 1))?
                    .offsets
            }
        }
        recoverAccumulators(logs)
        // Batch N makes version N + 1.
        let version = logs.committed.map { $0.rawValue + 1 } ?? 0
        for index in folders.indices { try folders[index].beginRun(after: version) }
        if let latest = logs.latest {
            Log.info(
                "stream", "query resumes",
                ["query": query.id, "offsets": latest.batch, "committed": logs.committed as Any])
        }
        return logs
    }

    /// Of a run before this one in the same application: what is committed counts for good, what is
    /// logged will be run again, and what isn't logged never was.
    private func recoverAccumulators(_ logs: RecoveredLogs) {
        let runner = spec.context.runner
        if let committed = logs.committed {
            runner.settleBatches(of: query.id, through: committed)
        }
        runner.retractBatches(of: query.id, after: logs.latest?.batch ?? BatchID(-1))
    }

    /// State that was written in other key groups cannot be read.
    private func check(_ metadata: OffsetSeqMetadata) throws {
        guard !folders.isEmpty, let text = metadata.conf[StreamingQuerySpec.keyGroupsKey] else {
            return
        }
        let now = spec.context.stateKeyGroups
        guard Int(text) == now else {
            throw MillraceError(
                .incompatibleState,
                "the query's state is divided into \(text) key groups and the setting "
                    + "\(StreamingQuerySpec.keyGroupsKey) is \(now); it cannot change during a "
                    + "query's life"
            )
        }
    }
}
