import MillraceBase
import MillraceCore
import MillraceExecutor
import Synchronization

extension MillraceContext {
    /// Runs `sink` over `partitions` of `node` (nil: all) and returns the result bytes in that
    /// order. `cacheKey` names a sink that is the same each time, so that its plan is encoded once
    /// for the node.
    @usableFromInline func runJob(
        _ name: String, _ node: RDDNode, _ sink: any PlanSink, cacheKey: String? = nil,
        partitions: [Int]? = nil, writesCheckpoints: Bool = true
    ) async throws -> [ArraySlice<UInt8>] {
        let results = JobResults(count: partitions?.count ?? node.partitions)
        if results.isEmpty { return [] }
        let request = try JobPlanner(context: self).request(
            node, sink: sink, cacheKey: cacheKey, partitions: partitions,
            properties: currentLabels.properties(name))
        try await runner.run(request) { index, bytes in results.store(bytes, at: index) }
        if writesCheckpoints { try await writeCheckpoints(below: node) }
        return results.all
    }
}

/// Where a job's results arrive, from any thread.
final class JobResults: Sendable {
    private let slots: Mutex<[ArraySlice<UInt8>]>
    let isEmpty: Bool

    init(count: Int) {
        slots = Mutex(Array(repeating: [], count: count))
        isEmpty = count == 0
    }
    func store(_ bytes: ArraySlice<UInt8>, at index: Int) { slots.withLock { $0[index] = bytes } }
    var all: [ArraySlice<UInt8>] { slots.withLock { $0 } }
}
