import MillraceBase
import MillraceCore
import MillraceNet
import Synchronization

/// Executors on request, where the program itself knows better. Spark's developer API.
extension Driver {
    /// Asks for so many executors in all; false when the backend cannot. With dynamic allocation
    /// its next decision wins.
    public func requestTotalExecutors(_ total: Int) async -> Bool {
        await onLoop { state in state.backend.requestTotal(total) }
    }

    /// The same for that many more than there should be.
    public func requestExecutors(_ additional: Int) async -> Bool {
        await onLoop { state in
            state.backend.requestTotal(state.backend.requestedTotal + additional)
        }
    }

    /// Ends executors at once; what they run is run again elsewhere. Without dynamic allocation
    /// nobody takes their place. Returns those that were there.
    public func killExecutors(_ executors: [ExecutorID], reason: String) async -> [ExecutorID] {
        await onLoop { state in
            let there = state.dropFromTotal(executors)
            for executor in there { state.handle(.executorKilled(executor, reason: reason)) }
            return there
        }
    }

    /// Lets executors end their tasks and hand on their map outputs before they go. Without dynamic
    /// allocation somebody takes their place if `isReplaced`. Returns those that were there.
    public func decommissionExecutors(
        _ executors: [ExecutorID], reason: String, isReplaced: Bool
    ) async -> [ExecutorID] {
        await onLoop { state in
            let there = isReplaced ? state.registered(executors) : state.dropFromTotal(executors)
            for executor in there {
                state.handle(.executorDecommissioned(executor, reason: reason))
            }
            return there
        }
    }

    /// Who may be given tasks now. Any thread.
    public var executorSlots: [ExecutorSlots] { state.slots.withLock { $0 } }

    /// The slots that a streaming query needs, by its id; nil when it says nothing any more.
    public func demandSlots(_ slots: Int?, of query: String) {
        loop.post { [state] in state.handle(.slotsDemanded(query: query, slots: slots)) }
    }

    /// What dynamic allocation shows, under Spark's names; nil without it.
    public func allocationGauges() async -> AllocationGauges? {
        await onLoop { state in state.engine.core.allocationGauges }
    }

    private func onLoop<Value: Sendable>(
        _ body: @escaping @Sendable (DriverState) -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            loop.post { [state] in continuation.resume(returning: body(state)) }
        }
    }
}

extension DriverState {
    func registered(_ executors: [ExecutorID]) -> [ExecutorID] {
        executors.filter { engine.order.contains($0) }
    }

    /// Those that are registered; from now on there should be as many fewer, unless dynamic
    /// allocation says how many there should be.
    func dropFromTotal(_ executors: [ExecutorID]) -> [ExecutorID] {
        let there = registered(executors)
        if engine.core.allocationGauges == nil {
            _ = backend.requestTotal(max(backend.requestedTotal - there.count, 0))
        }
        return there
    }
}
