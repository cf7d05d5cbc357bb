import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceWire

/// One executor process as the driver and its peers see it: what is resident there, what runs, and
/// the map outputs it serves. Handles a message's lists in the same order as `ExecutorRuntime`.
final class SimulatedExecutor {
    struct StageKey: Hashable {
        var stage: StageID
        var attempt: Int
    }

    struct BlockKey: Hashable {
        var shuffle: ShuffleID
        var task: TaskID
    }

    /// A task that waits for a core. Bound to its stage when it comes: the stage may be over before
    /// it ends.
    struct Queued {
        var task: TaskDescription
        var setup: StageSetup
        /// Who waits for its output, under a grant.
        var readers: GrantedReaders?
        var isGranted = false
    }

    /// A task on one of the cores.
    struct Running {
        var task: TaskDescription
        var setup: StageSetup
        var readers: GrantedReaders?
        var start: Instant
        var isCancelled = false
        /// Its rows, if it has read its inputs; else it does so at its end.
        var rows: [Row]?
        /// Of a batch under a grant: its stage is set up nowhere else.
        var isGranted = false
        /// Asked to commit, and waits for the answer with these rows.
        var uncommitted: [Row]?
        /// In a barrier stage, how often it has waited for the others, and whether it does.
        var epoch = 0
        var isWaiting = false
    }

    let id: ExecutorID
    let host: Int
    let cores: Int
    let incarnation: Int
    var connection = -1
    var isAlive = true
    var isRegistered = false
    /// It stands still; what happens to it waits.
    var isFrozen = false
    var waiting: [Happening] = []

    var plans: [PlanHash: Program] = [:]
    var stages: [StageKey: StageSetup] = [:]
    var outputs: [ShuffleID: MapOutputs] = [:]
    var blocks: [BlockKey: [[Row]]] = [:]
    var grants = ResidentGrants()
    /// Blocks that came with an announcement.
    var inlineBlocks: [ShuffleID: InlineBlocks] = [:]
    /// Nobody will say again that what is written for these may go.
    private var removedShuffles: Set<ShuffleID> = []
    var lostPeers: Set<ExecutorID> = []
    var queue: [Queued] = []
    var running: [Running] = []
    /// What this turn of its loop made.
    var outbox = ExecutorMessage()
    var isReportDue = false
    var heartbeats: UInt64 = 0
    var heartbeatInterval = Duration.seconds(10)
    private var pieces: [PlanHash: [UInt8]] = [:]

    init(id: ExecutorID, host: Int, cores: Int, incarnation: Int) {
        self.id = id
        self.host = host
        self.cores = cores
        self.incarnation = incarnation
    }

    func add(_ piece: DriverMessage.PlanPiece) throws(ByteError) {
        var bytes = pieces.removeValue(forKey: piece.plan) ?? []
        bytes += piece.bytes
        if bytes.count < piece.totalBytes {
            pieces[piece.plan] = bytes
        } else {
            plans[piece.plan] = try Program(decoding: bytes)
        }
    }

    /// Queues a task; false when its stage is unknown here.
    func launch(_ task: TaskDescription) -> Bool {
        guard let setup = stages[.init(stage: task.stage, attempt: task.stageAttempt)] else {
            return false
        }
        queue.append(Queued(task: task, setup: setup))
        return true
    }

    func finish(_ stage: StageID) {
        stages = stages.filter { $0.key.stage != stage }
    }

    /// Keeps a map output for others to read, unless its shuffle or its stage is over: nobody will
    /// ask for it then, and nobody would say that it may go.
    func publish(_ rows: [[Row]], of running: Running, by task: TaskID) {
        let setup = running.setup
        guard let shuffle = setup.outputShuffle, !removedShuffles.contains(shuffle),
            running.isGranted
                || stages[.init(stage: setup.stage, attempt: setup.attempt)] != nil
        else { return }
        blocks[BlockKey(shuffle: shuffle, task: task)] = rows
    }

    /// Takes over a map output; not if nobody would say that it may go.
    func keep(_ rows: [[Row]], _ key: BlockKey) -> Bool {
        guard !removedShuffles.contains(key.shuffle) else { return false }
        blocks[key] = rows
        return true
    }

    func remove(_ shuffle: ShuffleID) {
        outputs[shuffle] = nil
        inlineBlocks[shuffle] = nil
        removedShuffles.insert(shuffle)
        blocks = blocks.filter { $0.key.shuffle != shuffle }
    }

    func position(of task: TaskID) -> Int? { running.firstIndex { $0.task.id == task } }

    /// What it holds although nobody needs it, in words.
    var leftovers: String {
        var parts: [String] = []
        if !grants.isEmpty { parts.append("grants") }
        if !inlineBlocks.isEmpty { parts.append("inline blocks") }
        if !stages.isEmpty { parts.append("\(stages.count) stages") }
        if !outputs.isEmpty { parts.append("the map outputs of \(outputs.count) shuffles") }
        if !blocks.isEmpty { parts.append("\(blocks.count) blocks") }
        if !queue.isEmpty || !running.isEmpty {
            parts.append("\(queue.count + running.count) tasks")
        }
        return parts.joined(separator: ", ")
    }

    /// Everything in memory is gone with the process; map outputs too, unless a service has them.
    func die(keepsOutputs: Bool) {
        isAlive = false
        plans = [:]
        stages = [:]
        outputs = [:]
        grants = ResidentGrants()
        inlineBlocks = [:]
        if !keepsOutputs { blocks = [:] }
        waiting = []
        queue = []
        running = []
        outbox = ExecutorMessage()
    }
}
