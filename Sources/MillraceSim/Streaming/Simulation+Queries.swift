import MillraceBase
import MillraceCore
import MillraceDriver
import MillraceStore

/// The shell of the streaming queries: performs what `MicroBatchExecution` decides, as
/// `StreamingQueryRunner` does, one thing at a time and each at its instant.
extension Simulation {
    var streamTime: StreamTime {
        StreamTime(instant: now, wallMs: now.nanoseconds / 1_000_000)
    }

    /// Opens the checkpoint and takes up where its logs end.
    func startQuery(_ number: Int, _ incarnation: Int) {
        let query = queries[number]
        guard incarnation == self.incarnation, query.run == nil, !query.isDrained else {
            return
        }
        enter(driverProcess)
        runs += 1
        query.runs += 1
        note("query \(number) starts, for the \(query.runs). time")
        do throws(StoreError) {
            let checkpoint = try CheckpointDirectory(files, query.location)
            let run = SimulatedQuery.Run(
                number: runs, machine: MicroBatchExecution(query.settings),
                checkpoint: checkpoint,
                state: try StateFolder(
                    files, root: checkpoint.stateFolder, operatorID: "0",
                    keyGroups: SimulatedQuery.keyGroups),
                sink: try FileSinkLog(files, output: query.output, compactInterval: 3))
            let logs = try recoveredLogs(run)
            recoverAccumulators(of: query, logs)
            query.run = run
            query.hasEndedWell = false
            tell(query, .started(logs))
        } catch {
            note("query \(number) cannot start: \(error)")
            if error.isCorrupt { fail("query \(number) finds a damaged file: \(error)") }
            restartSoon(query)
        }
    }

    private func recoveredLogs(
        _ run: SimulatedQuery.Run
    ) throws(StoreError) -> RecoveredLogs {
        var logs = RecoveredLogs()
        if let commit = try run.checkpoint.commits.getLatest() {
            logs.committed = commit.batch
            logs.nextWatermarkMs = commit.entry.nextBatchWatermarkMs
        }
        if let latest = try run.checkpoint.offsets.getLatest() {
            logs.latest = RecoveredLogs.Offsets(
                batch: latest.batch, offsets: latest.entry.offsets,
                timestampMs: latest.entry.metadata.batchTimestampMs,
                watermarkMs: latest.entry.metadata.batchWatermarkMs)
            if latest.batch.rawValue > 0 {
                logs.previous = try run.checkpoint.offsets.get(
                    BatchID(latest.batch.rawValue - 1))?.offsets
            }
        }
        try run.state.beginRun(after: logs.committed.map { $0.rawValue + 1 } ?? 0)
        return logs
    }

    /// What is committed counts for good, what is logged is run again, the rest never was.
    private func recoverAccumulators(of query: SimulatedQuery, _ logs: RecoveredLogs) {
        let name = "\(query.number)"
        if plan.countsRows { ledger.open(Ledger.accumulator(of: query)) }
        if let committed = logs.committed {
            tell(.batchesSettled(query: name, through: committed))
        }
        let latest = logs.latest?.batch ?? BatchID(-1)
        tell(.batchesRetracted(query: name, after: latest))
        query.ranges = query.ranges.filter { $0.key <= latest }
    }

    func restartSoon(_ query: SimulatedQuery) {
        schedule(
            .queryStart(query: query.number, incarnation: incarnation),
            after: workChance.delay(.milliseconds(10)))
    }

    /// An event of an older start is nobody's.
    func happen(to number: Int, _ run: Int, _ event: MicroBatchEvent) {
        guard let current = queries[number].run, current.number == run else { return }
        tell(queries[number], event)
    }

    func tell(_ query: SimulatedQuery, _ event: MicroBatchEvent) {
        guard let run = query.run else { return }
        var effects: [MicroBatchEffect] = []
        run.machine.handle(event, at: streamTime, into: &effects)
        for effect in effects where query.run === run { perform(effect, query, run) }
    }

    private func answer(
        _ query: SimulatedQuery, _ run: SimulatedQuery.Run, _ event: MicroBatchEvent,
        after delay: Duration
    ) {
        schedule(
            .query(query.number, run: run.number, event), after: workChance.delay(delay))
    }

    private func perform(
        _ effect: MicroBatchEffect, _ query: SimulatedQuery, _ run: SimulatedQuery.Run
    ) {
        switch effect {
        case .prepareAvailableNow: break
        case .fetchLatestOffsets(let start):
            let end = fetch(query, SimulatedQuery.offset(start[0]))
            answer(query, run, .latestOffsets([end]), after: .microseconds(100))
        case .writeOffsets(let batch): log(.offsets(batch), query, run)
        case .writeCommit(let batch, let watermark):
            log(.commit(batch, nextWatermarkMs: watermark), query, run)
        case .runBatch(let batch, let isRerun): startBatch(batch, isRerun, query, run)
        case .cancelBatch:
            if let job = run.job { tell(.jobCancelled(job, reason: "the query was stopped")) }
        case .commitSink(let batch):
            schedule(
                .sinkCommit(query.number, run: run.number, batch),
                after: workChance.delay(.microseconds(200)))
        case .releaseSources(let batch):
            query.released = max(query.released, SimulatedQuery.offset(batch.end[0]))
        case .publish(let report):
            note("query \(query.number) has committed \(report.batch)")
            tell(.batchesSettled(query: "\(query.number)", through: report.batch))
        case .purge(let batch): purge(query, run, batch)
        case .wait(let instant):
            queue.insert(
                .query(query.number, run: run.number, .timerFired), at: max(instant, now))
        case .terminate(let error): end(query, error)
        case .publishIdle, .completeProcessAll: break
        }
    }

    /// A random part of what is there: sources limit what a batch reads.
    private func fetch(_ query: SimulatedQuery, _ start: Int) -> String? {
        guard query.head > start else { return nil }
        let count = query.head - start
        return SimulatedQuery.text(start + 1 + workChance.below(count))
    }

    private func end(_ query: SimulatedQuery, _ error: MillraceError?) {
        note("query \(query.number) ends\(error.map { ": \($0.message)" } ?? "")")
        if let run = query.run {
            run.checkpoint.close()
            tell(.queryEnded(QueryID(run.number)))
        }
        query.run = nil
        query.hasEndedWell = error == nil
        if !query.isDrained { restartSoon(query) }
    }

    // MARK: Logs

    private func log(
        _ entry: SimulatedQuery.LogEntry, _ query: SimulatedQuery, _ run: SimulatedQuery.Run
    ) {
        run.unwritten.append(entry)
        if run.unwritten.count == 1 { writeSoon(query, run) }
    }

    private func writeSoon(_ query: SimulatedQuery, _ run: SimulatedQuery.Run) {
        schedule(
            .logWrite(query.number, run: run.number), after: workChance.delay(weather.diskDelay))
    }

    /// The log's thread writes the next entry. After one that failed there is no other.
    func writeLog(_ number: Int, _ runNumber: Int) {
        let query = queries[number]
        guard let run = query.run, run.number == runNumber, let entry = run.unwritten.first else {
            return
        }
        enter(driverProcess)
        do throws(StoreError) {
            switch entry {
            case .offsets(let batch):
                if plan.settings.canary == .sinkBeforeLog {
                    run.unlogged = batch
                } else {
                    try addOffsets(of: batch, run)
                }
                run.unwritten.removeFirst()
                tell(query, .offsetsWritten)
            case .commit(let batch, let watermark):
                if let late = run.unlogged.take() { try addOffsets(of: late, run) }
                try run.checkpoint.commits.add(
                    batch, CommitMetadata(nextBatchWatermarkMs: watermark))
                run.unwritten.removeFirst()
                tell(query, .commitWritten)
            }
            if !run.unwritten.isEmpty { writeSoon(query, run) }
        } catch {
            misfortunes += 1
            run.unwritten = []
            if error.kind == .concurrentUpdate { fail("query \(number): \(error)") }
            tell(query, .logFailed(error.asMillraceError))
        }
    }

    private func addOffsets(
        of batch: MicroBatch, _ run: SimulatedQuery.Run
    ) throws(StoreError) {
        let metadata = OffsetSeqMetadata(
            batchWatermarkMs: batch.watermarkMs, batchTimestampMs: batch.timestampMs)
        try run.checkpoint.offsets.add(
            batch.id, OffsetSeq(metadata: metadata, offsets: batch.end))
    }

    private func purge(_ query: SimulatedQuery, _ run: SimulatedQuery.Run, _ batch: BatchID) {
        enter(driverProcess)
        do throws(StoreError) {
            try run.checkpoint.offsets.purge(before: batch)
            try run.checkpoint.commits.purge(before: batch)
            try run.state.purge(neededFrom: batch.rawValue)
        } catch { note("query \(query.number) keeps old batches: \(error)") }
    }
}
