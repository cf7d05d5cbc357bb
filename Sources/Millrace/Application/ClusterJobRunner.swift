import MillraceBase
import MillraceCore
import MillraceDriver
import MillraceExecutor
import MillraceNet

/// The door of jobs to the driver's scheduler.
struct ClusterJobRunner: JobRunner {
    let driver: Driver
    let accumulators: AccumulatorRegistry

    func run(
        _ request: JobRequest, onResult: @escaping @Sendable (Int, ArraySlice<UInt8>) throws -> Void
    ) async throws -> JobReport {
        defer { accumulators.mergeSettled() }
        let finished = FinishedJob(
            try await driver.run(request.job, plans: Self.plans(request)))
        for (index, bytes) in finished.results.enumerated() { try onResult(index, bytes) }
        return finished.report
    }

    func start(
        _ request: JobRequest,
        complete: @escaping @Sendable (Result<FinishedJob, any Error>) -> Void
    ) {
        driver.submit(request.job, plans: Self.plans(request)) {
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

    private static func plans(_ request: JobRequest) -> [PlanBytes] {
        request.plans.map { PlanBytes(hash: $0.hash, bytes: $0.bytes) }
    }
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
