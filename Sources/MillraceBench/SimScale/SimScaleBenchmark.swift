import MillraceBase

/// What scheduling costs on paper: the driver's real core alone, without a network, with executors
/// that answer at once, and how the price of a task grows with their number.
struct SimScaleBenchmark: Encodable {
    var cores: Int
    var tasks: Int
    var batch: Int
    var runs: [ScaleResult]
    /// By scenario: CPU time of a task with the most executors, divided by that with the fewest.
    var growth: [String: Double]

    static func run(_ options: Options) throws -> SimScaleBenchmark {
        try options.expectOnly("executors", "cores", "tasks", "batch", "scenarios")
        let counts = try options.numbers("executors", [10, 100, 1_000, 10_000])
        let scenarios = try scenarios(options)
        let cores = max(try options.int("cores", 4), 1)
        let tasks = max(try options.int("tasks", 1_000_000), 1)
        let batch = max(try options.int("batch", 8), 1)
        var runs: [ScaleResult] = []
        var growth: [String: Double] = [:]
        for scenario in scenarios {
            var costs: [Double] = []
            for count in counts.sorted() {
                var run = ScaleRun(
                    scenario,
                    .init(executors: max(count, 1), cores: cores, tasks: tasks, batch: batch))
                runs.append(try run.run())
                costs.append(runs[runs.count - 1].us_per_task)
            }
            growth[scenario.rawValue] = costs[costs.count - 1] / costs[0]
        }
        return SimScaleBenchmark(
            cores: cores, tasks: tasks, batch: batch, runs: runs, growth: growth)
    }

    private static func scenarios(_ options: Options) throws -> [ScaleScenario] {
        guard let names = options.values["scenarios"] else { return ScaleScenario.allCases }
        return try names.split(separator: ",").map { name in
            guard let scenario = ScaleScenario(rawValue: String(name)) else {
                let known = ScaleScenario.allCases.map(\.rawValue).joined(separator: ", ")
                throw MillraceError(
                    .invalidArgument, "--scenarios \(name) is none of \(known)")
            }
            return scenario
        }
    }
}

/// One scenario with so many executors. A decision is one launch.
struct ScaleResult: Encodable {
    var scenario: String
    var executors: Int
    var decisions_per_s: Double
    /// From its launch to its end, with its part of a message's cost.
    var us_per_task: Double
    var allocations_per_task: Double
    /// What the core keeps of a task that waits; beyond that of one that runs or is queued at its
    /// executor, with the effect that launched it; and of an executor without tasks.
    var bytes_per_pending_task: Double
    var bytes_per_running_task: Double
    var bytes_per_executor: Double
    var us_per_submitted_task: Double
    var us_per_executor: Double
    /// Of a lost executor with its tasks and map outputs; only with losses.
    var us_per_loss: Double?

    init(
        _ scenario: ScaleScenario, _ shape: ScaleRun.Shape, _ work: ScaleRun.Work,
        _ losses: ScaleRun.Work, _ registration: ScaleRun.Work, _ submission: ScaleRun.Work,
        running: Int, pending: Int64, share: Double
    ) {
        func microseconds(_ work: ScaleRun.Work) -> Double {
            Double(work.nanoseconds) * share / 1e3 / Double(max(work.units, 1))
        }
        self.scenario = scenario.rawValue
        executors = shape.executors
        us_per_task = microseconds(work)
        decisions_per_s = us_per_task > 0 ? 1e6 / us_per_task : 0
        allocations_per_task = Double(work.allocations) / Double(max(work.units, 1))
        bytes_per_pending_task = Double(pending) / Double(shape.tasks)
        bytes_per_running_task =
            Double(max(submission.bytes - pending, 0)) / Double(max(running, 1))
        bytes_per_executor = Double(registration.bytes) / Double(shape.executors)
        us_per_submitted_task = microseconds(submission)
        us_per_executor = microseconds(registration)
        us_per_loss = losses.units > 0 ? microseconds(losses) : nil
    }
}
