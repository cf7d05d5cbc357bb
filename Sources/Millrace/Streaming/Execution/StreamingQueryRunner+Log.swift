import MillraceBase
import MillraceCore
import MillraceStore

/// What a batch writes to its checkpoint's logs, beside the thread that runs it.
extension StreamingQueryRunner {
    func write(_ batch: MicroBatch) {
        let conf = [
            StreamingQuerySpec.keyGroupsKey: String(spec.context.stateKeyGroups),
            StreamingQuerySpec.partitionsKey: String(spec.context.statePartitions),
        ]
        let metadata = OffsetSeqMetadata(
            batchWatermarkMs: batch.watermarkMs, batchTimestampMs: batch.timestampMs, conf: conf)
        let entry = OffsetSeq(metadata: metadata, offsets: batch.end)
        persist { [spec, checkpoint] in
            try spec.fault?(.beforeOffsets(batch.id.rawValue))
            try checkpoint.offsets.add(batch.id, entry)
            try spec.fault?(.afterOffsets(batch.id.rawValue))
            return .offsetsWritten
        }
    }

    func write(_ batch: BatchID, _ watermarkMs: Int64) {
        persist { [spec, checkpoint] in
            try spec.fault?(.beforeCommit(batch.rawValue))
            try checkpoint.commits.add(batch, CommitMetadata(nextBatchWatermarkMs: watermarkMs))
            try spec.fault?(.afterCommit(batch.rawValue))
            return .commitWritten
        }
    }

    /// Writes on the log's thread. After an entry that could not be written there is no other.
    private func persist(_ write: @escaping @Sendable () throws -> MicroBatchEvent) {
        log.post { [mailbox] in
            do {
                mailbox.post(try write())
                return true
            } catch {
                mailbox.post(.logFailed(StreamingQueryRunner.describe(error)))
                return false
            }
        }
    }
}
