import MillraceBase
import MillraceDriver
import MillraceExecutor

/// The door of jobs to the driver's scheduler.
struct ClusterJobRunner: JobRunner {
    let driver: Driver

    func run(
        _ request: JobRequest, onResult: @escaping @Sendable (Int, [UInt8]) throws -> Void
    ) async throws -> JobReport {
        let plans = request.plans.map { PlanBytes(hash: $0.hash, bytes: $0.bytes) }
        let outcome = try await driver.run(request.job, plans: plans)
        for (index, bytes) in outcome.results.enumerated() { try onResult(index, bytes) }
        var report = JobReport()
        report.tasks = outcome.tasks.map {
            JobReport.Task(partition: $0.partition, executor: $0.executor, metrics: $0.metrics)
        }
        return report
    }

    func release(_ shuffle: ShuffleID) { driver.release(shuffle) }
}
