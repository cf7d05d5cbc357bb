import MillraceBase
import MillraceCore
import MillraceWire

extension ExecutorRuntime {
    /// Nil for a task of an ordinary stage.
    func barrier(of context: TaskContext, _ setup: StageSetup) -> TaskBarrier? {
        guard !setup.barrierExecutors.isEmpty else { return nil }
        let addresses = barriers.addresses(of: setup.barrierExecutors)
        return TaskBarrier(context.taskID, addresses: addresses) {
            [self, unowned context] request in try waitForOthers(request, context)
        }
    }

    private func waitForOthers(
        _ request: BarrierRequest, _ context: TaskContext
    ) throws -> [String] {
        let name = "\(request.kind) of partition \(context.partition) of \(context.stage)"
        let limit = barriers.limits.messageBytes
        guard request.message.utf8.count <= limit else {
            throw MillraceError(
                .invalidArgument,
                "\(name) brings \(request.message.utf8.count) bytes; at most \(limit) are "
                    + "possible (half of millrace.rpc.message.maxSize)")
        }
        let task = request.task
        let outcome = try context.waiting(wakenBy: { [barriers] in barriers.withdraw(task) }) {
            barriers.wait(request, atMost: barriers.limits.wait) {
                // The driver need not be asked, and may not be there to answer.
                if context.isInterrupted { return barriers.withdraw(task) }
                report(.barrierReached(request))
            }
        }
        switch outcome {
        case .passed(let messages): return messages
        case .failed(let reason):
            throw MillraceError(.unavailable, "\(name) cannot be passed: \(reason)")
        case nil:
            throw MillraceError(
                .deadlineExceeded,
                "\(name): the driver said nothing within \(barriers.limits.wait)")
        }
    }
}
