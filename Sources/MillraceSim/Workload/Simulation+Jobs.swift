import MillraceBase
import MillraceCore
import MillraceDriver

/// A job and what is known of it so far.
struct SimulatedJob {
    var id: JobID
    /// Nil for a batch of a query, whose results its sink checks.
    var dataset: Int?
    var partitions: [Int]
    var output: Program.Output
    /// The shuffles its final stage reads, with the datasets they are of.
    var shuffles: [(id: ShuffleID, parent: Int)]
    /// By index in `partitions`, whether its result came.
    var isDelivered: [Bool]
    var end: Result<Void, JobFailure>?
    /// By partition index, who may commit; nil while nobody may.
    var committers: [TaskID?]
    /// `Simulation.misfortunes` when it was submitted.
    var misfortunes: Int
}

/// What users ask for, and what they get.
extension Simulation {
    func submitJob(_ incarnation: Int) {
        guard incarnation == self.incarnation, submittedJobs < plan.jobs else { return }
        submittedJobs += 1
        let dataset = workChance.below(graph.datasets.count)
        let count = graph.datasets[dataset].partitions
        submit(dataset, workChance.chance(200) ? [workChance.below(count)] : nil)
        schedule(
            .jobSubmission(incarnation: incarnation), after: workChance.delay(plan.jobInterval))
    }

    /// Asks for some partitions of a dataset, or all.
    func submit(_ dataset: Int, _ wanted: [Int]?) {
        let id = JobID(jobs.count)
        let count = graph.datasets[dataset].partitions
        // A barrier stage has no job for some of its partitions.
        let wanted = graph.isBarrierStage(dataset) ? nil : wanted
        let output: Program.Output = workChance.chance(plan.commits) ? .commit : .collect
        var properties = JobProperties()
        if workChance.chance(300) { properties.group = "g" }
        properties.pool = workChance.pick(DayPlan.poolNames)
        if workChance.chance(300) { properties.tags = ["t"] }
        let preferred = preferences()
        let partitions = wanted ?? Array(0..<count)
        jobs.append(
            SimulatedJob(
                id: id, dataset: dataset, partitions: partitions, output: output,
                shuffles: graph.sources(of: dataset).map {
                    (graph.shuffles[$0].id, graph.shuffles[$0].parent)
                },
                isDelivered: partitions.map { _ in false }, committers: partitions.map { _ in nil },
                misfortunes: misfortunes))
        if plan.countsRows {
            ledger.open(Ledger.accumulator(of: id))
            for shuffle in graph.shuffles { ledger.open(Ledger.accumulator(of: shuffle.id)) }
        }
        note("\(id) is submitted: dataset \(dataset), partitions \(partitions)")
        let (job, plans) = graph.job(
            id, dataset, partitions: wanted, output: output, properties: properties,
            counts: plan.countsRows,
            preferred: { preferred.isEmpty ? [] : preferred[$0] })
        // Called on the simulation's only thread.
        nonisolated(unsafe) let simulation = self
        engine.submit(
            PendingJob(job, plans: plans) { simulation.ended(id, $0) }, now: now)
        stepped()
    }

    /// By dataset and partition; empty for most jobs. Those of map stages too: a task that waits
    /// for its executor waits where another attempt of it may run.
    private func preferences() -> [[[ExecutorID]]] {
        guard workChance.chance(plan.choosyJobs), !executors.isEmpty else { return [] }
        // Of the latest, which are most likely to be there.
        let first = max(0, executors.count - 2 * plan.executors)
        return graph.datasets.map { dataset in
            (0..<dataset.partitions).map { _ in
                workChance.chance(200)
                    ? [] : [ExecutorID(workChance.within(first...executors.count - 1))]
            }
        }
    }

    // MARK: What comes of it

    /// Sees every effect of the core.
    func see(_ effect: Effect, _ launches: [TaskDescription]) {
        switch effect {
        case .launch(_, let range): watchLaunches(launches[range])
        case .taskResult(let job, let index, _):
            deliver(job, index)
            watchResult(job)
        case .jobSucceeded(let job): end(job, .success(()))
        case .jobFailed(let job, let failure): end(job, .failure(failure))
        case .commitDecided(let executor, let task, let isGranted):
            if isGranted { grant(task, executors[executor.rawValue]) }
        case .notice(let notice): see(notice)
        case .removeShuffle(let shuffle): removeFromServices(shuffle)
        case .executorDrained(let executor):
            note("\(executor) is drained")
        default: break
        }
    }

    private func see(_ notice: Notice) {
        note("\(notice)")
        guard case .taskFailed(let task, _, _, _, _, _, _) = notice else { return }
        for job in jobs.indices where jobs[job].end == nil {
            for index in jobs[job].committers.indices where jobs[job].committers[index] == task {
                jobs[job].committers[index] = nil
            }
        }
    }

    private func deliver(_ job: JobID, _ index: Int) {
        if jobs[job.rawValue].end != nil { fail("\(job) gets a result after its end") }
        if jobs[job.rawValue].isDelivered[index] { fail("\(job) gets result \(index) twice") }
        jobs[job.rawValue].isDelivered[index] = true
    }

    private func end(_ job: JobID, _ end: Result<Void, JobFailure>) {
        if jobs[job.rawValue].end != nil { fail("\(job) ends twice") }
        jobs[job.rawValue].end = end
    }

    /// At most one attempt of a partition may commit, until it is known to have failed; none once
    /// the partition's result is there.
    private func grant(_ task: TaskID, _ executor: SimulatedExecutor) {
        guard let place = executor.position(of: task) else { return }
        let description = executor.running[place].task
        let job = executor.running[place].setup.job.rawValue
        let index = jobs[job].partitions.firstIndex(of: description.partition)!
        if let other = jobs[job].committers[index], other != task {
            fail("\(task) and \(other) may commit partition \(description.partition)")
        }
        if jobs[job].isDelivered[index] {
            fail("\(task) may commit partition \(description.partition), which is done")
        }
        jobs[job].committers[index] = task
    }

    /// The caller of the driver gets its answer.
    private func ended(_ id: JobID, _ result: Result<JobOutcome, MillraceError>) {
        let job = jobs[id.rawValue]
        switch result {
        case .failure(let error):
            note("\(id) fails: \(error.message)")
            if case .success = job.end { fail("\(id) succeeds and fails") }
            if misfortunes == 0, !error.message.contains("slots at once") {
                fail("\(id) fails on a fine day: \(error.message)")
            }
        case .success(let outcome):
            note("\(id) succeeds")
            self.outcome.succeededJobs += 1
            if job.isDelivered.contains(false) { fail("\(id) ends with results missing") }
            if let dataset = job.dataset {
                check(outcome.results.map { Array($0) }, of: job, dataset)
            }
        }
    }
}
