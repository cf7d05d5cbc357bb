import MillraceBase

/// Finds executors that have been silent for too long. Same rule as Spark's HeartbeatReceiver:
/// looks every `heartbeatCheckInterval`, gives up after `heartbeatTimeout`. Any report counts as a
/// sign of life.
struct HeartbeatMonitor: Sendable {
    let timeout: Duration
    let interval: Duration
    /// When to look next; `nil` while there is nobody to look for.
    private(set) var nextCheck: Instant?

    init(settings: CoreSettings) {
        timeout = settings.heartbeatTimeout
        interval = settings.heartbeatCheckInterval
    }

    mutating func executorRegistered(now: Instant) {
        if nextCheck == nil { nextCheck = now + interval }
    }

    /// The executors to give up, when it's time to look; also sets the next time.
    mutating func expired(_ registry: ExecutorRegistry, now: Instant) -> [ExecutorID] {
        guard let due = nextCheck, now >= due else { return [] }
        nextCheck = registry.aliveCount == 0 ? nil : now + interval
        var expired: [ExecutorID] = []
        for (id, state) in registry.states.enumerated()
        where state.isAlive && state.sendsHeartbeats && now - state.lastSeen > timeout {
            expired.append(ExecutorID(id))
        }
        return expired
    }
}
