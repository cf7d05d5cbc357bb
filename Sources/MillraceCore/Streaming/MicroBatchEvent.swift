import MillraceBase

/// What happens to a streaming query.
public enum MicroBatchEvent: Sendable {
    /// The first event: what the checkpoint's logs say.
    case started(RecoveredLogs)
    /// Answer to `fetchLatestOffsets`: per source its new end, nil where nothing is new.
    case latestOffsets([String?])
    /// The entry that `writeOffsets` asked for is durable.
    case offsetsWritten
    /// Answer to `runBatch`: all tasks are done and the state is durable. How much of the time went
    /// into finding the inputs and making the job.
    case batchFinished(getBatch: Duration, queryPlanning: Duration)
    /// Answer to `commitSink`.
    case sinkCommitted
    /// The entry that `writeCommit` asked for is durable.
    case commitWritten
    /// The time of `wait` has come.
    case timerFired
    /// A source has something; only sources that can tell say so.
    case dataArrived
    /// Somebody wants to know when all data that is there now is processed.
    case processAllRequested(token: Int)
    case stopRequested
    /// An effect could not be performed.
    case failed(MillraceError)
    /// An entry of the logs could not be written; those asked for after it are not there either.
    case logFailed(MillraceError)
}

/// What the shell of a streaming query is to do.
///
/// `fetchLatestOffsets`, `runBatch` and `commitSink` are the batch's own steps: each is answered by
/// one event before the next of them is asked for. `writeOffsets` and `writeCommit` go to another
/// thread, which writes one entry after the other in this order, each durable before the next is
/// begun. The rest needs no answer.
public enum MicroBatchEffect: Sendable {
    /// Fix the end up to which the sources are read (`Trigger.availableNow`).
    case prepareAvailableNow(start: [String?])
    /// A source that has no offset yet starts at its initial one.
    case fetchLatestOffsets(start: [String?])
    case writeOffsets(MicroBatch)
    case runBatch(MicroBatch, isRerun: Bool)
    /// The batch that runs is not wanted any more. Its answer still comes.
    case cancelBatch
    /// Never before the batch's offsets are durable.
    case commitSink(MicroBatch)
    case writeCommit(BatchID, nextWatermarkMs: Int64)
    /// The sources may forget what lies before the batch's end.
    case releaseSources(MicroBatch)
    case publish(TriggerReport)
    /// Nothing happened for a while: tell that the query is alive.
    case publishIdle(TriggerReport)
    /// Delete what no restart from `keepingFrom` on needs.
    case purge(keepingFrom: BatchID)
    /// Everything that was there when these asked is processed.
    case completeProcessAll([Int])
    /// Nothing is to be done before an event comes; when that instant has come, say `timerFired`.
    case wait(until: Instant)
    /// The end, also for whoever waits for `completeProcessAll`. Nothing is to be done after it.
    case terminate(MillraceError?)
}
