import MillraceBase
import MillraceCore
import MillraceWire
import Testing

/// What tasks of a barrier stage and the driver say to each other survives the way there.
@Suite struct BarrierMessageTests {
    let arena = WireArena()

    @Test("requests arrive, with any text")
    func requests() throws {
        var message = ExecutorMessage()
        message.barrierRequests = [
            BarrierRequest(task: TaskID(1 << 40), epoch: 0, kind: .barrier),
            BarrierRequest(task: TaskID(2), epoch: 70_000, kind: .allGather, message: ""),
            BarrierRequest(task: TaskID(3), epoch: 1, kind: .allGather, message: "a\0é🙂"),
        ]
        #expect(!message.isEmpty)
        let received = try ExecutorMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.barrierRequests == message.barrierRequests)
    }

    @Test("decisions arrive, with the texts of all tasks or the reason")
    func decisions() throws {
        var message = DriverMessage()
        message.barrierDecisions = [
            BarrierDecision(
                tasks: [TaskID(1 << 40), TaskID(2)], epoch: 3, outcome: .passed(messages: [])),
            BarrierDecision(
                tasks: [TaskID(2)], epoch: 70_000,
                outcome: .passed(messages: ["", "a\0é🙂", String(repeating: "x", count: 100_000)])),
            BarrierDecision(tasks: [], epoch: 0, outcome: .failed(reason: "it is over")),
            BarrierDecision(tasks: [TaskID(0)], epoch: 0, outcome: .failed(reason: "")),
        ]
        #expect(!message.isEmpty)
        let received = try DriverMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.barrierDecisions == message.barrierDecisions)
    }

    @Test("where the tasks of a barrier stage run arrives with its setup")
    func executors() throws {
        var message = DriverMessage()
        message.stages = [[], [1, 0, 1]].map { executors in
            StageSetup(
                stage: StageID(1), attempt: 2, plan: PlanHash(high: 1, low: 2), inputShuffles: [],
                outputShuffle: nil, reducerCount: 0, job: JobID(1), query: nil, batch: nil,
                barrierExecutors: executors.map { ExecutorID($0) })
        }
        let received = try DriverMessage(decoding: message.encoded(arena: arena), arena: arena)
        #expect(received.stages == message.stages)
    }
}
