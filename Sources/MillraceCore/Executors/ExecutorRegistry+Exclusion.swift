import MillraceBase

/// Executors and hosts that the application does without for a while.
extension ExecutorRegistry {
    /// It or its host.
    func isExcluded(_ executor: Int) -> Bool {
        states[executor].isExcluded || hosts.isExcluded(states[executor].hostID)
    }

    mutating func exclude(_ executor: Int) { change(executor) { $0.isExcluded = true } }

    mutating func include(_ executor: Int) { change(executor) { $0.isExcluded = false } }

    mutating func exclude(host: Int) { change(host: host, isExcluded: true) }

    mutating func include(host: Int) { change(host: host, isExcluded: false) }

    private mutating func change(_ executor: Int, _ body: (inout ExecutorState) -> Void) {
        let was = isExcluded(executor)
        body(&states[executor])
        countExcluded(executor, was: was)
    }

    private mutating func change(host: Int, isExcluded: Bool) {
        let members = hosts.executors(on: host)
        let were = members.map(self.isExcluded)
        hosts.setExcluded(host, isExcluded)
        for (executor, was) in zip(members, were) { countExcluded(executor, was: was) }
    }

    private mutating func countExcluded(_ executor: Int, was: Bool) {
        if states[executor].isAlive, was != isExcluded(executor) { excludedCount += was ? -1 : 1 }
        settle(executor)
    }
}
