import Millrace
import MillraceBase

/// No-op tasks a second, and how long the smallest jobs take. Same work and keys as the peers'
/// `sched`.
struct SchedulerBenchmark: Encodable {
    var tasks: Int
    var tasks_per_s: Repetitions
    var jobs: Int
    var tiny_job_ms: Distribution
    var tiny_jobs_per_s: Double
    var tiny_job_tasks_per_s: Double
    var tiny_shuffle_job_ms: Distribution

    static func run(_ context: MillraceContext, _ options: Options) async throws
        -> SchedulerBenchmark
    {
        try options.expectOnly("tasks", "jobs", "reps", "warm")
        let tasks = try options.int("tasks", 10_000)
        let jobs = try options.int("jobs", 1_000)
        var rates: [Double] = []
        for _ in 0..<(try options.int("reps", 4)) {
            rates.append(
                Double(tasks)
                    / (try await seconds {
                        let count = try await context.range(0, tasks, 1, tasks).count()
                        precondition(count == tasks)
                    }))
        }
        let warm = try options.int("warm", 300)
        for _ in 0..<warm { _ = try await tiny(context) }
        var latencies: [Double] = []
        let total = try await seconds {
            for _ in 0..<jobs { latencies.append(try await tiny(context)) }
        }
        for _ in 0..<(warm / 3) { _ = try await tinyShuffle(context) }
        var shuffles: [Double] = []
        for _ in 0..<(jobs / 2) { shuffles.append(try await tinyShuffle(context)) }
        return SchedulerBenchmark(
            tasks: tasks, tasks_per_s: Repetitions(rates), jobs: jobs,
            tiny_job_ms: Distribution(latencies), tiny_jobs_per_s: Double(jobs) / total,
            tiny_job_tasks_per_s: Double(2 * jobs) / total,
            tiny_shuffle_job_ms: Distribution(shuffles))
    }

    private static func tiny(_ context: MillraceContext) async throws -> Double {
        try await seconds {
            let rows = try await context.parallelize([1, 2], 2).collect()
            precondition(rows.count == 2)
        } * 1000
    }

    private static func tinyShuffle(_ context: MillraceContext) async throws -> Double {
        try await seconds {
            let rows = try await context.parallelize([(1, 1), (2, 1)], 2)
                .partitionBy(HashPartitioner(2)).collect()
            precondition(rows.count == 2)
        } * 1000
    }
}

/// Wall-clock seconds of `body`.
func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
}
