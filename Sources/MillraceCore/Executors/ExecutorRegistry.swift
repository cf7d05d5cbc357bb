import MillraceBase

/// One executor process, dead or alive.
struct ExecutorState: Sendable {
    // First what every task looks at, so that it lies in two lines of the cache.

    /// Tasks launched there that haven't ended: at most `cores` run, the others wait in its queue.
    var held = 0
    /// Tasks of granted batches that may run there now.
    var granted = 0
    var cores = 0
    /// What the held tasks are expected to take together, in nanoseconds of one core.
    var heldWork: Int64 = 0
    var lastSeen = Instant.zero
    /// When a task last ended there on its own, or the first one came.
    var lastProgress = Instant.zero
    /// Held tasks in launch order, as slots of `TaskScheduler.attempts`; -1 when there is none.
    var firstHeld: Int32 = -1
    var lastHeld: Int32 = -1
    /// Launches of the current step, as positions in `TaskScheduler.staged`; -1 when there is none.
    var firstStaged: Int32 = -1
    var lastStaged: Int32 = -1
    var isAlive = false
    /// Whether it may be given tasks: alive, not decommissioned, and neither it nor its host
    /// excluded.
    private(set) var takesTasks = false
    /// Whether it stands in `TaskScheduler.freeRing` or `prefetchRing`.
    var isInFreeRing = false
    var isInPrefetchRing = false

    var host = ""
    /// In `ExecutorRegistry.hosts`.
    var hostID = -1
    /// Whether the application does without it for a while; see `HealthTracker`.
    var isExcluded = false
    /// When it was told that it will go; it stays alive until then.
    var decommissionedAt: Instant?
    /// Why, for the log.
    var decommissionReason = ""
    /// What the granted tasks are expected to take, and those that are parked there until their
    /// inputs come.
    var grantedWork: Int64 = 0
    var parked = 0
    var sendsHeartbeats = true
    /// Whether a shuffle service on its host serves its map outputs when it is gone.
    var hasShuffleService = false

    /// Whether it has no task, of whatever kind.
    var isIdle: Bool { held + granted + parked == 0 }
    /// Granted tasks there that wait for a core.
    var grantedWaiting: Int { max(granted - cores, 0) }
    /// Whether some of its tasks wait for a core.
    var isQueueing: Bool { held > cores }
    var hasFreeCore: Bool { takesTasks && held + granted < cores }
    var isDecommissioned: Bool { decommissionedAt != nil }

    /// After a change of what it depends on.
    mutating func settle(isHostExcluded: Bool) {
        takesTasks = isAlive && !isDecommissioned && !isExcluded && !isHostExcluded
    }
}

/// Who is there. A table by id, because ids are dense and never reused.
struct ExecutorRegistry: Sendable {
    /// Most executors an application may see in its life; an id beyond is a bug of whoever numbers
    /// them.
    static let idLimit = 1 << 20

    var states: [ExecutorState] = []
    var hosts = HostTable()
    var aliveCount = 0
    /// Of these, excluded or on an excluded host.
    var excludedCount = 0
    /// Those that may be given tasks, and their cores.
    private(set) var takingCount = 0
    private(set) var takingCores = 0
    /// How often one began or ceased to be given tasks.
    private(set) var takingChanges = 0
    /// Cores of the largest executor so far.
    private(set) var mostCores = 0

    func isAlive(_ executor: ExecutorID) -> Bool {
        states.indices.contains(executor.rawValue) && states[executor.rawValue].isAlive
    }

    func takesTasks(_ executor: ExecutorID) -> Bool {
        states.indices.contains(executor.rawValue) && states[executor.rawValue].takesTasks
    }

    /// Of any executor that ever registered.
    func host(of executor: ExecutorID) -> Int? {
        guard states.indices.contains(executor.rawValue) else { return nil }
        let host = states[executor.rawValue].hostID
        return host >= 0 ? host : nil
    }

    /// `false` when the id is in use, was used, or is out of range.
    mutating func register(
        _ executor: ExecutorID, host: String, cores: Int, now: Instant
    ) -> Bool {
        let id = executor.rawValue
        guard id >= 0, id < ExecutorRegistry.idLimit, cores > 0 else { return false }
        while states.count <= id { states.append(ExecutorState()) }
        guard states[id].cores == 0 else { return false }
        states[id].host = host
        states[id].hostID = hosts.id(of: host)
        hosts.add(id, to: states[id].hostID)
        states[id].cores = cores
        mostCores = max(mostCores, cores)
        states[id].isAlive = true
        states[id].lastSeen = now
        aliveCount += 1
        if isExcluded(id) { excludedCount += 1 }
        settle(id)
        return true
    }

    /// `false` when it wasn't alive.
    mutating func remove(_ executor: ExecutorID) -> Bool {
        guard isAlive(executor) else { return false }
        states[executor.rawValue].isAlive = false
        aliveCount -= 1
        if isExcluded(executor.rawValue) { excludedCount -= 1 }
        settle(executor.rawValue)
        return true
    }

    /// `false` when it isn't alive, or was told before.
    mutating func decommission(_ executor: ExecutorID, reason: String, now: Instant) -> Bool {
        guard isAlive(executor), !states[executor.rawValue].isDecommissioned else { return false }
        states[executor.rawValue].decommissionedAt = now
        states[executor.rawValue].decommissionReason = reason
        settle(executor.rawValue)
        return true
    }

    mutating func settle(_ id: Int) {
        let was = states[id].takesTasks
        states[id].settle(isHostExcluded: hosts.isExcluded(states[id].hostID))
        guard was != states[id].takesTasks else { return }
        takingChanges += 1
        takingCount += was ? -1 : 1
        takingCores += was ? -states[id].cores : states[id].cores
        hosts.countTakers(states[id].hostID, by: was ? -1 : 1)
    }
}
