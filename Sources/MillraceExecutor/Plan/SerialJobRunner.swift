import MillraceBase
import MillraceCore
import Synchronization

/// Runs jobs in the calling thread, one task after the other, with shuffles in memory: for tests and for debugging user
/// code without threads. Everything goes through encoded plans and inputs, as in a cluster.
public final class SerialJobRunner: JobRunner {
    private struct State {
        var plans: [PlanHash: ExecutablePlan] = [:]
        var shuffles: [ShuffleID: MemoryShuffle] = [:]
        var nextTask = TaskID(0)
    }
    private let state = Mutex(State())

    public init() {}

    /// Number of distinct plans seen, for tests.
    public var planCount: Int { state.withLock { $0.plans.count } }
    /// Shuffles whose data is kept.
    public var shuffleCount: Int { state.withLock { $0.shuffles.count } }

    public func run(
        _ request: JobRequest, onResult: @escaping @Sendable (Int, [UInt8]) throws -> Void
    ) async throws {
        try runSerially(request, onResult)
    }

    public func release(_ shuffle: ShuffleID) {
        state.withLock { _ = $0.shuffles.removeValue(forKey: shuffle) }
    }

    private func runSerially(
        _ request: JobRequest, _ onResult: (Int, [UInt8]) throws -> Void
    ) throws {
        for plan in request.plans where state.withLock({ $0.plans[plan.hash] == nil }) {
            let executable = try ExecutablePlan(decoding: plan.bytes)
            state.withLock { $0.plans[plan.hash] = executable }
        }
        let job = request.job
        var dependencies: [ShuffleID: ShuffleDependency] = [:]
        var partitions: [RDDID: Int] = [:]
        for node in job.lineage.nodes {
            partitions[node.id] = node.partitionCount
            for case .shuffle(let shuffle) in node.dependencies { dependencies[shuffle.shuffle] = shuffle }
        }
        // Parents come first in a lineage, so this order runs each map stage after those that it reads.
        for node in job.lineage.nodes {
            for case .shuffle(let shuffle) in node.dependencies
            where state.withLock({ $0.shuffles[shuffle.shuffle] == nil }) {
                let output = MemoryShuffle()
                for map in 0..<(partitions[shuffle.parent] ?? 0) {
                    _ = try runTask(shuffle.map, partition: map, job: job, output: output)
                }
                state.withLock { $0.shuffles[shuffle.shuffle] = output }
            }
        }
        let wanted = job.partitions ?? Array(0..<(partitions[job.finalRDD] ?? 0))
        for (index, partition) in wanted.enumerated() {
            guard case .result(let bytes) = try runTask(job.final, partition: partition, job: job, output: nil)
            else { throw PlanError("the final stage's sink writes a shuffle") }
            try onResult(job.partitions == nil ? partition : index, bytes)
        }
    }

    private func runTask(
        _ stage: StagePlan, partition: Int, job: JobDescription, output: MemoryShuffle?
    ) throws -> TaskOutput {
        let (plan, inputs, id) = state.withLock { state in
            defer { state.nextTask = state.nextTask.next }
            return (state.plans[stage.plan], stage.inputShuffles.map { state.shuffles[$0] }, state.nextTask)
        }
        guard let plan else { throw PlanError("plan \(stage.plan) did not come with the job") }
        let task = TaskContext(
            partition: partition, taskID: id, job: job.id, batch: job.properties.batch,
            query: job.properties.query ?? "",
            input: try TaskInput(decoding: stage.inputs.isEmpty ? [] : stage.inputs[partition]),
            shuffle: MemoryShuffleEnvironment(inputs: inputs, output: output))
        return try plan.run(task)
    }
}
