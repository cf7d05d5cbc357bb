import MillraceBase

/// What goes wrong on one day, and how often: drawn from the seed, each kind of misfortune in half
/// of the days, so that rare ones are also seen alone.
struct Weather {
    /// Between two misfortunes.
    var faultInterval: Duration
    /// Which of `Fault` may come, by weight.
    var weights: [Int]
    /// Of a thousand task attempts, so many throw.
    var exceptions = 0
    /// Of a thousand blocks, so many cannot be read although they are there.
    var flakyFetches = 0
    /// Of a thousand reports, so many are sent twice.
    var duplicates = 0
    /// Of a thousand announcements of map outputs, so many never arrive.
    var lostAnnouncements = 0
    /// Of a thousand running tasks that are killed, so many end well nevertheless.
    var deafTasks: Int
    /// Of a thousand tasks, so many take a hundred times as long.
    var stragglers = 0
    /// Of a thousand tasks, so many read their inputs when they start and not when they end.
    var earlyReaders: Int
    /// Of a thousand requests for executors, so many are refused.
    var refusedRequests: Int
    var networkDelay: Duration
    /// Of one write that must be durable.
    var diskDelay: Duration
    var calmAfter: Duration

    enum Fault: Int, CaseIterable {
        case crashExecutor, breakConnection, partition, slowHost, loseBlocks, cancelJob
        case cancelJobs, releaseShuffle, decommission
        case crashDriver, dieWithinACall, losePower, fullDisk, badDisk
        case loseHost, freezeExecutor, loseService
    }

    init(_ random: inout SplitMix64) {
        faultInterval = .milliseconds(random.pick([5, 20, 100, 400]))
        weights = Fault.allCases.map { _ in 0 }
        for fault in Fault.allCases where random.chance(500) {
            weights[fault.rawValue] = 1 + random.below(10)
        }
        if random.chance(500) { exceptions = random.pick([5, 30, 150]) }
        if random.chance(500) { flakyFetches = random.pick([5, 20, 50]) }
        if random.chance(500) { duplicates = random.pick([10, 100]) }
        if random.chance(500) { lostAnnouncements = random.pick([5, 50, 500]) }
        if random.chance(700) { stragglers = random.pick([20, 200, 500]) }
        refusedRequests = random.pick([0, 0, 300])
        earlyReaders = random.pick([0, 500, 1_000])
        deafTasks = random.pick([0, 300, 1_000])
        networkDelay = .microseconds(random.pick([30, 200, 2_000, 20_000]))
        diskDelay = .microseconds(random.pick([50, 1_000, 20_000]))
        calmAfter = .milliseconds(random.within(100...2_000))
    }

    /// Makes a misfortune likelier.
    mutating func add(_ fault: Fault, _ weight: Int) { weights[fault.rawValue] += weight }

    func fault(_ random: inout SplitMix64) -> Fault? {
        let total = weights.reduce(0, +)
        guard total > 0 else { return nil }
        var place = random.below(total)
        for fault in Fault.allCases {
            place -= weights[fault.rawValue]
            if place < 0 { return fault }
        }
        return nil
    }
}
