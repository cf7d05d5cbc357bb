import MillraceBase
import MillraceCore

/// The bytes of a plan under their name.
public struct PlanBytes: Sendable {
    /// The bytes are also those of a broadcast, which lasts as long as `content`.
    public struct Broadcast: Sendable {
        public let id: BroadcastID
        private let content: any AnyObject & Sendable
        public init(id: BroadcastID, content: any AnyObject & Sendable) {
            self.id = id
            self.content = content
        }
    }

    public var hash: PlanHash
    public var bytes: [UInt8]
    /// How it goes to executors when it is large; nil: from the driver to each.
    public var broadcast: Broadcast?
    public init(hash: PlanHash, bytes: [UInt8], broadcast: Broadcast? = nil) {
        self.hash = hash
        self.bytes = bytes
        self.broadcast = broadcast
    }
}

/// What a finished job brought: the result of each wanted partition in its order, and what its
/// tasks reported.
public struct JobOutcome: Sendable {
    public struct TaskNumbers: Sendable {
        public var stage: StageID
        public var partition: Int
        /// Where the accepted attempt ran.
        public var executor: ExecutorID?
        public var metrics: [TaskMetric]
    }
    public var results: [ArraySlice<UInt8>]
    public var tasks: [TaskNumbers] = []
    /// What the accepted tasks took together, without their waiting.
    public var runTime: Duration = .zero
    public var scheduling = BatchScheduling()
}

/// A job between its submission and its end. Made by the caller, then belongs to the driver's loop;
/// `complete` is called once, on the loop.
package final class PendingJob: @unchecked Sendable {
    let description: JobDescription
    let plans: [PlanBytes]
    private var outcome: JobOutcome
    private let complete: @Sendable (Result<JobOutcome, MillraceError>) -> Void

    package init(
        _ description: JobDescription, plans: [PlanBytes],
        complete: @escaping @Sendable (Result<JobOutcome, MillraceError>) -> Void
    ) {
        self.description = description
        self.plans = plans
        self.complete = complete
        outcome = JobOutcome(results: [])
        outcome.results = Array(repeating: [], count: Self.resultCount(description))
    }

    func accept(_ bytes: ArraySlice<UInt8>, at index: Int) {
        outcome.results[index] = bytes
    }

    func note(_ stage: StageSummary) {
        note(stage.runTime)
        outcome.scheduling.work += stage.longestTask
    }

    func note(_ runTime: Duration) { outcome.runTime += runTime }

    func note(_ batch: FinishedBatch) {
        outcome.scheduling.groupSize = batch.groupSize
        outcome.scheduling.work += batch.work
    }

    func note(_ numbers: JobOutcome.TaskNumbers) { outcome.tasks.append(numbers) }

    func succeed() { complete(.success(outcome)) }

    func fail(_ error: MillraceError) { complete(.failure(error)) }

    private static func resultCount(_ description: JobDescription) -> Int {
        if let partitions = description.partitions { return partitions.count }
        let final = description.lineage.nodes.last { $0.id == description.finalRDD }
        return final?.partitionCount ?? 0
    }
}
