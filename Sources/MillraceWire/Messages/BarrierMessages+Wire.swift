import CMillraceProto
import MillraceBase
import MillraceCore

/// The parts of both messages that are about barrier stages.
extension ExecutorMessage {
    func writeBarriers(into message: inout Millrace__V1__ExecutorMessage, _ arena: WireArena) {
        (message.n_barrier_requests, message.barrier_requests) = arena.repeated(
            barrierRequests, Millrace__V1__BarrierRequest.self,
            millrace__v1__barrier_request__init
        ) { request, target in
            target.task_id = UInt64(request.task.rawValue)
            target.epoch = UInt32(request.epoch)
            target.is_all_gather = request.kind == .allGather ? 1 : 0
            // Not a string of protobuf's: those end at the first NUL in C.
            target.message = arena.bytes(Array(request.message.utf8))
        }
    }

    mutating func readBarriers(_ message: Millrace__V1__ExecutorMessage) throws(WireError) {
        for index in 0..<message.n_barrier_requests {
            // protobuf-c fills every slot of a repeated field.
            let request = message.barrier_requests[index]!.pointee
            barrierRequests.append(
                BarrierRequest(
                    task: try TaskID(wire: request.task_id), epoch: Int(request.epoch),
                    kind: request.is_all_gather != 0 ? .allGather : .barrier,
                    message: String(decoding: Array(request.message), as: UTF8.self)))
        }
    }
}

extension DriverMessage {
    func writeBarriers(into message: inout Millrace__V1__DriverMessage, _ arena: WireArena) {
        (message.n_barrier_decisions, message.barrier_decisions) = arena.repeated(
            barrierDecisions, Millrace__V1__BarrierDecision.self,
            millrace__v1__barrier_decision__init
        ) { decision, target in
            target.n_task_ids = decision.tasks.count
            target.task_ids = arena.numbers(decision.tasks.map(\.rawValue), as: UInt64.self)
            target.epoch = UInt32(decision.epoch)
            switch decision.outcome {
            case .failed(let reason):
                target.is_failed = 1
                target.reason = arena.string(reason)
            case .passed(let messages):
                target.n_messages = messages.count
                target.messages = arena.make(ProtobufCBinaryData.self, count: messages.count)
                for (index, message) in messages.enumerated() {
                    target.messages[index] = arena.bytes(Array(message.utf8))
                }
            }
        }
    }

    mutating func readBarriers(_ message: Millrace__V1__DriverMessage) throws(WireError) {
        for index in 0..<message.n_barrier_decisions {
            let decision = message.barrier_decisions[index]!.pointee
            var tasks: [TaskID] = []
            for place in 0..<decision.n_task_ids {
                tasks.append(try TaskID(wire: decision.task_ids[place]))
            }
            let messages = (0..<decision.n_messages).map {
                String(decoding: Array(decision.messages[$0]), as: UTF8.self)
            }
            barrierDecisions.append(
                BarrierDecision(
                    tasks: tasks, epoch: Int(decision.epoch),
                    outcome: decision.is_failed != 0
                        ? .failed(reason: text(decision.reason)) : .passed(messages: messages)))
        }
    }
}

extension StageSetup {
    func writeBarrier(into message: inout Millrace__V1__StageSetup, _ arena: WireArena) {
        message.n_barrier_executors = barrierExecutors.count
        message.barrier_executors = arena.numbers(
            barrierExecutors.map(\.rawValue), as: UInt32.self)
    }

    static func readBarrier(_ message: Millrace__V1__StageSetup) -> [ExecutorID] {
        (0..<message.n_barrier_executors).map { ExecutorID(Int(message.barrier_executors[$0])) }
    }
}
