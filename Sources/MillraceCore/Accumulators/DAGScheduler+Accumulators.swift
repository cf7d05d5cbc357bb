import MillraceBase

/// What a stage's accumulator updates belong to.
struct StageOrigin: Sendable {
    var id: AccumulatorOrigin
    /// Whether it's settled with its batch, not with its shuffle or job.
    var isOfBatch: Bool
}

/// Where the life of stages, jobs and shuffles meets the contributions to accumulators.
extension DAGScheduler {
    mutating func newOrigin() -> StageOrigin {
        StageOrigin(id: accumulators.newOrigin(), isOfBatch: false)
    }

    /// By place in the cut; `nil` when the job is no batch of a query.
    mutating func batchOrigins(
        _ cut: StageCut, of job: JobDescription, _ effects: inout Effects
    ) -> [StageOrigin]? {
        guard let query = job.properties.query, let batch = job.properties.batch else {
            return nil
        }
        let counts = cut.drafts.map { draft in
            draft.output == nil
                ? job.partitions?.count ?? draft.partitionCount : draft.partitionCount
        }
        return accumulators.origins(of: query, batch, unitCounts: counts, &effects).map {
            StageOrigin(id: $0, isOfBatch: true)
        }
    }

    /// A shuffle keeps its first origin, whichever jobs use it.
    mutating func originOfShuffle(_ slot: Int, _ batchOrigin: StageOrigin?) -> StageOrigin {
        if let known = outputs.shuffles[slot: slot].origin { return known }
        let origin = batchOrigin ?? newOrigin()
        outputs.shuffles[slot: slot].origin = origin
        return origin
    }

    mutating func contribute(
        _ ended: TaskScheduler.Ended, _ updates: [AccumulatorUpdate], _ slot: Int,
        _ effects: inout Effects
    ) {
        let origin = stages[slot: slot].origin
        let unit = settings.canary == .countsAttempts ? ended.task.rawValue : ended.unit
        accumulators.accepted(
            origin.id, unit: unit, stage: ended.stage, isOfBatch: origin.isOfBatch, updates,
            &effects)
    }

    /// What a running task has added so far.
    mutating func report(
        _ partial: PartialAccumulators, of stage: StageID, unit: Int, _ effects: inout Effects
    ) {
        guard let slot = stages.slot(of: stage) else { return }
        accumulators.reported(
            stages[slot: slot].origin.id, unit: unit, partial.task, partial.updates, &effects)
    }

    /// The stage is going: nobody computes its results again.
    mutating func settleResults(_ slot: Int, _ effects: inout Effects) {
        guard case .result = stages[slot: slot].kind else { return }
        accumulators.ended(stages[slot: slot].origin.id, &effects)
    }

    /// The shuffle is going: nobody computes its outputs again.
    mutating func settleShuffle(_ slot: Int, _ effects: inout Effects) {
        guard let origin = outputs.shuffles[slot: slot].origin else { return }
        accumulators.ended(origin.id, &effects)
    }
}

extension DriverCore {
    /// Of tasks that run there; of others they come too late.
    mutating func report(
        _ partials: [PartialAccumulators], on executor: ExecutorID, _ effects: inout Effects
    ) {
        for partial in partials {
            guard let place = tasks.committer(partial.task, on: executor) else {
                reportGranted(partial, on: executor, &effects)
                continue
            }
            dag.report(partial, of: place.stage, unit: place.unit, &effects)
        }
    }

    /// An attempt has ended, and what it added while it failed counts only where that was asked
    /// for.
    mutating func countEnd(_ end: TaskEnd, _ effects: inout Effects) {
        dag.accumulators.attemptEnded(end.task, &effects)
        switch end.reason {
        case .result, .mapOutput: return
        case .fetchFailed, .exception, .killed, .commitDenied, .executorLost:
            if !end.accumulators.isEmpty {
                effects.append(.accumulators(.failed(end.accumulators)))
            }
        }
    }

    func accumulatorViolations(_ found: inout [String]) {
        var owned: [AccumulatorOrigin] = []
        let dag = self.dag
        for slot in 0..<dag.stages.slotBound where dag.stages.id(at: slot) != nil {
            owned.append(dag.stages[slot: slot].origin.id)
        }
        for slot in 0..<dag.outputs.shuffles.slotBound
        where dag.outputs.shuffles.id(at: slot) != nil {
            if let origin = dag.outputs.shuffles[slot: slot].origin { owned.append(origin.id) }
        }
        for batch in dag.accumulators.batches { owned += batch.origins }
        let contributed = dag.accumulators.contributed
        for slot in 0..<contributed.slotBound {
            guard let origin = contributed.id(at: slot), !owned.contains(origin) else { continue }
            found.append("\(origin) has contributions that are never settled")
        }
        let reporters = dag.accumulators.reporters
        for slot in 0..<reporters.slotBound {
            guard let task = reporters.id(at: slot), !tasks.attempts.contains(task),
                !grants.isWaiting(for: task)
            else { continue }
            found.append("\(task) has partial updates and doesn't run")
        }
    }
}
