import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceStore
import Synchronization

/// Performs what a query's `MicroBatchExecution` decides, on the query's own thread: asks sources,
/// starts jobs, commits the sink. Blocks there as it must, and sleeps in its mailbox when there is
/// nothing to do; `await` gives the thread up only while user code runs. The logs are written on a
/// thread beside it (`PersistThread`).
///
/// Plans, folders and sources are made once, in `init`; a batch makes its inputs, its job and its
/// progress report.
final class StreamingQueryRunner: @unchecked Sendable {
    // Confined to the query's thread once `start` has returned.
    let spec: StreamingQuerySpec
    let query: StreamingQuery
    let manager: StreamingQueryManager
    let checkpoint: CheckpointDirectory
    let sources: [any MicroBatchSource]
    var folders: [StateFolder]
    let sink: any StreamSinkCommitter
    let plan: StreamingPlan
    let mailbox: QueryMailbox
    /// In this application.
    let number: QueryID
    private let thread: StreamThread
    let log: PersistThread
    /// Held while old batches are deleted.
    private let purging = Mutex(())
    private let isPurging = Atomic<Bool>(false)
    private var machine: MicroBatchExecution
    private var effects: [MicroBatchEffect] = []
    private var news: [MicroBatchEvent] = []
    /// Of the job of the batch at work.
    var job: (id: JobID, batch: BatchID)?
    let ended = Mutex<Result<FinishedJob, any Error>?>(nil)
    var results: [[UInt8]] = []
    var latest = JobReport()
    /// Of the last batch whose sink has committed.
    var report = JobReport()
    var stateProgress: StateOperatorProgress?
    /// By partition of the last stage, who has its state.
    var owners: [[ExecutorID]] = []
    /// Nil when executors aren't asked for by what the query lags behind.
    var lag: LagController?
    /// Tasks of the last batch's widest stage.
    var widest = 0

    /// Makes and starts a query. Throws what can be known before its first batch.
    static func start(_ spec: StreamingQuerySpec) throws -> StreamingQuery {
        let manager = spec.context.streams
        try manager.reserve(spec.name)
        let runner: StreamingQueryRunner
        do {
            runner = try StreamingQueryRunner(spec, manager)
        } catch {
            manager.release(spec.name)
            throw StreamingQueryRunner.describe(error)
        }
        let query = runner.query
        manager.began(query)
        for listener in manager.listeners {
            listener.onQueryStarted(
                .init(
                    id: query.id, runId: query.runId, name: query.name,
                    timestampMs: StreamClock.now().wallMs))
        }
        query.runs(as: Task(executorPreference: runner.thread) { await runner.run() })
        return query
    }

    private init(_ spec: StreamingQuerySpec, _ manager: StreamingQueryManager) throws {
        self.spec = spec
        self.manager = manager
        let conf = spec.context.conf
        let fileSystem = PosixFileSystem()
        checkpoint = try CheckpointDirectory(fileSystem, spec.checkpoint)
        let mailbox = QueryMailbox()
        self.mailbox = mailbox
        let checkpoint = self.checkpoint
        plan = try StreamingPlan(
            spec.node, sink: spec.sink.plan, stream: spec.stream, context: spec.context)
        folders = try spec.stream.stateful.indices.map {
            try StateFolder(
                fileSystem, root: checkpoint.stateFolder, operatorID: String($0),
                keyGroups: conf.state.keyGroups)
        }
        sink = try spec.sink.open(
            SinkPlace(fileSystem: fileSystem, mode: spec.mode, queryID: checkpoint.queryID))
        sources = try spec.stream.sources.enumerated().map { index, source in
            try source.provider.open(
                SourcePlace(
                    fileSystem: fileSystem, folder: checkpoint.sourceFolder(index),
                    queryID: checkpoint.queryID, conf: conf,
                    parallelism: spec.context.streamParallelism,
                    wake: { mailbox.announceData() }))
        }
        var settings = MicroBatchExecution.Settings(
            trigger: spec.trigger.kind, sources: sources.count)
        settings.pollingDelay = conf.streaming.pollingDelay
        settings.idleReportInterval = conf.streaming.noDataProgressEventInterval
        settings.minBatchesToRetain = conf.streaming.minBatchesToRetain
        machine = MicroBatchExecution(settings)
        number = spec.context.nextQuery()
        lag = StreamingQueryRunner.lagSettings(conf).map { LagController(settings: $0) }
        thread = try StreamThread(name: "stream-query")
        log = try PersistThread(name: "stream-log")
        query = StreamingQuery(
            id: checkpoint.queryID, runId: UUIDText.random(), name: spec.name,
            retained: conf.streaming.numRecentProgressUpdates, mailbox: mailbox)
    }

    // MARK: The loop

    private func run() async {
        startScaling()
        do {
            handle(.started(try recoveredLogs()))
        } catch {
            handle(.failed(StreamingQueryRunner.describe(error)))
        }
        var current: [MicroBatchEffect] = []
        while machine.phase != .terminated || !effects.isEmpty {
            if effects.isEmpty { sleep() }
            swap(&current, &effects)
            for effect in current {
                let answer = await perform(effect)
                takeNews()
                if let answer { handle(answer) }
            }
            current.removeAll(keepingCapacity: true)
        }
    }

    /// Until something comes: the end of the job, of a write, a request; or data or a time that the
    /// query waits for.
    private func sleep() {
        switch machine.phase {
        case .waiting(let deadline):
            mailbox.wait(until: deadline, forData: true, into: &news)
            if news.isEmpty { handle(.timerFired) }
        case .settling: mailbox.wait(until: .distantFuture, forData: true, into: &news)
        default: mailbox.wait(until: .distantFuture, forData: false, into: &news)
        }
        receiveNews()
    }

    private func handle(_ event: MicroBatchEvent) {
        machine.handle(event, at: StreamClock.now(), into: &effects)
    }

    /// What came while an effect was performed is older than its answer.
    private func takeNews() {
        mailbox.take(into: &news)
        receiveNews()
    }

    private func receiveNews() {
        for event in news {
            if case .batchFinished = event { handle(takeResults(event)) } else { handle(event) }
        }
        news.removeAll(keepingCapacity: true)
    }

    private func perform(_ effect: MicroBatchEffect) async -> MicroBatchEvent? {
        do {
            switch effect {
            case .prepareAvailableNow(let start):
                for (source, offset) in zip(sources, try resolved(start)) {
                    try source.prepareAvailableNow(from: offset)
                }
            case .fetchLatestOffsets(let start): return .latestOffsets(try fetch(start))
            case .writeOffsets(let batch): write(batch)
            case .runBatch(let batch, let isRerun): try startJob(batch, isRerun)
            case .cancelBatch: cancelJob()
            case .commitSink(let batch):
                try await sink.commit(batch.id, results)
                report = latest
                try spec.fault?(.afterSinkCommit(batch.id.rawValue))
                return .sinkCommitted
            case .writeCommit(let batch, let watermark): write(batch, watermark)
            case .releaseSources(let batch):
                for (source, end) in zip(sources, batch.end) { end.map { source.commit($0) } }
                settleAccumulators(through: batch.id)
            case .publish(let report): publish(report)
            case .publishIdle(let report): publishIdle(report)
            case .purge(let batch): purge(keepingFrom: batch)
            case .completeProcessAll(let tokens): query.complete(tokens)
            case .wait: updateWaiting()
            case .terminate(let error): terminate(error)
            }
        } catch {
            return .failed(StreamingQueryRunner.describe(error))
        }
        return nil
    }

    // MARK: Effects

    /// Offsets with the sources' initial ones in place of none.
    func resolved(_ offsets: [String?]) throws -> [String] {
        try zip(sources, offsets).map { try $1 ?? $0.initialOffset() }
    }

    private func fetch(_ start: [String?]) throws -> [String?] {
        query.update(
            "Getting offsets", isDataAvailable: machine.isDataAvailable, isTriggerActive: true)
        mailbox.forgetData()
        return try zip(sources, try resolved(start)).map { try $0.latestOffset(from: $1) }
    }

    private func updateWaiting() {
        let isInterval: Bool
        if case .processingTime(let interval) = spec.trigger.kind, interval > .zero {
            isInterval = true
        } else {
            isInterval = false
        }
        query.update(
            isInterval ? "Waiting for next trigger" : "Waiting for data to arrive",
            isDataAvailable: machine.isDataAvailable, isTriggerActive: false)
    }

    /// On a thread of its own: deleting a hundred files takes longer than a batch. What cannot be
    /// deleted now will be the next time.
    private func purge(keepingFrom batch: BatchID) {
        guard !isPurging.exchange(true, ordering: .acquiring) else { return }
        do {
            try TaskThread.detached(name: "stream-purge") { [self] in
                purging.withLock { _ in delete(before: batch) }
                isPurging.store(false, ordering: .releasing)
            }
        } catch {
            isPurging.store(false, ordering: .releasing)
        }
    }

    private func delete(before batch: BatchID) {
        do {
            try checkpoint.offsets.purge(before: batch)
            try checkpoint.commits.purge(before: batch)
            for folder in folders { try folder.purge(neededFrom: batch.rawValue) }
        } catch {
            Log.warn(
                "stream", "old batches were not deleted", ["query": query.id, "because": error])
        }
    }

    /// No batch up to this one is run again, not by the query's next start either.
    private func settleAccumulators(through batch: BatchID) {
        spec.context.runner.settleBatches(of: query.id, through: batch)
        // Those of the batches before, on the query's own thread.
        spec.context.runner.accumulators.mergeSettled()
    }

    private func terminate(_ error: MillraceError?) {
        endScaling()
        for source in sources { source.stop() }
        log.close()
        spec.context.runner.endQuery(number)
        purging.withLock { _ in }
        checkpoint.close()
        if spec.isTemporary, error == nil {
            try? checkpoint.fileSystem.deleteTree(checkpoint.path)
            settleAccumulators(through: BatchID(.max))
        }
        let failure = error.map {
            MillraceError(
                .queryFailed,
                "Query \(query.name ?? "<unnamed>") [id = \(query.id), runId = \(query.runId)] "
                    + "terminated "
                    + "with exception: \($0.message)", cause: $0.cause ?? $0)
        }
        if let failure {
            Log.error("stream", "query failed", ["query": query.id, "because": failure])
        }
        query.end(failure)
        manager.ended(query, failure)
        for listener in manager.listeners {
            listener.onQueryTerminated(
                .init(id: query.id, runId: query.runId, exception: failure))
        }
        thread.close()
    }

    /// Any error as the one that users see.
    static func describe(_ error: any Error) -> MillraceError {
        switch error {
        case let error as MillraceError: error
        case let error as StoreError: error.asMillraceError
        default: MillraceError(.queryFailed, "\(error)", cause: error)
        }
    }
}
