import MillraceBase

/// The plans of the jobs and grants at work, and of those that were over last, in case they come
/// again.
///
/// Each job brings its plans and holds them until its end, each grant until its own. What nobody
/// holds stays as long as all of that together is within a limit; the longest unused goes first,
/// and the executors that have it are told (`ExecutorSession.forget`). So a driver and its
/// executors keep no more of ten thousand jobs than of ten.
struct PlanStore {
    private struct Entry {
        var plan: PlanBytes
        var bytes: [UInt8] { plan.bytes }
        var holders = 0
        /// Since when nobody holds it, as a number of `releases`.
        var idleSince = 0
    }

    /// Bytes of plans that nobody holds, at most. `millrace.scheduler.idlePlans.maxSize`
    private let limit: Int
    private var entries: [PlanHash: Entry] = [:]
    /// Oldest first. An entry that was held again meanwhile is passed over.
    private var idle: [(plan: PlanHash, since: Int)] = []
    private var idleBytes = 0
    private var releases = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }
    subscript(plan: PlanHash) -> PlanBytes? { entries[plan]?.plan }

    mutating func hold(_ plan: PlanBytes) {
        if entries[plan.hash] == nil {
            entries[plan.hash] = Entry(plan: plan)
        } else if entries[plan.hash]!.holders == 0 {
            idleBytes -= plan.bytes.count
        }
        entries[plan.hash]!.holders += 1
    }

    /// One that is here.
    mutating func hold(_ plan: PlanHash) {
        guard let known = entries[plan]?.plan else {
            preconditionFailure("plan \(plan) is held, which no job brought")
        }
        hold(known)
    }

    mutating func release(_ plan: PlanHash) {
        precondition((entries[plan]?.holders ?? 0) > 0, "plan \(plan) is released too often")
        entries[plan]!.holders -= 1
        guard entries[plan]!.holders == 0 else { return }
        releases += 1
        entries[plan]!.idleSince = releases
        idleBytes += entries[plan]!.bytes.count
        idle.append((plan, releases))
        if idle.count > 2 * entries.count + 64 { idle = idle.filter(isIdle) }
    }

    /// Forgets what is beyond the limit and returns it. `isUsed`: a stage outlives the job that
    /// brought its plan when another one shares it.
    mutating func trim(isUsed: (PlanHash) -> Bool) -> [PlanHash] {
        guard idleBytes > limit else { return [] }
        var removed: [PlanHash] = []
        var kept: [(plan: PlanHash, since: Int)] = []
        var place = 0
        while idleBytes > limit, place < idle.count {
            let entry = idle[place]
            place += 1
            guard isIdle(entry) else { continue }
            if isUsed(entry.plan) {
                kept.append(entry)
            } else {
                idleBytes -= entries.removeValue(forKey: entry.plan)!.bytes.count
                removed.append(entry.plan)
            }
        }
        idle.replaceSubrange(..<place, with: kept)
        return removed
    }

    private func isIdle(_ entry: (plan: PlanHash, since: Int)) -> Bool {
        guard let found = entries[entry.plan] else { return false }
        return found.holders == 0 && found.idleSince == entry.since
    }
}
