import MillraceBase
import MillraceCore
import MillraceWire
import Testing

/// What driver and executors say to each other survives the way there, and what nobody said does no
/// harm.
@Suite struct ControlMessageTests {
    let arena = WireArena()

    @Test("a registration arrives as it was sent")
    func registration() throws {
        var message = ExecutorMessage()
        message.register = .init(
            protocolVersion: 1, applicationID: "app-1", executor: ExecutorID(7), buildID: "abc",
            host: "127.0.0.1", blockPort: 40_000, cores: 2, memoryBytes: 1 << 30, processID: 99)
        message.heartbeat = .init(sequence: 3, runningTasks: 2, residentBytes: 5)
        message.commitRequests = [TaskID(4), TaskID(1 << 40)]
        let received = try ExecutorMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.register == message.register)
        #expect(received.heartbeat == message.heartbeat)
        #expect(received.commitRequests == message.commitRequests)
    }

    static let reasons: [TaskEndReason] = [
        .result([]), .result([1, 2, 3]), .mapOutput(BlockSizes([0, 5, 70_000])), .commitDenied,
        .exception(message: "row 2 is bad", trace: "frame"),
        .fetchFailed(
            FetchFailure(
                shuffle: ShuffleID(3), mapIndex: 2, executor: ExecutorID(1), reduce: 4,
                message: "gone")),
        .fetchFailed(
            FetchFailure(
                shuffle: ShuffleID(0), mapIndex: nil, executor: nil, reduce: 0, message: "")),
        .killed(reason: "stage cancelled"),
    ]

    @Test("a large plan arrives as the name of a broadcast, and an absurd size is refused")
    func planBroadcasts() throws {
        var order = DriverMessage()
        order.planBroadcasts = [
            .init(
                plan: PlanHash(high: 1, low: .max), totalBytes: 20 << 20,
                broadcast: BroadcastID(7)),
            .init(plan: PlanHash(high: 0, low: 2), totalBytes: 1, broadcast: BroadcastID(0)),
        ]
        #expect(!order.isEmpty)
        let received = try DriverMessage(decoding: order.encoded(arena: arena), arena: arena)
        #expect(received.planBroadcasts == order.planBroadcasts)
        order.planBroadcasts[0].totalBytes = 1 << 40
        #expect(throws: WireError.self) {
            try DriverMessage(decoding: order.encoded(arena: arena), arena: arena)
        }
    }

    @Test("plans are forgotten and missed by their names")
    func planNames() throws {
        let plans = [PlanHash(high: 1, low: .max), PlanHash(high: 0, low: 7)]
        var order = DriverMessage()
        #expect(order.isEmpty)
        order.removedPlans = plans
        #expect(!order.isEmpty)
        let received = try DriverMessage(decoding: order.encoded(arena: arena), arena: arena)
        #expect(received.removedPlans == plans)
        let said = ExecutorMessage([.planMissing(plans[0]), .planMissing(plans[1])])
        #expect(
            try ExecutorMessage(decoding: said.encoded(arena: arena), arena: arena).missingPlans
                == plans)
    }

    @Test("a task says that its executor is at fault", arguments: [true, false])
    func executorAtFault(isAtFault: Bool) throws {
        var message = ExecutorMessage()
        var end = TaskEnd(task: TaskID(1), reason: .exception(message: "no room", trace: ""))
        end.isExecutorAtFault = isAtFault
        message.taskEnds = [end]
        let received = try ExecutorMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.taskEnds.first?.isExecutorAtFault == isAtFault)
    }

    @Test("the end of a task arrives with its reason", arguments: reasons)
    func taskEnd(reason: TaskEndReason) throws {
        var message = ExecutorMessage()
        message.taskEnds = [
            TaskEnd(
                task: TaskID(12), reason: reason, runTime: .microseconds(7), recordsRead: 3,
                recordsWritten: 4, metrics: [TaskMetric(name: "rows", value: -5)],
                accumulators: Self.updates)
        ]
        let received = try ExecutorMessage(decoding: message.encoded(arena: arena), arena: arena)
        let end = try #require(received.taskEnds.first)
        #expect(end.reason == reason)
        #expect(end.task == TaskID(12))
        #expect(end.runTime == .microseconds(7))
        #expect(end.recordsRead == 3)
        #expect(end.recordsWritten == 4)
        #expect(end.metrics == [TaskMetric(name: "rows", value: -5)])
        #expect(end.accumulators == Self.updates)
    }

    static let updates = [
        AccumulatorUpdate(id: AccumulatorID(0), value: .long(sum: .min, count: 3)),
        AccumulatorUpdate(id: AccumulatorID(1), value: .double(sum: -0.5, count: 1 << 40)),
        AccumulatorUpdate(id: AccumulatorID(70_000), value: .bytes([0, 1, 255])),
        AccumulatorUpdate(id: AccumulatorID(3), value: .bytes([])),
    ]

    @Test("what running tasks have added so far arrives by task")
    func partialAccumulators() throws {
        var message = ExecutorMessage()
        message.partialAccumulators = [
            PartialAccumulators(task: TaskID(1 << 40), updates: Self.updates),
            PartialAccumulators(task: TaskID(2), updates: []),
        ]
        #expect(!message.isEmpty)
        let received = try ExecutorMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.partialAccumulators == message.partialAccumulators)
    }

    @Test("all that a driver says in one turn arrives")
    func driverMessage() throws {
        let message = Self.fullMessage
        let received = try DriverMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.registered == message.registered)
        #expect(received.peers == message.peers)
        #expect(received.plans == message.plans)
        #expect(received.stages == message.stages)
        #expect(received.launches == message.launches)
        #expect(received.kills == message.kills)
        #expect(received.removedShuffles == message.removedShuffles)
        #expect(received.finishedStages == message.finishedStages)
        #expect(received.commitDecisions == message.commitDecisions)
        #expect(received.lostPeers == message.lostPeers)
        #expect(received.shutdown == message.shutdown)
        #expect(received.removedRDDs == message.removedRDDs)
        #expect(received.blockCopies == message.blockCopies)
        #expect(received.blockHolders == message.blockHolders)
        let outputs = try #require(received.mapOutputs.first)
        #expect(outputs.epoch == 9)
        #expect(outputs.statuses == message.mapOutputs[0].statuses)
    }

    @Test("grants and their batches arrive")
    func grants() throws {
        let message = Self.grantMessage
        #expect(!message.isEmpty)
        let received = try DriverMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.grants == message.grants)
        #expect(received.grantedBatches == message.grantedBatches)
        #expect(received.revokedGrants == [GrantID(1)])
        #expect(received.endedGrants == [GrantID(2), GrantID(3)])
    }

    @Test("a grant whose stages read later ones is refused")
    func twistedGrant() {
        var message = Self.grantMessage
        message.grants[0].stages[1].parents = [1]
        #expect(throws: WireError.self) {
            try DriverMessage(decoding: message.encoded(arena: arena), arena: arena)
        }
    }

    static var grantMessage: DriverMessage {
        var message = DriverMessage()
        let stages = [
            GrantedStage(
                plan: PlanHash(high: 1, low: .max), parents: [], reducerCount: 3,
                executors: [ExecutorID(7), ExecutorID(8)]),
            GrantedStage(
                plan: PlanHash(high: 0, low: 2), parents: [0], reducerCount: 0,
                executors: [ExecutorID(8), ExecutorID(7), ExecutorID(7)]),
        ]
        message.grants = [
            Grant(
                id: GrantID(9), batches: 100, query: "q", stages: stages,
                localProperties: [LocalProperty(key: "who", value: "me")])
        ]
        message.grantedBatches = [
            GrantedBatch(
                grant: GrantID(9), job: JobID(70_000), batch: BatchID(0), firstStage: StageID(4),
                firstTask: TaskID(1 << 40), shuffles: [ShuffleID(5)], inputs: [[], [1, 2]]),
            GrantedBatch(
                grant: GrantID(9), job: JobID(1), batch: nil, firstStage: StageID(6),
                firstTask: TaskID(0), shuffles: [], inputs: []),
        ]
        message.revokedGrants = [GrantID(1)]
        message.endedGrants = [GrantID(2), GrantID(3)]
        return message
    }

    @Test("a plan is cut into pieces that make it up again")
    func planPieces() {
        let bytes = (0..<1_300_000).map { UInt8(truncatingIfNeeded: $0) }
        let pieces = DriverMessage.PlanPiece.pieces(of: bytes, plan: PlanHash(high: 1, low: 2))
        #expect(pieces.count == 3)
        #expect(pieces.flatMap(\.bytes) == bytes)
        #expect(pieces.map(\.offset) == [0, 524_288, 1_048_576])
    }

    @Test(
        "damaged messages are refused or read as something else, and never do harm",
        arguments: 0..<200)
    func damage(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        let executor = Self.executorBytes(arena)
        let driver = Self.fullMessage.encoded(arena: arena)
        for original in [executor, driver, Self.grantMessage.encoded(arena: arena)] {
            let bytes = random.damage(original)
            _ = try? ExecutorMessage(decoding: bytes, arena: arena)
            _ = try? DriverMessage(decoding: bytes, arena: arena)
        }
    }

    static let kept = BlockStatus(
        rdd: RDDID(6), partition: 3, memoryBytes: 1 << 40, diskBytes: 7)

    @Test("what an executor keeps arrives")
    func blocks() throws {
        var message = ExecutorMessage([.block(Self.kept), .rddRemoved(RDDID(2))])
        message.blocks.append(
            BlockStatus(rdd: RDDID(0), partition: 0, memoryBytes: 0, diskBytes: 0))
        let received = try ExecutorMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.blocks == message.blocks)
        #expect(received.removedRDDs == [RDDID(2)])
    }

    static func executorBytes(_ arena: WireArena) -> [UInt8] {
        var message = ExecutorMessage()
        message.taskEnds = reasons.map {
            TaskEnd(task: TaskID(1), reason: $0, accumulators: updates)
        }
        message.partialAccumulators = [PartialAccumulators(task: TaskID(1), updates: updates)]
        message.blocks = [kept]
        return message.encoded(arena: arena)
    }

    static var fullMessage: DriverMessage {
        var message = DriverMessage()
        message.registered = .init(applicationID: "app-1", heartbeatInterval: .seconds(10))
        message.peers = [.init(executor: ExecutorID(1), host: "::1", port: 65_535)]
        message.plans = DriverMessage.PlanPiece.pieces(
            of: [1, 2, 3], plan: PlanHash(high: 4, low: 5))
        message.mapOutputs = [
            MapOutputs(
                shuffle: ShuffleID(2), epoch: 9,
                statuses: [
                    nil,
                    MapStatus(
                        executor: ExecutorID(1), mapTask: TaskID(8), mapIndex: 1,
                        sizes: BlockSizes([1, 0, 1 << 30])),
                ])
        ]
        message.stages = [
            StageSetup(
                stage: StageID(1), attempt: 2, plan: PlanHash(high: 4, low: 5),
                inputShuffles: [ShuffleID(2)], outputShuffle: ShuffleID(0), reducerCount: 3,
                job: JobID(4), query: "counts", batch: BatchID(0),
                localProperties: [LocalProperty(key: "who", value: "nightly")]),
            StageSetup(
                stage: StageID(2), attempt: 0, plan: PlanHash(high: 4, low: 5), inputShuffles: [],
                outputShuffle: nil, reducerCount: 0, job: JobID(4), query: nil, batch: nil,
                persisted: [PersistedRDD(rdd: RDDID(6), level: .memoryAndDisk2)]),
        ]
        message.launches = [
            TaskDescription(
                id: TaskID(1 << 50), stage: StageID(1), stageAttempt: 2, partition: 3, attempt: 1,
                input: [9, 9])
        ]
        message.kills = [.init(task: TaskID(3), reason: "another attempt succeeded")]
        message.removedShuffles = [ShuffleID(1)]
        message.finishedStages = [StageID(0)]
        message.commitDecisions = [.init(task: TaskID(3), isGranted: true)]
        message.lostPeers = [ExecutorID(5)]
        message.shutdown = "enough"
        message.removedRDDs = [RDDID(3)]
        message.blockCopies = [
            BlockCopy(rdd: RDDID(6), partition: 2, level: .memoryOnlySer2, from: ExecutorID(1))
        ]
        message.blockHolders = [
            .init(rdd: RDDID(6), holders: [[ExecutorID(1), ExecutorID(4)], [], [ExecutorID(1)]])
        ]
        return message
    }
}

/// A small seeded generator, so that a damage that finds something can be made again.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func damage(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0...(next() % 8) {
            let place = Int(next() % UInt64(max(bytes.count, 1)))
            switch next() % 4 {
            case 0 where !bytes.isEmpty: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 1 where !bytes.isEmpty: bytes.removeSubrange(place...)
            case 2 where !bytes.isEmpty: bytes.remove(at: place)
            default: bytes.insert(UInt8(truncatingIfNeeded: next()), at: place)
            }
        }
        return bytes
    }
}
