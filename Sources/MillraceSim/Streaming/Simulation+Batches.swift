import MillraceBase
import MillraceCore
import MillraceDriver
import MillraceStore

/// What a micro-batch does: its job, its tasks' state, its part of the sink.
extension Simulation {
    func startBatch(
        _ batch: MicroBatch, _ isRerun: Bool, _ query: SimulatedQuery, _ run: SimulatedQuery.Run
    ) {
        let from = SimulatedQuery.offset(batch.start[0])
        let to = SimulatedQuery.offset(batch.end[0])
        if from < query.released {
            fail("query \(query.number) reads from \(from) again, which it has released")
        }
        let id = JobID(jobs.count)
        run.job = id
        jobs.append(
            SimulatedJob(
                id: id, dataset: nil, partitions: Array(0..<query.partitions), output: .state,
                shuffles: [], isDelivered: (0..<query.partitions).map { _ in false },
                committers: (0..<query.partitions).map { _ in nil }, misfortunes: misfortunes))
        note(
            "query \(query.number) \(isRerun ? "repeats" : "runs") \(batch.id) over "
                + "\(from)..<\(to) as \(id)")
        query.ranges[batch.id] = from..<to
        let (job, plans, shuffle) = batchJob(id, batch.id, from..<to, query, run)
        let (number, runNumber) = (query.number, run.number)
        // Called on the simulation's only thread.
        nonisolated(unsafe) let simulation = self
        engine.submit(
            PendingJob(job, plans: plans) { result in
                simulation.batchEnded(number, runNumber, shuffle, result)
            }, now: now)
        stepped()
    }

    /// Map tasks read parts of the range, reduce tasks merge into the state and write the sink's
    /// files.
    private func batchJob(
        _ id: JobID, _ batch: BatchID, _ range: Range<Int>, _ query: SimulatedQuery,
        _ run: SimulatedQuery.Run
    ) -> (job: JobDescription, plans: [PlanBytes], shuffle: ShuffleID) {
        let map = Program(
            instructions: [.stream(seed: query.seed)], output: .shuffle,
            accumulator: plan.countsRows ? Ledger.accumulator(of: query) : nil)
        let reduce = Program(instructions: [.read(input: 0)], output: .state)
        let plans = [map, reduce].map { program in
            let bytes = program.encoded()
            return PlanBytes(hash: PlanHash(of: bytes), bytes: bytes)
        }
        let shuffle = graph.newShuffle()
        let count = range.count
        let inputs = (0..<query.splits).map { split in
            let start = range.lowerBound + split * count / query.splits
            return StreamRange(start..<range.lowerBound + (split + 1) * count / query.splits).bytes
        }
        let target = StateTarget(
            query: query.number, batch: batch.rawValue, partitions: query.partitions,
            run: run.state.run)
        let nodes = [
            LineageNode(id: RDDID(0), partitionCount: query.splits),
            LineageNode(
                id: RDDID(1), partitionCount: query.partitions,
                dependencies: [
                    .shuffle(
                        ShuffleDependency(
                            shuffle: shuffle, parent: RDDID(0), reducerCount: query.partitions,
                            map: StagePlan(plan: plans[0].hash, inputs: TaskInputs(inputs))))
                ], preferredExecutors: run.owners),
        ]
        let job = JobDescription(
            id: id, lineage: Lineage(nodes: nodes), finalRDD: RDDID(1),
            final: StagePlan(
                plan: plans[1].hash, inputShuffles: [shuffle],
                inputs: TaskInputs((0..<query.partitions).map { _ in target.bytes })),
            properties: JobProperties(
                pool: workChance.pick(DayPlan.poolNames), query: "\(query.number)",
                batch: batch, streamingQuery: QueryID(run.number)))
        return (job, plans, shuffle)
    }

    private func batchEnded(
        _ number: Int, _ runNumber: Int, _ shuffle: ShuffleID,
        _ result: Result<JobOutcome, MillraceError>
    ) {
        // Not now: this is within a step of the engine.
        let event: MicroBatchEvent
        switch result {
        case .success(let outcome):
            if let run = queries[number].run, run.number == runNumber {
                run.results = outcome.results.map { Array($0) }
            }
            self.outcome.succeededJobs += 1
            event = .batchFinished(getBatch: .zero, queryPlanning: .zero)
        case .failure(let error):
            if misfortunes == 0 { fail("a batch fails on a fine day: \(error.message)") }
            event = .failed(error)
        }
        schedule(.shuffleRelease(shuffle, incarnation: incarnation), after: .zero)
        schedule(.query(number, run: runNumber, event), after: .zero)
    }

    // MARK: On an executor

    /// Brings a partition of the state to the next version and writes the rows that changed. As
    /// bytes, the sink's file.
    func mergeState(
        _ rows: [Row], partition: Int, _ target: StateTarget, by task: TaskID,
        on executor: SimulatedExecutor
    ) throws(StoreError) -> [UInt8] {
        enter(process(of: executor))
        let query = queries[target.query]
        var folder = try StateFolder(
            files, root: StorePath.join(query.location, "state"), operatorID: "0",
            keyGroups: SimulatedQuery.keyGroups)
        folder.run = target.run
        let groups = folder.groups(of: partition, in: target.partitions)
        var store = try StateStore.open(folder, groups: groups, version: target.batch)
        var changed: [Row] = []
        for row in rows {
            let key = [UInt8(row.key)]
            let old = store.get(key).flatMap { Program.decode($0).first?.value } ?? 0
            let new = Row(key: row.key, value: old + row.value)
            store.put(group: Int(row.key), key, Program.encode([new]))
            changed.append(new)
        }
        try store.commit(snapshotInterval: query.snapshotInterval)
        note(
            "\(executor.id) has written version \(store.version) of partition \(partition) of "
                + "query \(query.number), by \(task)")
        let name = FileSinkLog.dataFileName(
            partition: partition, uuid: "\(executor.incarnation)-\(task.rawValue)", ext: "rows")
        let path = StorePath.join(query.output, name)
        let bytes = Program.encode(changed)
        try files.makeFolders(query.output)
        try files.writeDurably(bytes, to: path)
        return SinkFile(path: path, size: bytes.count).bytes
    }

    // MARK: The sink

    /// Lists the batch's files in the manifest, as `FileStreamSink` does; then a reader looks.
    func commitSink(_ number: Int, _ runNumber: Int, _ batch: MicroBatch) {
        let query = queries[number]
        guard let run = query.run, run.number == runNumber else { return }
        enter(driverProcess)
        do {
            let results = try run.results.map { try SinkFile(decoding: $0) }
            let isNew = try run.sink.commit(
                batch.id,
                results.map {
                    SinkFileStatus(
                        path: StorePath.fileURI($0.path), size: Int64($0.size),
                        modificationTime: 0)
                })
            if !isNew {
                codeProbe(.sinkBatchRepeated)
                for file in results { try files.delete(file.path) }
            }
            let isSeen = batch.id.rawValue < query.seen.count
            let looksBack = isSeen || !isNew || workChance.chance(100)
            try look(at: batch, results, of: query, run, looksBack: looksBack)
            tell(query, .sinkCommitted)
        } catch {
            misfortunes += 1
            let error = (error as? StoreError)?.asMillraceError
            tell(query, .failed(error ?? MillraceError(.corruptData, "a result is no file")))
        }
    }

    /// A reader of the output sees the batch: the right rows, and the same ones for ever. Looking
    /// back, through the manifest, at all batches costs the more the more there are.
    private func look(
        at batch: MicroBatch, _ written: [SinkFile], of query: SimulatedQuery,
        _ run: SimulatedQuery.Run, looksBack: Bool
    ) throws {
        var rows: [Row] = []
        let paths =
            looksBack
            ? try run.sink.allFiles().map { try StorePath.resolve($0.path) } : written.map(\.path)
        for path in paths { rows += Program.decode(try files.read(path)) }
        let before = looksBack ? query.seen.prefix(batch.id.rawValue).flatMap(\.rows) : []
        let expected = query.expected(
            SimulatedQuery.offset(batch.start[0])..<SimulatedQuery.offset(batch.end[0]))
        let order: (Row, Row) -> Bool = { ($0.key, $0.value) < ($1.key, $1.value) }
        guard rows.sorted(by: order) == (before + expected).sorted(by: order) else {
            return fail("query \(query.number) shows wrong rows in \(batch.id)")
        }
        let seen = SimulatedQuery.Seen(
            end: SimulatedQuery.offset(batch.end[0]), rows: expected)
        if batch.id.rawValue < query.seen.count {
            if query.seen[batch.id.rawValue].end != seen.end {
                fail("query \(query.number) shows \(batch.id) with another range")
            }
        } else {
            query.seen.append(seen)
        }
    }
}
