import MillraceBase

/// Decides *what* runs next: stages, in the order of their shuffles.
///
/// A submitted job is cut into stages (`StageCut`). A stage whose parents' map outputs are complete
/// becomes a task set for the `TaskScheduler`; the others wait. A result goes to the job, a map
/// output to the `MapOutputTracker`; the last output of a shuffle lets its readers start. Lost
/// outputs and fetch failures make stages run again (`DAGScheduler+Failure.swift`). Same rules as
/// Spark's DAGScheduler. Always true: `DriverCore+Invariants.swift`.
struct DAGScheduler: Sendable {
    let settings: CoreSettings
    var jobs = IdentifierMap<JobID, ActiveJob>()
    var stages = IdentifierMap<StageID, Stage>()
    var outputs = MapOutputTracker()
    var commits = OutputCommitCoordinator()
    var accumulators = Accumulators()
    var blocks = BlockManagerMaster()
    var nextStage = StageID(0)
    /// The number of the latest merge of a shuffle.
    var nextMerge = 0
    /// Shuffles that are complete and whose merge isn't finished.
    var closingMerges: [ShuffleID] = []
    /// Stages that failed to fetch, until `resubmitAt`.
    var failedStages: [StageID] = []
    var resubmitAt: Instant?
    /// Running and waiting stages whose inputs were lost; at most one for each stage.
    var disturbances: [Disturbance] = []
    /// Running attempts of barrier stages that lost something in this step.
    var brokenBarriers: [BrokenBarrier] = []
    /// Jobs with a barrier stage for which there aren't slots enough.
    var waitingJobs: [WaitingJob] = []
    var cancelledGroups: CancelledGroups

    init(settings: CoreSettings) {
        self.settings = settings
        cancelledGroups = CancelledGroups(limit: settings.cancelledGroupLimit)
    }

    // MARK: Jobs come

    /// A job that began under a grant: its stages are numbered, some results are there, and the map
    /// outputs that are there are known to `outputs`.
    struct Resumption {
        var firstStage: StageID
        var delivered: [Bool]
        var results: ResultSize
    }

    mutating func submit(
        _ job: JobDescription, _ now: Instant, _ tasks: inout TaskScheduler,
        _ effects: inout Effects, resuming: Resumption? = nil
    ) {
        precondition(!jobs.contains(job.id), "\(job.id) is submitted twice")
        do throws(JobFailure) {
            try refuseCancelled(job)
            let cut = try StageCut(job, kept: blocks)
            try checkKnownShuffles(cut)
            guard try hasSlots(job, cut, tasks.executors, now, &effects) else { return }
            notePersisted(job)
            let final = addStages(cut, for: job, resuming, &effects)
            completeIfDone(job.id, &tasks, &effects)
            if jobs.contains(job.id) { submitStage(final, now, &tasks, &effects) }
        } catch {
            effects.append(.jobFailed(job.id, error))
        }
    }

    private mutating func notePersisted(_ job: JobDescription) {
        for node in job.lineage.nodes {
            guard let level = node.storageLevel else { continue }
            blocks.register(node.id, partitions: node.partitionCount, level: level)
        }
    }

    /// A shuffle that is known already must be the same one.
    private func checkKnownShuffles(_ cut: StageCut) throws(JobFailure) {
        for draft in cut.drafts {
            guard let output = draft.output,
                let slot = outputs.shuffles.slot(of: output.shuffle)
            else { continue }
            guard outputs.shuffles[slot: slot].mapCount == draft.partitionCount,
                outputs.shuffles[slot: slot].reducerCount == output.reducerCount
            else { throw .invalid(message: "\(output.shuffle) is known with other partitions") }
            // Fewer are what a checkpoint leaves of them.
            if let stage = outputs.shuffles[slot: slot].mapStage,
                case let parents = stages[slot: stages.slot(of: stage)!].parents,
                !draft.parents.allSatisfy({ parents.contains($0) })
            {
                throw .invalid(message: "\(output.shuffle) is being computed from other shuffles")
            }
        }
    }

    /// Makes or joins the stages of a job. Returns the final one.
    private mutating func addStages(
        _ cut: StageCut, for job: JobDescription, _ resuming: Resumption?,
        _ effects: inout Effects
    ) -> StageID {
        let origins = batchOrigins(cut, of: job, &effects)
        let numbered = nextStage
        if let resuming { nextStage = resuming.firstStage }
        var ids: [StageID] = []
        ids.reserveCapacity(cut.drafts.count)
        for (place, draft) in cut.drafts.enumerated() {
            ids.append(addStage(draft, for: job, origins?[place]))
        }
        nextStage = max(nextStage, numbered)
        let final = ids[ids.count - 1]
        let count = stages[slot: stages.slot(of: final)!].unitCount
        let isDelivered = resuming?.delivered ?? [Bool](repeating: false, count: count)
        jobs.insert(
            ActiveJob(
                id: job.id, properties: job.properties, finalStage: final,
                isDelivered: isDelivered, remaining: isDelivered.count { !$0 },
                results: resuming?.results ?? ResultSize()),
            for: job.id)
        join(final, job.id)
        return final
    }

    private mutating func addStage(
        _ draft: StageCut.Draft, for job: JobDescription, _ batchOrigin: StageOrigin?
    ) -> StageID {
        let origin: StageOrigin
        var kind = Stage.Kind.result(job.id)
        if let output = draft.output {
            let slot = outputs.register(
                output.shuffle, mapCount: draft.partitionCount, reducerCount: output.reducerCount)
            if let known = outputs.shuffles[slot: slot].mapStage {
                codeProbe(.runningStageShared)
                return known
            }
            forgetIfStale(slot, readFrom: draft.parents)
            if outputs.shuffles[slot: slot].available > 0 { codeProbe(.mapStageSkipped) }
            kind = .map(output.shuffle, slot: slot)
            origin = originOfShuffle(slot, batchOrigin)
        } else {
            origin = batchOrigin ?? newOrigin()
        }
        let id = nextStage
        nextStage = id.next
        let isFinal = draft.output == nil
        let partitions = isFinal ? job.partitions : nil
        stages.insert(
            Stage(
                id: id, kind: kind, plan: draft.plan,
                unitCount: partitions?.count ?? draft.partitionCount,
                partitionCount: draft.partitionCount, partitions: partitions,
                reducerCount: draft.output?.reducerCount ?? 0, preferred: draft.preferred,
                parents: draft.parents, awaited: draft.awaited,
                isIndeterminate: draft.isIndeterminate, jobs: [], origin: origin), for: id)
        if case .map(_, let slot) = kind { outputs.shuffles[slot: slot].mapStage = id }
        for parent in draft.parents {
            outputs.shuffles[slot: outputs.shuffles.slot(of: parent)!].readers.append(id)
        }
        return id
    }

    /// Notes the job at a stage and at everything that stage needs.
    private mutating func join(_ final: StageID, _ job: JobID) {
        let jobSlot = jobs.slot(of: job)!
        var stack = [final]
        while let id = stack.popLast() {
            let slot = stages.slot(of: id)!
            if stages[slot: slot].jobs.contains(job) { continue }
            stages[slot: slot].jobs.append(job)
            stages[slot: slot].jobs.sort()
            jobs[slot: jobSlot].stages.append(id)
            for parent in stages[slot: slot].parents { stack.append(mapStage(of: parent)) }
        }
        jobs[slot: jobSlot].stages.sort()
    }

    /// The stage that computes a shuffle which a living stage reads: it lives as long.
    func mapStage(of shuffle: ShuffleID) -> StageID {
        outputs.shuffles[slot: outputs.shuffles.slot(of: shuffle)!].mapStage!
    }

    // MARK: Jobs go

    mutating func completeIfDone(
        _ id: JobID, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard let slot = jobs.slot(of: id), jobs[slot: slot].remaining == 0 else { return }
        removeJob(id, reason: "the job is finished", &tasks, &effects)
        effects.append(.jobSucceeded(id))
    }

    mutating func failJob(
        _ id: JobID, _ failure: JobFailure, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        guard jobs.contains(id) else { return }
        removeJob(id, reason: failure.killReason, &tasks, &effects)
        effects.append(.jobFailed(id, failure))
    }

    /// Lets go of the job, and of the stages that no other running job needs.
    private mutating func removeJob(
        _ id: JobID, reason: String, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        let needed = jobs[slot: jobs.slot(of: id)!].stages
        jobs.remove(id)
        for stage in needed.reversed() {
            let slot = stages.slot(of: stage)!
            stages[slot: slot].jobs.removeAll { $0 == id }
            guard stages[slot: slot].jobs.isEmpty else {
                codeProbe(.stageKeptForOtherJob)
                continue
            }
            if let set = stages[slot: slot].activeSet { tasks.kill(set, reason: reason, &effects) }
            for set in stages[slot: slot].oldSets { tasks.kill(set, reason: reason, &effects) }
            if stages[slot: slot].nextAttempt > 0 {
                effects.append(.stageEnded(stages[slot: slot].summary(job: id)))
            }
            removeStage(slot, &effects)
        }
    }

    private mutating func removeStage(_ slot: Int, _ effects: inout Effects) {
        let id = stages[slot: slot].id
        for parent in stages[slot: slot].parents {
            let place = outputs.shuffles.slot(of: parent)!
            outputs.shuffles[slot: place].readers.removeAll { $0 == id }
            removeShuffleIfReleased(place, &effects)
        }
        if case .map(_, let place) = stages[slot: slot].kind {
            outputs.shuffles[slot: place].mapStage = nil
            removeShuffleIfReleased(place, &effects)
        }
        if stages[slot: slot].status == .failed { failedStages.removeAll { $0 == id } }
        if failedStages.isEmpty { resubmitAt = nil }
        commits.stageEnded(id)
        settleResults(slot, &effects)
        stages.remove(id)
    }

    mutating func releaseShuffle(_ shuffle: ShuffleID, _ effects: inout Effects) {
        guard let slot = outputs.shuffles.slot(of: shuffle) else { return }
        outputs.shuffles[slot: slot].isReleased = true
        if !outputs.shuffles[slot: slot].isUnused { codeProbe(.usedShuffleReleased) }
        removeShuffleIfReleased(slot, &effects)
    }

    mutating func removeShuffleIfReleased(_ slot: Int, _ effects: inout Effects) {
        guard outputs.shuffles[slot: slot].isReleased, outputs.shuffles[slot: slot].isUnused else {
            return
        }
        let id = outputs.shuffles[slot: slot].id
        settleShuffle(slot, &effects)
        outputs.remove(id)
        effects.append(.removeShuffle(id))
    }
}

extension JobFailure {
    /// What the tasks of a failed job are told.
    var killReason: String {
        switch self {
        case .cancelled(let reason): "job cancelled: \(reason)"
        case .stageFailed: "a stage of the job was given up"
        case .invalid: "the job cannot run"
        }
    }
}
