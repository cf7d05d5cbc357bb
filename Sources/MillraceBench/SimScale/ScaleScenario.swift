import MillraceBase
import MillraceCore

/// What the scheduler is asked for: how its tasks differ and what goes wrong.
enum ScaleScenario: String, CaseIterable {
    /// One job whose tasks run anywhere.
    case plain
    /// A thousand tasks a job, all jobs there from the start.
    case jobs
    /// Each task prefers one executor.
    case locality
    /// Eight queries, each with its own fair pool.
    case fair
    /// Up to one task in a thousand hangs until its copy has succeeded.
    case speculation
    /// One executor in a hundred fails every task, until the stage does without it.
    case exclusion
    /// Map tasks; halfway one executor in a hundred is lost with its outputs.
    case loss

    /// Queries of `fair`, tasks of each job of `jobs`.
    private static let queries = 8
    private static let tasksPerJob = 1_000
    /// One executor in so many is bad, or lost.
    static let rarity = 100
    /// At most one task in so many hangs, and at most one core in so many is taken up by them.
    private static let hangingTask = 1_000
    private static let hangingCore = 8

    func settings(batch: Int) -> CoreSettings {
        var settings = CoreSettings()
        settings.prefetchLimit = batch
        switch self {
        case .fair: settings.schedulingMode = .fair
        case .speculation: settings.speculation.isEnabled = true
        case .exclusion: settings.exclusion.isEnabledForStages = true
        case .plain, .jobs, .locality, .loss: break
        }
        return settings
    }

    /// Every so many tasks one hangs.
    static func hangingStride(_ shape: ScaleRun.Shape) -> Int {
        let atMost = max(shape.executors * shape.cores / hangingCore, 1)
        return max(shape.tasks / atMost, hangingTask)
    }

    /// Jobs of `tasks` tasks in all.
    func jobs(tasks: Int, executors: Int) -> [JobDescription] {
        switch self {
        case .plain, .speculation, .exclusion: return [job(0, tasks)]
        case .jobs:
            let count = max(tasks / Self.tasksPerJob, 1)
            return (0..<count).map { job($0, tasks / count + ($0 < tasks % count ? 1 : 0)) }
        case .fair:
            let count = min(Self.queries, tasks)
            return (0..<count).map {
                job($0, tasks / count + ($0 < tasks % count ? 1 : 0), pool: "query-\($0)")
            }
        case .locality:
            return [job(0, tasks, preferred: (0..<tasks).map { [ExecutorID($0 % executors)] })]
        case .loss: return [mapJob(tasks)]
        }
    }

    private func job(
        _ id: Int, _ tasks: Int, preferred: [[ExecutorID]] = [],
        pool: String = PoolSettings.defaultName
    ) -> JobDescription {
        JobDescription(
            id: JobID(id),
            lineage: Lineage(nodes: [
                LineageNode(id: RDDID(0), partitionCount: tasks, preferredExecutors: preferred)
            ]), finalRDD: RDDID(0), final: StagePlan(plan: PlanHash(high: 1, low: 1)),
            properties: JobProperties(pool: pool))
    }

    /// `tasks` map tasks, and one task that reads them.
    private func mapJob(_ tasks: Int) -> JobDescription {
        let shuffle = ShuffleDependency(
            shuffle: ShuffleID(0), parent: RDDID(0), reducerCount: 1,
            map: StagePlan(plan: PlanHash(high: 1, low: 1)))
        return JobDescription(
            id: JobID(0),
            lineage: Lineage(nodes: [
                LineageNode(id: RDDID(0), partitionCount: tasks),
                LineageNode(id: RDDID(1), partitionCount: 1, dependencies: [.shuffle(shuffle)]),
            ]), finalRDD: RDDID(1),
            final: StagePlan(plan: PlanHash(high: 1, low: 2), inputShuffles: [ShuffleID(0)]))
    }
}
