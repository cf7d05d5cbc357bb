import MillraceBase
import MillraceCore
import MillraceStore

/// The beginning and the end of what queries read.
extension Simulation {
    /// A source gets rows, until the day is calm.
    func addData(_ number: Int) {
        guard !isCalm else { return }
        queries[number].head += 1 + workChance.below(20)
        tell(queries[number], .dataArrived)
        schedule(.dataArrival(query: number), after: workChance.delay(plan.dataInterval))
    }

    /// Stops the queries that have committed all there is.
    func drainQueries() {
        for query in queries where !query.isDrained {
            guard query.seen.last?.end ?? 0 == query.head else { continue }
            guard let run = query.run else {
                if query.hasEndedWell || query.runs == 0 { query.isDrained = true }
                continue
            }
            guard case .waiting = run.machine.phase, run.unwritten.isEmpty else { continue }
            query.isDrained = true
            tell(query, .stopRequested)
        }
    }

    /// Each row of the batches that this life of the driver ran was counted once, also of those
    /// that were run again or taken back.
    private func checkCounts(of query: SimulatedQuery) {
        guard plan.countsRows else { return }
        let rows = query.ranges.values.map { Program.stream(query.seed, $0) }
        if ledger.differs(Ledger.accumulator(of: query), from: rows) {
            let total = ledger.table.total(Ledger.accumulator(of: query))
            fail(
                "query \(query.number) has counted \(total.map { "\($0)" } ?? "nothing") "
                    + "instead of \(Ledger.sum(rows.joined()))")
        }
    }

    /// The state on the disk is what one thread computes.
    func checkFinalState(of query: SimulatedQuery) {
        enter(.max)
        checkCounts(of: query)
        do throws(StoreError) {
            let checkpoint = try CheckpointDirectory(files, query.location)
            defer { checkpoint.close() }
            guard let committed = try checkpoint.commits.latestBatch() else {
                if query.head > 0 { fail("query \(query.number) has committed nothing") }
                return
            }
            if query.seen.count != committed.rawValue + 1 {
                fail("query \(query.number) has committed \(committed), seen \(query.seen.count)")
            }
            var rows: [Row] = []
            for file in try FileSinkLog(files, output: query.output).allFiles() {
                rows += Program.decode(try files.read(try StorePath.resolve(file.path)))
            }
            let order: (Row, Row) -> Bool = { ($0.key, $0.value) < ($1.key, $1.value) }
            if rows.sorted(by: order) != query.seen.flatMap(\.rows).sorted(by: order) {
                fail("the output of query \(query.number) is not what its readers saw")
            }
            let folder = try StateFolder(
                files, root: checkpoint.stateFolder, operatorID: "0",
                keyGroups: SimulatedQuery.keyGroups)
            let store = try StateStore.open(
                folder, groups: 0..<SimulatedQuery.keyGroups, version: committed.rawValue + 1)
            let expected = query.sums(before: query.head)
            let isRight = expected.allSatisfy { row in
                store.get([UInt8(row.key)]) == Program.encode([row])
            }
            if !isRight || store.count != expected.count {
                fail("query \(query.number) has wrong state after \(committed)")
            }
        } catch { fail("the state of query \(query.number) cannot be read: \(error)") }
    }
}
