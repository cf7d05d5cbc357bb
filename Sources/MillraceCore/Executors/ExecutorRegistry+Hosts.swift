import MillraceBase

/// What is asked of executors whether they live or not: a table entry outlives its executor.
extension ExecutorRegistry {
    private func state(_ executor: ExecutorID) -> ExecutorState? {
        states.indices.contains(executor.rawValue) ? states[executor.rawValue] : nil
    }

    func isDecommissioned(_ executor: ExecutorID) -> Bool {
        state(executor)?.isDecommissioned ?? false
    }

    /// Whether its map outputs outlive it.
    func keepsOutputs(_ executor: ExecutorID) -> Bool {
        state(executor)?.hasShuffleService ?? false
    }

    /// Looks at all: for what happens rarely.
    func onHost(_ host: String) -> [ExecutorID] {
        states.indices.filter { states[$0].host == host && states[$0].cores > 0 }
            .map { ExecutorID($0) }
    }

    func onHost(of executor: ExecutorID) -> [ExecutorID] {
        state(executor).map { onHost($0.host) } ?? []
    }
}
