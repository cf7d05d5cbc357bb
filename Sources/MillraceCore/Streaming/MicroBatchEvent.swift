import MillraceBase

/// What happens to a streaming query.
public enum MicroBatchEvent: Sendable {
    /// The first event: what the checkpoint's logs say.
    case started(RecoveredLogs)
    /// Answer to `fetchLatestOffsets`: per source its new end, nil where nothing is new.
    case latestOffsets([String?])
    /// Answer to `writeOffsets`: the entry is durable.
    case offsetsWritten
    /// Answer to `runBatch`: all tasks are done and the state is durable. How much of the time went
    /// into finding the inputs and making the job.
    case batchFinished(getBatch: Duration, queryPlanning: Duration)
    /// Answer to `commitSink`.
    case sinkCommitted
    /// Answer to `writeCommit`: the entry is durable.
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
}

/// What the shell of a streaming query is to do. Each effect up to `writeCommit` is answered by one
/// event before anything else is asked for; the others need no answer.
public enum MicroBatchEffect: Sendable {
    /// Fix the end up to which the sources are read (`Trigger.availableNow`).
    case prepareAvailableNow(start: [String?])
    /// A source that has no offset yet starts at its initial one.
    case fetchLatestOffsets(start: [String?])
    case writeOffsets(MicroBatch)
    case runBatch(MicroBatch, isRerun: Bool)
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
    /// Wait for an event; when that instant has come, say `timerFired`.
    case wait(until: Instant)
    /// The end, also for whoever waits for `completeProcessAll`. Nothing is to be done after it.
    case terminate(MillraceError?)
}
