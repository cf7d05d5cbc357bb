import Synchronization

/// The state that this process keeps in memory between batches, by operator folder and partition.
///
/// A task takes its partition out and puts it back when it has ended; a second attempt that comes
/// meanwhile finds nothing and works on its own copy, read from the files. What belongs to an older
/// run of the query is dropped when the new one first asks.
final class StateRegistry: Sendable {
    static let shared = StateRegistry()

    private struct Operator {
        var runID: String
        var partitions: [Int: Slot] = [:]
    }
    /// A partition and the version up to which it was brought here.
    private struct Slot {
        var partition: AnyObject
        var version: Int
    }
    private struct State: @unchecked Sendable {
        // Partitions are used by the task that took them out and by nobody while they are here.
        var operators: [String: Operator] = [:]
    }
    private let state = Mutex(State())

    /// Versions after which a partition that nobody asks for here is dropped: it has moved to
    /// another executor.
    private static let keptVersions = 16

    /// Nil when it isn't here.
    func take(_ input: StateInput, partition: Int) -> AnyObject? {
        let key = input.root + "/" + input.operatorID
        let taken = state.withLock { state -> Taken in
            guard var found = state.operators[key] else { return Taken(value: nil) }
            guard found.runID == input.runID else {
                state.operators[key] = nil
                return Taken(value: nil)
            }
            state.operators[key] = nil  // so that the array is changed in place
            let slot = found.partitions.removeValue(forKey: partition)
            let stale = found.partitions.filter {
                $0.value.version + Self.keptVersions < input.version
            }
            for index in stale.keys { found.partitions[index] = nil }
            state.operators[key] = found
            return Taken(value: slot?.partition)
        }
        return taken.value
    }

    func put(_ object: AnyObject, _ input: StateInput, partition: Int) {
        let key = input.root + "/" + input.operatorID
        let slot = Taken(value: object)
        state.withLock { state in
            var found = state.operators[key] ?? Operator(runID: input.runID)
            guard found.runID == input.runID, let object = slot.value else { return }
            if let other = found.partitions[partition], other.version > input.version + 1 { return }
            found.partitions[partition] = Slot(partition: object, version: input.version + 1)
            state.operators[key] = found
        }
    }

    /// Carries a partition over the lock's edge.
    private struct Taken: @unchecked Sendable {
        var value: AnyObject?
    }
}
