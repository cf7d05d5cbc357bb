import CAllocationCounter
import Glibc
import Millrace
import MillraceBase

/// No-op tasks a second, and how long the smallest jobs take. Same work and keys as the peers'
/// `sched`.
struct SchedulerBenchmark: Encodable {
    var tasks: Int
    var tasks_per_s: Repetitions
    /// Of the driver's process, executors apart, for one no-op task. Not with local[N].
    var driver_cpu_us_per_task: Repetitions
    var driver_allocations_per_task: Repetitions
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
        var cpu: [Double] = []
        var allocations: [Double] = []
        for _ in 0..<(try options.int("reps", 4)) {
            let cpuBefore = processorSeconds()
            let allocationsBefore = callocationcounter_count()
            rates.append(
                Double(tasks)
                    / (try await seconds {
                        let count = try await context.range(0, tasks, 1, tasks).count()
                        precondition(count == tasks)
                    }))
            cpu.append((processorSeconds() - cpuBefore) * 1e6 / Double(tasks))
            allocations.append(
                Double(callocationcounter_count() - allocationsBefore) / Double(tasks))
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
            tasks: tasks, tasks_per_s: Repetitions(rates),
            driver_cpu_us_per_task: Repetitions(cpu),
            driver_allocations_per_task: Repetitions(allocations), jobs: jobs,
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

/// Of this process, in user and system mode.
func processorSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Wall-clock seconds of `body`.
func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
}
