import MillraceBase
import MillraceCore

/// What the driver tells one executor in one turn of its loop. An executor handles the lists in
/// this order, so that a plan is there before its stage, and a stage before its tasks.
public struct DriverMessage: Sendable {
    public var registered: Registered?
    public var peers: [Peer] = []
    /// Plans that no job at work needs. Handled before `plans`, which may bring them again.
    public var removedPlans: [PlanHash] = []
    public var plans: [PlanPiece] = []
    /// Plans that are fetched when a task runs them. Handled with `plans`.
    public var planBroadcasts: [PlanBroadcast] = []
    public var mapOutputs: [MapOutputs] = []
    public var stages: [StageSetup] = []
    public var launches: [TaskDescription] = []
    public var kills: [Kill] = []
    public var removedShuffles: [ShuffleID] = []
    public var finishedStages: [StageID] = []
    /// Set when the executor is to end, with the reason.
    public var shutdown: String?
    public var commitDecisions: [CommitDecision] = []
    /// Executors that are gone: what is being fetched from them will not come.
    public var lostPeers: [ExecutorID] = []
    /// Why the executor is to leave: it gets no more tasks, and ends when it's told to.
    public var decommission: String?
    /// Map outputs to fetch from an executor that leaves, and to keep.
    public var outputMoves: [OutputMove] = []
    public var grants: [Grant] = []
    /// With the inputs of the receiver's own tasks.
    public var grantedBatches: [GrantedBatch] = []
    public var revokedGrants: [GrantID] = []
    public var endedGrants: [GrantID] = []

    /// Datasets whose kept blocks nobody asks for any more.
    public var removedRDDs: [RDDID] = []
    /// Kept blocks to fetch from another executor and to keep too.
    public var blockCopies: [BlockCopy] = []
    /// Who keeps the blocks of the datasets that `stages` persist. Handled before `stages`.
    public var blockHolders: [BlockHolders] = []
    /// Pieces of broadcasts to fetch, with their sources.
    public var broadcastPieces: [BroadcastPieces] = []
    /// Broadcasts that were asked for and do not exist any more.
    public var goneBroadcasts: [BroadcastID] = []
    /// Broadcasts to forget; they can be fetched again.
    public var removedBroadcasts: [BroadcastID] = []

    /// What becomes of tasks that wait for the others of their barrier stage.
    public var barrierDecisions: [BarrierDecision] = []

    public init() {}

    public var isEmpty: Bool {
        launches.isEmpty && removedRDDs.isEmpty && blockCopies.isEmpty && blockHolders.isEmpty
            && broadcastPieces.isEmpty && goneBroadcasts.isEmpty && removedBroadcasts.isEmpty

            && registered == nil && peers.isEmpty && plans.isEmpty
            && planBroadcasts.isEmpty && mapOutputs.isEmpty && removedPlans.isEmpty
            && stages.isEmpty && kills.isEmpty && removedShuffles.isEmpty && finishedStages.isEmpty
            && shutdown == nil && commitDecisions.isEmpty && lostPeers.isEmpty
            && barrierDecisions.isEmpty && decommission == nil && outputMoves.isEmpty
            && grantedBatches.isEmpty
            && grants.isEmpty && revokedGrants.isEmpty && endedGrants.isEmpty
    }

    /// A task that is to end.
    public struct Kill: Hashable, Sendable {
        public var task: TaskID
        public var reason: String
        public init(task: TaskID, reason: String) {
            self.task = task
            self.reason = reason
        }
    }

    /// Whether a task may commit its output.
    public struct CommitDecision: Hashable, Sendable {
        public var task: TaskID
        public var isGranted: Bool
        public init(task: TaskID, isGranted: Bool) {
            self.task = task
            self.isGranted = isGranted
        }
    }

    /// Pieces of one broadcast to fetch.
    public struct BroadcastPieces: Hashable, Sendable {
        public var broadcast: BroadcastID
        public var sources: [BroadcastSource]
        public init(broadcast: BroadcastID, sources: [BroadcastSource]) {
            self.broadcast = broadcast
            self.sources = sources
        }
    }

    /// Who keeps the partitions of one persisted dataset.
    public struct BlockHolders: Hashable, Sendable {
        public var rdd: RDDID
        /// By partition; empty for those that nobody keeps.
        public var holders: [[ExecutorID]]
        public init(rdd: RDDID, holders: [[ExecutorID]]) {
            self.rdd = rdd
            self.holders = holders
        }
    }

    /// The driver's answer to a registration.
    public struct Registered: Hashable, Sendable {
        public var applicationID: String
        public var heartbeatInterval: Duration
        /// Where the driver serves its blocks; 0: nowhere.
        public var blockPort: Int
        /// By which map outputs and spills are encrypted; empty: they are not.
        public var ioKey: [UInt8]
        public init(
            applicationID: String, heartbeatInterval: Duration, blockPort: Int = 0,
            ioKey: [UInt8] = []
        ) {
            self.ioKey = ioKey
            self.applicationID = applicationID
            self.heartbeatInterval = heartbeatInterval
            self.blockPort = blockPort
        }
    }

    /// Where an executor serves its blocks.
    public struct Peer: Hashable, Sendable {
        public var executor: ExecutorID
        public var host: String
        public var port: Int
        /// The executor is gone; this is the shuffle service of its host.
        public var isService: Bool
        /// Where that service is while the executor is there; nil when there is none.
        public var servicePort: Int?
        public init(
            executor: ExecutorID, host: String, port: Int, isService: Bool = false,
            servicePort: Int? = nil
        ) {
            self.executor = executor
            self.host = host
            self.port = port
            self.isService = isService
            self.servicePort = servicePort
        }
    }

    /// A part of a plan; the parts of one plan follow each other in order.
    public struct PlanPiece: Hashable, Sendable {
        /// Far below the message limit, so that a large plan does not hold up the tasks of other
        /// jobs for long.
        public static let maximumBytes = 512 * 1024

        public var plan: PlanHash
        public var totalBytes: Int
        public var offset: Int
        public var bytes: [UInt8]

        public init(plan: PlanHash, totalBytes: Int, offset: Int, bytes: [UInt8]) {
            self.plan = plan
            self.totalBytes = totalBytes
            self.offset = offset
            self.bytes = bytes
        }

        /// Cuts a plan into pieces.
        public static func pieces(of bytes: [UInt8], plan: PlanHash) -> [PlanPiece] {
            stride(from: 0, to: max(bytes.count, 1), by: maximumBytes).map { offset in
                let end = min(offset + maximumBytes, bytes.count)
                return PlanPiece(
                    plan: plan, totalBytes: bytes.count, offset: offset,
                    bytes: Array(bytes[offset..<end]))
            }
        }
    }
}
