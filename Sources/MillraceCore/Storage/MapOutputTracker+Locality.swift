import MillraceBase

/// Where reduce tasks are best run: on hosts that have much of their input, and first of all on the
/// one that has merged it. Spark:
/// `MapOutputTrackerMaster.getPreferredLocationsForShuffle`.
extension MapOutputTracker {
    /// A host is preferred that has at least this part of a reduce task's input
    /// (REDUCER_PREF_LOCS_FRACTION).
    static let preferredFraction = 0.2
    /// Shuffles of as many map tasks or reducers aren't looked at: that would cost more than it
    /// brings (SHUFFLE_PREF_MAP_THRESHOLD, SHUFFLE_PREF_REDUCE_THRESHOLD).
    static let preferenceLimit = 1_000

    /// Hosts by reducer; empty when there's nothing to prefer.
    func preferredHosts(of shuffle: ShuffleID, _ executors: ExecutorRegistry) -> [[String]] {
        guard let slot = shuffles.slot(of: shuffle), executors.hosts.takingCount > 1,
            shuffles[slot: slot].mapCount < MapOutputTracker.preferenceLimit,
            shuffles[slot: slot].reducerCount < MapOutputTracker.preferenceLimit
        else { return [] }
        let reducers = shuffles[slot: slot].reducerCount
        var hosts: [(id: Int, name: String)] = []
        // By host, then by reducer.
        var bytes: [Int] = []
        for case let status? in shuffles[slot: slot].statuses {
            guard let id = executors.host(of: status.executor) else { continue }
            var place = hosts.firstIndex { $0.id == id } ?? hosts.count
            if place == hosts.count {
                hosts.append((id, executors.states[status.executor.rawValue].host))
                bytes += [Int](repeating: 0, count: reducers)
            }
            place *= reducers
            for reducer in 0..<reducers { bytes[place + reducer] += status.sizes[reducer] }
        }
        let merged = mergingHosts(of: slot, executors)
        return (0..<reducers).map { reducer in
            let sizes = hosts.indices.map { bytes[$0 * reducers + reducer] }
            let total = sizes.reduce(0, +)
            guard total > 0 else { return [] }
            if let merged, let host = merged(reducer, total) { return [host] }
            return hosts.indices.filter {
                Double(sizes[$0]) >= MapOutputTracker.preferredFraction * Double(total)
            }.map { hosts[$0].name }
        }
    }

    /// Which host has merged enough of a reducer's input of so many bytes; nil when nothing is
    /// merged.
    private func mergingHosts(
        of slot: Int, _ executors: ExecutorRegistry
    ) -> ((_ reducer: Int, _ total: Int) -> String?)? {
        guard let merged = shuffles[slot: slot].merge?.outputs else { return nil }
        return { reducer, total in
            let bytes = merged.sizes[reducer]
            guard Double(bytes) >= MapOutputTracker.preferredFraction * Double(total) else {
                return nil
            }
            let merger = merged.plan.merger(of: reducer, reducers: merged.sizes.count)
            return executors.states[merger.rawValue].host
        }
    }
}
