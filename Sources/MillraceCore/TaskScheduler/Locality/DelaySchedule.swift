import MillraceBase

/// How near to its data a task runs. Spark's TaskLocality without RACK_LOCAL: nothing here knows
/// racks, as in Spark's standalone and Kubernetes clusters. (NO_PREF is no step: tasks without a
/// preference never wait.)
enum LocalityLevel: Int, Comparable, Sendable {
    /// On the executor that has it.
    case process
    /// On a host that has it.
    case node
    case any

    static func < (left: LocalityLevel, right: LocalityLevel) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// How far from their data the tasks of one set may run by now: *delay scheduling*. Same rules as
/// Spark's TaskSetManager.
///
/// A level is left when no task of it waits, or when it has lasted as long as its wait. The wait
/// begins anew, at the level of its nearest launch, after an offer in which the set launched
/// something and refused no free core for the sake of locality. So a set that keeps its executors
/// busy stays near its data, and one that leaves cores idle moves on.
struct DelaySchedule: Sendable {
    private(set) var level = LocalityLevel.process
    /// When the level was reached, or a launch there was last what it should be.
    private var since: Instant
    private let processWait: Duration
    private let nodeWait: Duration

    init(processWait: Duration, nodeWait: Duration, now: Instant) {
        self.processWait = processWait
        self.nodeWait = nodeWait
        since = now
    }

    private var wait: Duration { level == .process ? processWait : nodeWait }

    /// When the level will be left if nothing is launched; never at the last one.
    var deadline: Instant { level == .any ? .distantFuture : since + wait }

    /// Moves on as far as time and the waiting tasks say.
    mutating func advance(now: Instant, processWaits: Bool, nodeWaits: Bool) {
        while let next = LocalityLevel(rawValue: level.rawValue + 1) {
            let isWanted = level == .process ? processWaits : nodeWaits
            if isWanted, now - since < wait { return }
            since = isWanted ? since + wait : now
            level = next
        }
    }

    /// The set used all it was offered, and `nearest` was its most local launch.
    mutating func reset(to nearest: LocalityLevel, now: Instant) {
        level = nearest
        since = now
    }
}
