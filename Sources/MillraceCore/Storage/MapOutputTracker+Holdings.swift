import MillraceBase

/// What an executor holds that makes it worth keeping.
extension MapOutputTracker {
    struct Holdings: Hashable, Sendable {
        /// Map outputs of some shuffle that isn't released.
        var isSome = false
        /// Of one that a running job needs.
        var isNeeded = false
    }

    /// A look at the executor's outputs; for one that has been idle for long.
    func holdings(of executor: ExecutorID) -> Holdings {
        Holdings(
            isSome: !index.isEmpty(of: executor),
            isNeeded: index.contains(of: executor) { !shuffles[slot: $0].isUnused })
    }
}
