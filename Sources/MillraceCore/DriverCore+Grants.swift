import MillraceBase

/// Batches under grants, and what becomes of one whose grant is taken back.
extension DriverCore {
    mutating func submit(_ job: JobDescription, _ now: Instant, _ effects: inout Effects) {
        let isWanted = job.properties.group.map { !dag.cancelledGroups.contains($0) } ?? true
        if isWanted,
            grants.submit(job, now, firstStage: &dag.nextStage, &tasks, &effects)
        {
            return
        }
        dag.submit(job, now, &tasks, &effects)
    }

    // MARK: Task ends

    /// Takes the end of a granted task. False when it's none, or of a batch that was taken back.
    mutating func completeGranted(
        _ end: TaskEnd, on executor: ExecutorID, _ now: Instant, _ effects: inout Effects
    ) -> Bool {
        guard let position = grants.runs.firstIndex(where: { $0.contains(end.task) }) else {
            if grants.refuse(end.task, on: executor, &tasks) {
                codeProbe(.grantedTaskRefused)
                countEnd(end, &effects)
            }
            return false
        }
        let run = grants.runs[position]
        let stage = run.stage(of: end.task)
        let partition = run.partition(of: end.task, stage)
        guard run.executor(stage, partition) == executor, !run.hasEnded(stage, partition) else {
            return false
        }
        countEnd(end, &effects)
        guard let problem = GrantScheduler.problem(in: end, of: run, stage: stage) else {
            if !waitsForInputs(end, position, stage) {
                accept(end, position, stage, partition, now, &effects)
            }
            return true
        }
        effects.append(
            .notice(
                .taskFailed(
                    end.task, StageID(run.firstStage.rawValue + stage), stageAttempt: 0,
                    partition: partition, attempt: 0, executor, problem)))
        let before = grants.runs[position].refuse(stage, partition)
        tasks.vacate(executor.rawValue, for: run.work(of: stage, before))
        revoke(position, "a task failed", now, &effects)
        return true
    }

    mutating func accept(
        _ end: TaskEnd, _ position: Int, _ stage: Int, _ partition: Int, _ now: Instant,
        _ effects: inout Effects
    ) {
        if case .result(let bytes) = end.reason,
            let problem = grants.runs[position].results.add(
                bytes.count, limit: settings.maxResultSize)
        {
            return giveUp(position, stage, partition, problem, now, &effects)
        }
        let before = grants.runs[position].finish(stage, partition, end)
        let run = grants.runs[position]
        let executor = run.executor(stage, partition)
        tasks.vacate(executor.rawValue, for: run.work(of: stage, before))
        grants.learn(end.runTime, stage, of: run.query)
        contribute(end.accumulators, run, stage, partition, &effects)
        if !end.metrics.isEmpty {
            effects.append(
                .taskMetrics(
                    run.job.id, StageID(run.firstStage.rawValue + stage), partition: partition,
                    on: executor, end.metrics))
        }
        if case .result(let bytes) = end.reason {
            effects.append(.taskResult(run.job.id, index: partition, bytes: bytes))
        }
        if run.unfinished[stage] == 0 { grants.startReaders(of: stage, position, &tasks) }
        if run.remaining == 0 {
            grants.finish(position, now)
            reportRunTime(of: run, &effects)
            effects.append(.jobSucceeded(run.job.id))
        } else if run.unfinished[stage] == 0, !run.earlyEnds.isEmpty {
            acceptEarlyEnds(run.job.id, now, &effects)
        }
    }

    /// The batch has failed for good, whoever computes the rest.
    private mutating func giveUp(
        _ position: Int, _ stage: Int, _ partition: Int, _ problem: String, _ now: Instant,
        _ effects: inout Effects
    ) {
        let run = grants.runs[position]
        let before = grants.runs[position].refuse(stage, partition)
        tasks.vacate(
            run.executor(stage, partition).rawValue, for: run.work(of: stage, before))
        revoke(position, "its results are too large", now, &effects)
        let failed = StageID(run.firstStage.rawValue + stage)
        dag.failJob(run.job.id, .stageFailed(failed, message: problem), &tasks, &effects)
    }

    /// The same batch contributes under the same origins in the ordinary way. Most programs have
    /// no accumulators, and theirs is not even looked at.
    private mutating func contribute(
        _ updates: [AccumulatorUpdate], _ run: GrantedRun, _ stage: Int, _ partition: Int,
        _ effects: inout Effects
    ) {
        guard let query = run.job.properties.query, let batch = run.job.properties.batch else {
            return
        }
        if updates.isEmpty,
            !dag.accumulators.batches.contains(where: { $0.batch == batch && $0.query == query })
        {
            return
        }
        let counts = run.grant.stages.map(\.executors.count)
        let origins = dag.accumulators.origins(of: query, batch, unitCounts: counts, &effects)
        dag.accumulators.accepted(
            origins[stage], unit: partition,
            stage: StageID(run.firstStage.rawValue + stage), isOfBatch: true, updates, &effects)
    }

    /// What a granted task has added so far.
    mutating func reportGranted(
        _ partial: PartialAccumulators, on executor: ExecutorID, _ effects: inout Effects
    ) {
        guard let run = grants.runs.first(where: { $0.contains(partial.task) }),
            let query = run.job.properties.query, let batch = run.job.properties.batch
        else { return }
        let stage = run.stage(of: partial.task)
        let partition = run.partition(of: partial.task, stage)
        guard run.executor(stage, partition) == executor, !run.hasEnded(stage, partition) else {
            return
        }
        let counts = run.grant.stages.map(\.executors.count)
        let origins = dag.accumulators.origins(of: query, batch, unitCounts: counts, &effects)
        dag.accumulators.reported(
            origins[stage], unit: partition, partial.task, partial.updates, &effects)
    }

    /// The granted tasks of a lost executor report no end.
    private mutating func endPartials(on executor: ExecutorID, _ effects: inout Effects) {
        guard !dag.accumulators.reporters.isEmpty else { return }
        for run in grants.runs + grants.revoked {
            for stage in run.grant.stages.indices {
                for partition in run.grant.stages[stage].executors.indices
                where run.executor(stage, partition) == executor && !run.hasEnded(stage, partition)
                {
                    let task = TaskID(run.firstTask.rawValue + run.index(stage, partition))
                    dag.accumulators.attemptEnded(task, &effects)
                }
            }
        }
    }

    // MARK: Taking back

    /// Ends a batch's grant and lets the `DAGScheduler` do what is left of the batch: results that
    /// came are not asked for again, map outputs that are reported and still there are read by
    /// whoever runs the rest. A task that is taken back has its core until its end is reported.
    mutating func revoke(
        _ position: Int, _ reason: String, _ now: Instant, _ effects: inout Effects
    ) {
        dropEarlyEnds(position)
        let run = grants.revoke(position, tasks, &effects)
        codeProbe(.grantTakenBack)
        effects.append(.notice(.grantRevoked(run.grant.id, run.job.id, reason: reason)))
        reportRunTime(of: run, &effects)
        for stage in run.grant.stages.indices.dropLast() {
            let count = run.grant.stages[stage].executors.count
            let place = dag.outputs.register(
                run.shuffles[stage], mapCount: count,
                reducerCount: run.grant.stages[stage].reducerCount)
            dag.outputs.shuffles[slot: place].isExposed = run.unfinished[stage] == 0
            for partition in 0..<count {
                guard let status = run.status(stage, partition),
                    tasks.executors.isAlive(status.executor)
                else { continue }
                _ = dag.outputs.add(status, to: place)
            }
        }
        let last = run.resultStage
        let delivered = run.grant.stages[last].executors.indices.map { run.isDone(last, $0) }
        if delivered.contains(true) { codeProbe(.grantResumedWithResults) }
        dag.submit(
            run.job, now, &tasks, &effects,
            resuming: DAGScheduler.Resumption(
                firstStage: run.firstStage, delivered: delivered, results: run.results))
    }

    /// The tasks that were not finished under the grant are counted where they are.
    private func reportRunTime(of run: GrantedRun, _ effects: inout Effects) {
        if run.runTime > .zero { effects.append(.grantedRunTime(run.job.id, run.runTime)) }
    }

    /// A lost executor takes back the grants that name it.
    mutating func revokeGrants(
        on executor: ExecutorID, _ now: Instant, _ effects: inout Effects
    ) {
        endPartials(on: executor, &effects)
        grants.forget(executor)
        while let position = grants.runs.firstIndex(where: {
            $0.grant.stages.contains { $0.executors.contains(executor) }
        }) {
            revoke(position, "\(executor) is lost", now, &effects)
        }
    }

    /// What is to be cancelled is cancelled where all jobs are.
    mutating func revokeGrants(
        where isMeant: (JobDescription) -> Bool, _ now: Instant, _ effects: inout Effects
    ) {
        while let position = grants.runs.firstIndex(where: { isMeant($0.job) }) {
            revoke(position, "the batch is cancelled", now, &effects)
        }
    }

    // MARK: Time

    /// Tells the executors of batches that take long what they may have missed.
    mutating func repairGrants(_ now: Instant, _ effects: inout Effects) {
        for position in grants.runs.indices where grants.runs[position].checkAt <= now {
            grants.runs[position].checkAt = now + settings.groups.repairDelay
            let overdue = grants.runs[position].takeOverdue()
            if !overdue.isEmpty { codeProbe(.grantRepaired) }
            let run = grants.runs[position]
            for stage in overdue {
                let outputs = run.grant.stages[stage].parents.map { run.outputs($0) }
                for executor in run.grant.executors
                where run.grant.stages[stage].executors.contains(executor) {
                    effects.append(.tellMapOutputs(executor, outputs))
                }
            }
        }
    }
}
