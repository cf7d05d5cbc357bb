import MillraceBase
import MillraceCore
import MillraceDriver
import MillraceExecutor
import MillraceNet

/// The door of jobs to the driver's scheduler.
struct ClusterJobRunner: JobRunner {
    let driver: Driver
    let accumulators: AccumulatorRegistry
    let broadcasts: KnownBroadcasts
    /// `millrace.broadcast.UDFCompressionThreshold`
    let largestPlan: Int

    func run(
        _ request: JobRequest, onResult: @escaping @Sendable (Int, ArraySlice<UInt8>) throws -> Void
    ) async throws -> JobReport {
        defer { accumulators.mergeSettled() }
        let finished = FinishedJob(
            try await driver.run(request.job, plans: plans(request)))
        for (index, bytes) in finished.results.enumerated() { try onResult(index, bytes) }
        return finished.report
    }

    func start(
        _ request: JobRequest,
        complete: @escaping @Sendable (Result<FinishedJob, any Error>) -> Void
    ) {
        driver.submit(request.job, plans: plans(request)) {
            complete($0.map { FinishedJob($0) })
        }
    }

    func cancel(_ job: JobID, reason: String) { driver.cancel(job, reason: reason) }

    func endQuery(_ query: QueryID) { driver.endQuery(query) }
    var executorSlots: [ExecutorSlots] { driver.executorSlots }

    func release(_ shuffle: ShuffleID) { driver.release(shuffle) }

    func settleBatches(of query: String, through batch: BatchID) {
        driver.settleBatches(of: query, through: batch)
    }

    func retractBatches(of query: String, after batch: BatchID) {
        driver.retractBatches(of: query, after: batch)
    }

    func register(_ broadcast: BroadcastID, pieces: () -> [BlockContent]) {
        if driver.servesBlocks { driver.register(broadcast, pieces: pieces()) }
    }

    func removeBroadcast(_ broadcast: BroadcastID, forever: Bool) {
        driver.removeBroadcast(broadcast, forever: forever)
    }

    func unpersist(_ rdd: RDDID, done: @escaping @Sendable () -> Void) {
        driver.unpersist(rdd, done: done)
    }

    /// A large one also as a broadcast, the same for all jobs that bring it, as long as the driver
    /// keeps it.
    private func plans(_ request: JobRequest) -> [PlanBytes] {
        request.plans.map { plan in
            guard driver.servesBlocks, plan.bytes.count > largestPlan else {
                return PlanBytes(hash: plan.hash, bytes: plan.bytes)
            }
            let content = broadcasts.content(of: plan.bytes, type: "plan", runner)
            return PlanBytes(
                hash: plan.hash, bytes: plan.bytes,
                broadcast: .init(id: content.id, content: content))
        }
    }
    private var runner: any JobRunner { self }
}

extension FinishedJob {
    fileprivate init(_ outcome: JobOutcome) {
        var report = JobReport()
        report.runTime = outcome.runTime
        report.scheduling = outcome.scheduling
        report.tasks = outcome.tasks.map {
            JobReport.Task(partition: $0.partition, executor: $0.executor, metrics: $0.metrics)
        }
        self.init(results: outcome.results, report: report)
    }
}
