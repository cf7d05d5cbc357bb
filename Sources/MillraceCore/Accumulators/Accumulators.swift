import MillraceBase

/// Decides which attempt's updates count, and from when on they can't change any more.
///
/// Every partition of a stage contributes once, whatever was retried: an accepted attempt
/// *replaces* what the partition contributed before. (Spark adds map stages' updates again when
/// they're recomputed.) For that, a stage is known by its `AccumulatorOrigin`, which outlives its
/// attempts, stage ids and jobs:
///
/// - a map stage's is its shuffle's: jobs that share the shuffle share the contributions, a stage
///   that is skipped adds none. Settled when the shuffle is removed.
/// - a final stage's is its job's. Settled when the job ends, however it ends.
/// - a batch's stages have one for each place in the batch's job: a batch that is run again
///   replaces what it contributed before. Settled when the batch is committed; retracted when
///   the query starts again and its log doesn't have the batch.
///
/// What is settled is folded into a sum by `AccumulatorTable`, so that memory is bounded by what
/// can still change.
struct Accumulators: Sendable {
    /// An origin to which a task has contributed.
    struct Contributed: Sendable, SlabElement {
        /// Whether it lives until its batch is settled, not with its shuffle or job.
        var isOfBatch: Bool
    }
    /// An attempt that has reported partial updates.
    struct Reporter: Sendable, SlabElement {
        var origin: AccumulatorOrigin
        var unit: Int
    }
    struct Batch: Sendable {
        var query: String
        var batch: BatchID
        /// By place of the stage in the job, parents first.
        var origins: [AccumulatorOrigin]
        var unitCounts: [Int]
    }

    /// Most batches of all queries that may be waiting to be settled; beyond, the oldest is taken
    /// as settled. A query commits a batch before it runs many more.
    static let batchLimit = 4_096

    private(set) var contributed = IdentifierMap<AccumulatorOrigin, Contributed>()
    private(set) var reporters = IdentifierMap<TaskID, Reporter>()
    /// Oldest first. A few: searched from the end.
    private(set) var batches: [Batch] = []
    private var next = AccumulatorOrigin(0)

    // MARK: Stages come

    mutating func newOrigin() -> AccumulatorOrigin {
        defer { next = next.next }
        return next
    }

    /// The origins of a batch's stages: those of its first run, as far as the stages are the same.
    mutating func origins(
        of query: String, _ batch: BatchID, unitCounts: [Int], _ effects: inout Effects
    ) -> [AccumulatorOrigin] {
        guard let place = batches.lastIndex(where: { $0.batch == batch && $0.query == query })
        else {
            if batches.count >= Accumulators.batchLimit { settle(batches.removeFirst(), &effects) }
            let origins = unitCounts.map { _ in newOrigin() }
            batches.append(
                Batch(query: query, batch: batch, origins: origins, unitCounts: unitCounts))
            return origins
        }
        let old = batches[place]
        var origins: [AccumulatorOrigin] = []
        for (index, count) in unitCounts.enumerated() {
            let isSame = index < old.unitCounts.count && old.unitCounts[index] == count
            origins.append(isSame ? old.origins[index] : newOrigin())
        }
        for origin in old.origins where !origins.contains(origin) { retract(origin, &effects) }
        batches[place].origins = origins
        batches[place].unitCounts = unitCounts
        return origins
    }

    // MARK: Tasks end

    mutating func accepted(
        _ origin: AccumulatorOrigin, unit: Int, stage: StageID, isOfBatch: Bool,
        _ updates: [AccumulatorUpdate], _ effects: inout Effects
    ) {
        if !contributed.contains(origin) {
            if updates.isEmpty || (isOfBatch && !isKnown(origin)) { return }
            contributed.insert(Contributed(isOfBatch: isOfBatch), for: origin)
        }
        effects.append(.accumulators(.contributed(origin, unit: unit, stage, updates)))
    }

    /// Whether a batch has it: not when it was retracted while its job still ran.
    private func isKnown(_ origin: AccumulatorOrigin) -> Bool {
        batches.contains { $0.origins.contains(origin) }
    }

    mutating func reported(
        _ origin: AccumulatorOrigin, unit: Int, _ task: TaskID, _ updates: [AccumulatorUpdate],
        _ effects: inout Effects
    ) {
        if !reporters.contains(task) {
            reporters.insert(Reporter(origin: origin, unit: unit), for: task)
        }
        effects.append(.accumulators(.partial(origin, unit: unit, task, updates)))
    }

    /// Whatever its end was.
    mutating func attemptEnded(_ task: TaskID, _ effects: inout Effects) {
        guard !reporters.isEmpty, let slot = reporters.slot(of: task) else { return }
        let reporter = reporters[slot: slot]
        reporters.remove(task)
        effects.append(
            .accumulators(.partialEnded(reporter.origin, unit: reporter.unit, task)))
    }

    // MARK: Stages go

    /// Its shuffle was removed, or its job has ended.
    mutating func ended(_ origin: AccumulatorOrigin, _ effects: inout Effects) {
        guard let slot = contributed.slot(of: origin), !contributed[slot: slot].isOfBatch else {
            return
        }
        settle(origin, &effects)
    }

    /// No batch of the query up to this one is ever run again.
    mutating func settleBatches(
        of query: String, through batch: BatchID, _ effects: inout Effects
    ) {
        var kept: [Batch] = []
        for entry in batches {
            if entry.query == query, entry.batch <= batch {
                settle(entry, &effects)
            } else {
                kept.append(entry)
            }
        }
        batches = kept
    }

    /// The query starts again, and its log names no batch after this one: whatever ran under such a
    /// number counts no more. Batches of these numbers will have other data.
    mutating func retractBatches(
        of query: String, after batch: BatchID, _ effects: inout Effects
    ) {
        var kept: [Batch] = []
        for entry in batches {
            if entry.query == query, entry.batch > batch {
                for origin in entry.origins { retract(origin, &effects) }
            } else {
                kept.append(entry)
            }
        }
        batches = kept
    }

    private mutating func retract(_ origin: AccumulatorOrigin, _ effects: inout Effects) {
        guard contributed.contains(origin) else { return }
        contributed.remove(origin)
        effects.append(.accumulators(.retracted(origin)))
    }

    private mutating func settle(_ batch: Batch, _ effects: inout Effects) {
        for origin in batch.origins { settle(origin, &effects) }
    }

    private mutating func settle(_ origin: AccumulatorOrigin, _ effects: inout Effects) {
        guard contributed.contains(origin) else { return }
        contributed.remove(origin)
        effects.append(.accumulators(.settled(origin)))
    }
}
