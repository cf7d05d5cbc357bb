import MillraceBase
import Synchronization

/// What a running task knows of itself, and its way to shuffles, cancellation and metrics. One per
/// attempt, used by the task's thread only; `isCancelled` may be set from any thread.
public final class TaskContext: @unchecked Sendable {
    /// Partition of the stage.
    public let partition: Int
    /// 0 for the first attempt.
    public let attempt: Int
    public let taskID: TaskID
    public let stage: StageID
    /// Attempt of the stage; with `stage` it fences commits of an older one.
    public let stageAttempt: Int
    public let job: JobID
    /// Of a streaming query.
    public let batch: BatchID?
    public let query: String
    /// Per-partition bytes for the plan's operators.
    public let input: TaskInput
    public let shuffle: any ShuffleEnvironment
    /// To be asked before anything that grows with the data is allocated.
    public let memory: TaskMemory
    /// Filled by operators; read by the runtime when the task has ended.
    public var metrics = TaskMetrics()
    private let cancelled = Atomic<Bool>(false)

    public init(
        partition: Int, attempt: Int = 0, taskID: TaskID = TaskID(0), stage: StageID = StageID(0),
        stageAttempt: Int = 0, job: JobID = JobID(0), batch: BatchID? = nil, query: String = "",
        input: TaskInput = TaskInput(), shuffle: any ShuffleEnvironment,
        memory: TaskMemory = .unlimited()
    ) {
        self.partition = partition
        self.attempt = attempt
        self.taskID = taskID
        self.stage = stage
        self.stageAttempt = stageAttempt
        self.job = job
        self.batch = batch
        self.query = query
        self.input = input
        self.shuffle = shuffle
        self.memory = memory
    }

    /// Asks the task to end; it does so at its next chunk.
    public func cancel() {
        cancelled.store(true, ordering: .relaxed)
        memory.cancel()
    }
    public var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// To be called once per chunk by sources and long loops.
    @inline(__always) public func checkCancelled() throws {
        if isCancelled { throw TaskCancelled() }
    }
}

/// A task was asked to end and did.
public struct TaskCancelled: Error, Sendable, CustomStringConvertible {
    public init() {}
    public var description: String { "the task was cancelled" }
}

/// Numbers of one task. Counted per chunk.
public struct TaskMetrics: Sendable {
    /// Rows of sources and shuffles.
    public var recordsRead = 0
    public var bytesRead = 0
    /// Rows given to a shuffle or a file.
    public var recordsWritten = 0
    public var bytesWritten = 0
    /// Named numbers that an operator reports to the driver, such as the rows of a state store.
    public var named: [(name: String, value: Int64)] = []
    public init() {}
}

/// The bytes that travel with a task, by (node of the plan, partition of that node): a slice of
/// `parallelize`, a file split, an offset range. Empty for stages that only read shuffles. A
/// union's or coalesce's task holds several.
public struct TaskInput: Sendable {
    public struct Item: Sendable {
        public var node: Int
        public var partition: Int
        public var bytes: [UInt8]
        public init(node: Int, partition: Int, bytes: [UInt8]) {
            self.node = node
            self.partition = partition
            self.bytes = bytes
        }
    }
    public var items: [Item]

    public init(_ items: [Item] = []) { self.items = items }

    /// What `TaskDescription.input` carries. No items are no bytes.
    public func encode() -> [UInt8] {
        if items.isEmpty { return [] }
        var writer = ByteWriter(capacity: 16 + items.reduce(0) { $0 + $1.bytes.count })
        writer.writeCount(items.count)
        for item in items {
            writer.writeCount(item.node)
            writer.writeCount(item.partition)
            writer.writeBytes(item.bytes)
        }
        return writer.bytes
    }

    /// Throws `ByteError` for bytes that `encode` did not write.
    public init(decoding bytes: [UInt8]) throws {
        items = []
        if bytes.isEmpty { return }
        var reader = ByteReader(bytes)
        for _ in 0..<(try reader.readCount(minimumSize: 3)) {
            let node = try reader.readVarint()
            let partition = try reader.readVarint()
            guard node < 1 << 31, partition < 1 << 31 else {
                throw reader.failure("node or partition")
            }
            items.append(
                Item(node: Int(node), partition: Int(partition), bytes: try reader.readBytes()))
        }
        try reader.expectEnd()
    }

    func bytes(node: Int, partition: Int) throws -> [UInt8] {
        for item in items where item.node == node && item.partition == partition {
            return item.bytes
        }
        throw PlanError("the task has no input for operator \(node), partition \(partition)")
    }
}
