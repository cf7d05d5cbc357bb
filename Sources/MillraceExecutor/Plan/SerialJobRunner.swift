import Glibc
import MillraceBase
import MillraceCore
import MillraceNet
import MillraceStore
import Synchronization

/// Runs jobs in the calling thread, one task after the other, with shuffles in memory: for tests
/// and for debugging user code without threads. Everything goes through encoded plans and inputs,
/// as in a cluster.
public final class SerialJobRunner: JobRunner {
    private struct State {
        var plans: [PlanHash: ExecutablePlan] = [:]
        var shuffles: [ShuffleID: MemoryShuffle] = [:]
        var nextTask = TaskID(0)
    }
    public let accumulators = AccumulatorRegistry()
    private let state = Mutex(State())
    private let blocks: BlockManager
    private let folder: String
    private static let runners = Atomic<Int>(0)

    public init() {
        let number = Self.runners.wrappingAdd(1, ordering: .relaxed).newValue
        folder = "\(LaunchEnvironment.temporaryFolder)/millrace-serial-\(getpid())-\(number)"
        blocks = BlockManager(memory: .unlimited(), folder: folder) { _ in }
    }

    deinit { try? PosixFileSystem().deleteTree(folder) }

    /// Number of distinct plans seen, for tests.
    public var planCount: Int { state.withLock { $0.plans.count } }
    /// Shuffles whose data is kept.
    public var shuffleCount: Int { state.withLock { $0.shuffles.count } }

    public func run(
        _ request: JobRequest, onResult: @escaping @Sendable (Int, ArraySlice<UInt8>) throws -> Void
    ) async throws -> JobReport {
        try runSerially(request, onResult)
    }

    /// In the calling thread too: the job has ended when this returns.
    public func start(
        _ request: JobRequest,
        complete: @escaping @Sendable (Result<FinishedJob, any Error>) -> Void
    ) {
        var results: [Int: ArraySlice<UInt8>] = [:]
        let outcome = Result {
            let report = try runSerially(request) { results[$0] = $1 }
            return FinishedJob(
                results: results.keys.sorted().map { results[$0] ?? [] }, report: report)
        }
        complete(outcome)
    }

    public func cancel(_ job: JobID, reason: String) {}
    public func endQuery(_ query: QueryID) {}

    public func unpersist(_ rdd: RDDID, done: @escaping @Sendable () -> Void) {
        blocks.refuse([rdd])
        blocks.remove(rdd)
        done()
    }

    public func register(_ broadcast: BroadcastID, pieces: () -> [BlockContent]) {}
    public func removeBroadcast(_ broadcast: BroadcastID, forever: Bool) {}

    public func release(_ shuffle: ShuffleID) {
        state.withLock { _ = $0.shuffles.removeValue(forKey: shuffle) }
    }

    public func settleBatches(of query: String, through batch: BatchID) {}
    public func retractBatches(of query: String, after batch: BatchID) {}

    private func runSerially(
        _ request: JobRequest, _ onResult: (Int, ArraySlice<UInt8>) throws -> Void
    ) throws -> JobReport {
        var report = JobReport()
        for plan in request.plans where state.withLock({ $0.plans[plan.hash] == nil }) {
            let executable = try ExecutablePlan(decoding: plan.bytes)
            state.withLock { $0.plans[plan.hash] = executable }
        }
        let job = request.job
        for node in job.lineage.nodes where node.storageLevel != nil { blocks.expect([node.id]) }
        var partitions: [RDDID: Int] = [:]
        for node in job.lineage.nodes {
            partitions[node.id] = node.partitionCount
        }
        // Parents come first in a lineage, so this order runs each map stage after those that it
        // reads.
        for node in job.lineage.nodes {
            for case .shuffle(let shuffle) in node.dependencies
            where state.withLock({ $0.shuffles[shuffle.shuffle] == nil }) {
                let output = MemoryShuffle()
                for map in 0..<(partitions[shuffle.parent] ?? 0) {
                    _ = try runTask(
                        shuffle.map, partition: map, of: partitions[shuffle.parent] ?? 0, job: job,
                        output: output, report: &report)
                }
                state.withLock { $0.shuffles[shuffle.shuffle] = output }
            }
        }
        let wanted = job.partitions ?? Array(0..<(partitions[job.finalRDD] ?? 0))
        for (index, partition) in wanted.enumerated() {
            let output = try runTask(
                job.final, partition: partition, of: wanted.count, job: job, output: nil,
                report: &report)
            guard case .result(let bytes) = output else {
                throw PlanError("the final stage's sink writes a shuffle")
            }
            try onResult(job.partitions == nil ? partition : index, bytes[...])
        }
        return report
    }

    private func runTask(
        _ stage: StagePlan, partition: Int, of tasks: Int, job: JobDescription,
        output: MemoryShuffle?, report: inout JobReport
    ) throws -> TaskOutput {
        let (plan, inputs, id) = state.withLock { state in
            defer { state.nextTask = state.nextTask.next }
            return (
                state.plans[stage.plan], stage.inputShuffles.map { state.shuffles[$0] },
                state.nextTask
            )
        }
        guard let plan else { throw PlanError("plan \(stage.plan) did not come with the job") }
        let task = TaskContext(
            partition: partition, taskID: id, job: job.id, batch: job.properties.batch,
            query: job.properties.query ?? "",
            input: try TaskInput(decoding: stage.inputs.isEmpty ? [] : stage.inputs[partition]),
            shuffle: MemoryShuffleEnvironment(inputs: inputs, output: output),
            blocks: TaskBlocks(manager: blocks, persisted: stage.persisted))
        task.barrier = .serial(id, of: tasks)
        let result = try task.run { try plan.run(task) }
        count(try task.accumulators.updates(), of: id)
        if !task.metrics.named.isEmpty {
            let metrics = task.metrics.named.map { TaskMetric(name: $0.name, value: $0.value) }
            report.tasks.append(JobReport.Task(partition: partition, metrics: metrics))
        }
        return result
    }

    /// Every task runs once, so what it added is final.
    private func count(_ updates: [AccumulatorUpdate], of task: TaskID) {
        guard !updates.isEmpty else { return }
        let origin = AccumulatorOrigin(task.rawValue)
        accumulators.apply(.contributed(origin, unit: 0, StageID(task.rawValue), updates))
        accumulators.apply(.settled(origin))
    }
}
