import CMillraceProto
import MillraceBase
import MillraceCore

/// What an executor tells the driver in one turn of its loop.
public struct ExecutorMessage: Sendable {
    /// Compared at registration; changes with what the messages mean.
    public static let protocolVersion = 1

    public var register: Registration?
    public var taskEnds: [TaskEnd] = []
    public var heartbeat: Heartbeat?
    /// Tasks that ask whether they may commit their output.
    public var commitRequests: [TaskID] = []
    /// What running tasks have added to accumulators so far.
    public var partialAccumulators: [PartialAccumulators] = []

    /// What the executor keeps of persisted datasets, or keeps no longer. Handled before
    /// `taskEnds`.
    public var blocks: [BlockStatus] = []
    /// Datasets whose blocks it has removed, as it was asked to.
    public var removedRDDs: [RDDID] = []
    /// Broadcasts that tasks need and that are not there.
    public var wantedBroadcasts: [BroadcastID] = []
    public var broadcastFetches: [PieceFetch] = []

    /// Plans that tasks need and that are not there. Handled before `taskEnds`.
    public var missingPlans: [PlanHash] = []

    /// Why the executor wants to be decommissioned; said once.
    public var decommission: String?
    /// What became of map outputs that it was to fetch.
    public var movedOutputs: [MovedOutput] = []

    /// Tasks that wait for the others of their barrier stage.
    public var barrierRequests: [BarrierRequest] = []

    /// Map outputs that are pushed as far as they will be. Handled after `taskEnds`.
    public var pushedOutputs: [PushedOutput] = []

    public init() {}
    public var isEmpty: Bool {
        taskEnds.isEmpty && register == nil && heartbeat == nil && commitRequests.isEmpty
            && pushedOutputs.isEmpty && barrierRequests.isEmpty && decommission == nil
            && movedOutputs.isEmpty
            && partialAccumulators.isEmpty && blocks.isEmpty && removedRDDs.isEmpty
            && wantedBroadcasts.isEmpty && broadcastFetches.isEmpty && missingPlans.isEmpty
    }

    /// How the fetch of a broadcast's piece ended.
    public struct PieceFetch: Hashable, Sendable {
        public var broadcast: BroadcastID
        public var piece: Int
        public var outcome: BroadcastFetch.Outcome
        public init(broadcast: BroadcastID, piece: Int, outcome: BroadcastFetch.Outcome) {
            self.broadcast = broadcast
            self.piece = piece
            self.outcome = outcome
        }
    }

    /// Whether a map output is here now.
    public struct MovedOutput: Hashable, Sendable {
        public var move: OutputMove
        public var isMoved: Bool
        public init(move: OutputMove, isMoved: Bool) {
            self.move = move
            self.isMoved = isMoved
        }
    }

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
        /// Where the shuffle service of the host serves its files, after its end too.
        public var serviceBlockPort: Int?

        public init(
            protocolVersion: Int, applicationID: String, executor: ExecutorID, buildID: String,
            host: String, blockPort: Int, cores: Int, memoryBytes: UInt64, processID: Int,
            serviceBlockPort: Int? = nil
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
            self.serviceBlockPort = serviceBlockPort
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
}
