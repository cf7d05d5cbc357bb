import CMillraceProto
import MillraceBase
import MillraceCore

/// What an executor tells the driver in one turn of its loop.
public struct ExecutorMessage: Sendable {
    public var register: Registration?
    public var taskEnds: [TaskEnd] = []
    public var heartbeat: Heartbeat?

    public init() {}
    public var isEmpty: Bool { register == nil && taskEnds.isEmpty && heartbeat == nil }

    /// Who the executor is: the first message of the stream.
    public struct Registration: Hashable, Sendable {
        public var protocolVersion: Int
        public var applicationID: String
        public var executor: ExecutorID
        public var buildID: String
        public var host: String
        public var blockPort: Int
        public var cores: Int
        public var memoryBytes: UInt64
        public var processID: Int

        public init(
            protocolVersion: Int, applicationID: String, executor: ExecutorID, buildID: String,
            host: String, blockPort: Int, cores: Int, memoryBytes: UInt64, processID: Int
        ) {
            self.protocolVersion = protocolVersion
            self.applicationID = applicationID
            self.executor = executor
            self.buildID = buildID
            self.host = host
            self.blockPort = blockPort
            self.cores = cores
            self.memoryBytes = memoryBytes
            self.processID = processID
        }
    }

    public struct Heartbeat: Hashable, Sendable {
        public var sequence: UInt64
        public var runningTasks: Int
        public var residentBytes: UInt64
        public init(sequence: UInt64, runningTasks: Int, residentBytes: UInt64) {
            self.sequence = sequence
            self.runningTasks = runningTasks
            self.residentBytes = residentBytes
        }
    }

    /// The end of one attempt, as its executor saw it.
    public struct TaskEnd: Sendable {
        public var task: TaskID
        public var runTime: Duration
        public var outcome: Outcome
        public var recordsRead: Int = 0
        public var recordsWritten: Int = 0
        public var metrics: [Metric] = []

        public init(task: TaskID, runTime: Duration, outcome: Outcome) {
            self.task = task
            self.runTime = runTime
            self.outcome = outcome
        }
    }

    public enum Outcome: Sendable {
        case result([UInt8])
        /// Bytes for each reduce partition.
        case mapOutput(sizes: [Int])
        case fetchFailed(
            shuffle: ShuffleID, mapIndex: Int, reduce: Int, executor: ExecutorID, message: String)
        case failure(message: String, trace: String)
        case killed
    }

    /// A number that an operator reports, such as the rows of a state store.
    public struct Metric: Hashable, Sendable {
        public var name: String
        public var value: Int
        public init(_ name: String, _ value: Int) {
            self.name = name
            self.value = value
        }
    }
}
