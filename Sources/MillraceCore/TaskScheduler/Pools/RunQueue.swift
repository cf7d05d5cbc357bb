import MillraceBase

/// The task sets that have something to launch, in the order in which they're served.
///
/// Without pools (`FIFO`, the default) by job, then by stage. With pools (`FAIR`) each pool gets
/// its share of the running tasks: the order of pools is looked at again after each launch, so
/// shares hold within one offer too. Inside a pool its own mode holds. Spark's SchedulableBuilder
/// and Pool; a pool that nobody declared is made with the defaults.
///
/// Sets without pending tasks aren't in it, so a step never looks at a set for nothing, and counts
/// of running tasks are kept as tasks come and go.
struct RunQueue: Sendable {
    private let isFair: Bool
    private let declared: [PoolSettings]
    private(set) var pools: [Pool] = []
    private var names: [String: Int] = [:]
    /// By pool, its place among the names.
    private var places: [Int] = []
    /// Pools with something to launch that weren't passed over in this offer.
    private var order = FairOrder()
    private var passedOver: [(rank: FairRank, pool: Int)] = []
    /// Pools in which a set was passed over in this offer; some twice.
    private var disturbed: [Int] = []
    private(set) var count = 0

    init(settings: CoreSettings) {
        isFair = settings.schedulingMode == .fair
        declared = settings.pools
        if !isFair { _ = make(PoolSettings(name: PoolSettings.defaultName)) }
    }

    var isEmpty: Bool { count == 0 }
    /// All that wait, pool by pool.
    var entries: [Pool.Entry] { isFair ? pools.flatMap(\.entries) : pools[0].entries }
    /// Somebody who waits.
    var first: Pool.Entry? { pools.lazy.compactMap(\.entries.first).first }

    /// The pool of that name; without pools the one that there is.
    mutating func pool(named name: String) -> Int {
        if !isFair { return 0 }
        if let known = names[name] { return known }
        let settings = declared.last { $0.name == name } ?? PoolSettings(name: name)
        return make(settings)
    }

    private mutating func make(_ settings: PoolSettings) -> Int {
        let pool = pools.count
        pools.append(Pool(settings))
        names[settings.name] = pool
        let sorted = pools.indices.sorted { pools[$0].settings.name < pools[$1].settings.name }
        places = [Int](repeating: 0, count: pools.count)
        for (place, pool) in sorted.enumerated() { places[pool] = place }
        for pool in pools.indices { order.update(pool, rank(pool)) }
        return pool
    }

    private func rank(_ pool: Int) -> FairRank { pools[pool].rank(name: places[pool]) }

    mutating func insert(_ entry: Pool.Entry, into pool: Int, running: Int) {
        if pools[pool].entries.isEmpty { order.insert(pool, rank(pool)) }
        pools[pool].insert(entry, running: running)
        count += 1
    }

    /// Nothing when it isn't there.
    mutating func remove(_ entry: Pool.Entry, from pool: Int) {
        guard pools[pool].remove(entry) else { return }
        count -= 1
        if pools[pool].entries.isEmpty { order.remove(pool) }
    }

    /// A task of the set was launched, or ended.
    mutating func changeRunning(_ entry: Pool.Entry, in pool: Int, by change: Int, to running: Int)
    {
        pools[pool].runningCount += change
        guard isFair else { return }
        order.update(pool, rank(pool))
        pools[pool].update(entry, running: running)
    }

    // MARK: One offer

    /// The set to serve next, and how many tasks it may launch before somebody else is asked.
    mutating func next() -> (slot: Int, limit: Int)? {
        while let (rank, pool) = order.first {
            if let slot = pools[pool].next {
                return (slot, order.count == 1 && !pools[pool].isFair ? Int.max : 1)
            }
            order.remove(pool)
            passedOver.append((rank, pool))
        }
        return nil
    }

    /// The set that was next takes nothing more in this offer.
    mutating func passOver() {
        guard let pool = order.first?.id else { return }
        pools[pool].passOver()
        disturbed.append(pool)
    }

    /// Who was passed over is asked again. Nobody's tasks ended since, so all stand as they stood.
    mutating func endOffer() {
        for pool in disturbed { pools[pool].endOffer() }
        disturbed.removeAll(keepingCapacity: true)
        for (rank, pool) in passedOver { order.insert(pool, rank) }
        passedOver.removeAll(keepingCapacity: true)
    }

    /// For `DriverCore.violations`, between two offers.
    var violations: [String] {
        var found: [String] = []
        for (index, pool) in pools.enumerated()
        where order.contains(index) != !pool.entries.isEmpty || !pool.isConsistent {
            found.append("pool \(pool.settings.name) is queued wrongly")
        }
        if count != pools.reduce(0, { $0 + $1.entries.count }) {
            found.append("waiting task sets are counted wrongly")
        }
        return found
    }
}
