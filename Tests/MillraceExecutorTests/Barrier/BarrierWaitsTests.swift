import MillraceBase
import MillraceCore
import MillraceWire
import Testing

@testable import MillraceExecutor

/// A barrier task waits until the driver decides, or it is wanted no more.
@Suite struct BarrierWaitsTests {
    private let waits = BarrierWaits(limits: BarrierLimits())
    private let request = BarrierRequest(task: TaskID(4), epoch: 2, kind: .barrier)

    @Test("a task hears what the driver decided for it and its epoch")
    func decision() {
        let outcome = waits.wait(request, atMost: .seconds(60)) {
            waits.decide([
                BarrierDecision(tasks: [TaskID(4)], epoch: 1, outcome: .failed(reason: "old")),
                BarrierDecision(tasks: [TaskID(5)], epoch: 2, outcome: .failed(reason: "other")),
                BarrierDecision(
                    tasks: [TaskID(3), TaskID(4)], epoch: 2, outcome: .passed(messages: ["a"])),
            ])
        }
        #expect(outcome == .passed(messages: ["a"]))
        // Too late: passed over.
        waits.decide([
            BarrierDecision(tasks: [TaskID(4)], epoch: 2, outcome: .failed(reason: "late"))
        ])
    }

    @Test("a driver that says nothing is not waited for for ever")
    func silence() {
        #expect(waits.wait(request, atMost: .milliseconds(1)) {} == nil)
    }

    @Test("a task that is killed waits no more")
    func killed() throws {
        let context = TaskContext(
            partition: 0, taskID: TaskID(4),
            shuffle: MemoryShuffleEnvironment(inputs: [], output: nil))
        #expect(throws: TaskKilled(reason: "enough")) {
            try context.waiting(wakenBy: { waits.withdraw(TaskID(4)) }) {
                _ = waits.wait(request, atMost: .seconds(60)) { context.kill(reason: "enough") }
            }
        }
    }

    @Test("tasks find where the others run, by partition")
    func addresses() {
        waits.add([
            .init(executor: ExecutorID(0), host: "a", port: 7),
            .init(executor: ExecutorID(1), host: "b", port: 0),
            .init(executor: ExecutorID(0), host: "service", port: 9, isService: true),
        ])
        let executors = [1, 0, 1].map { ExecutorID($0) }
        #expect(waits.addresses(of: executors) == ["b", "a:7", "b"])
        waits.remove([ExecutorID(1)])
        #expect(waits.addresses(of: executors) == ["", "a:7", ""])
    }

    @Test("tasks that run one after the other wait only when they are alone")
    func serial() throws {
        let alone = TaskBarrier.serial(TaskID(0), of: 1)
        _ = try alone.wait(.barrier, "")
        #expect(try alone.wait(.allGather, "a") == ["a"])
        #expect(throws: MillraceError.self) {
            _ = try TaskBarrier.serial(TaskID(0), of: 2).wait(.barrier, "")
        }
    }
}
