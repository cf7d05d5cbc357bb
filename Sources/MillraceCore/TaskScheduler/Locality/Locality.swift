import MillraceBase

/// Where the tasks of one set prefer to run, and what became of it in the current offer.
struct Locality: Sendable {
    let preferred: PreferredLocations
    var byExecutor: LocalityIndex
    var byHost: LocalityIndex
    var delay: DelaySchedule

    /// Groups of `byExecutor` at and after this haven't been looked at since the set came.
    var unseenExecutors = 0
    /// Groups of `byHost` at and after this, and its executors at and after that, haven't been
    /// looked at since the set reached `LocalityLevel.node`.
    var unseenHosts = (group: 0, member: 0)

    /// The offer of which the following speaks.
    private var offer = -1
    /// Where the walk over `TaskScheduler.touched` stands.
    var touched = 0
    /// The most local launch.
    private(set) var nearest: LocalityLevel?
    /// Whether a core stayed free that a waiting task could have had anywhere else.
    var hasRefused = false

    init(
        preferred: PreferredLocations, byExecutor: [(home: Int, index: Int)],
        byHost: [(home: Int, index: Int)], delay: DelaySchedule
    ) {
        self.preferred = preferred
        self.byExecutor = LocalityIndex(byExecutor)
        self.byHost = LocalityIndex(byHost)
        self.delay = delay
    }

    mutating func begin(offer: Int) {
        guard self.offer != offer else { return }
        self.offer = offer
        touched = 0
        nearest = nil
        hasRefused = false
    }

    /// Returns whether it is the first in this offer.
    mutating func launched(_ level: LocalityLevel) -> Bool {
        let isFirst = nearest == nil
        nearest = min(nearest ?? level, level)
        return isFirst
    }

    /// At an offer's end.
    mutating func settle(now: Instant) {
        if let nearest, !hasRefused { delay.reset(to: nearest, now: now) }
    }

    /// Spark's rule: the level's tasks are waited for as long as some wait.
    mutating func advance(now: Instant, executorBound: Int, hostBound: Int) {
        let level = delay.level
        // A task that prefers an executor prefers its host too, unless it is there for its state.
        let atNode = preferred.ownsState ? hostBound : hostBound + executorBound
        delay.advance(now: now, processWaits: executorBound > 0, nodeWaits: atNode > 0)
        if level < .node, delay.level >= .node { unseenHosts = (0, 0) }
    }
}
