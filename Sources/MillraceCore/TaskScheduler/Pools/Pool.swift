import MillraceBase

/// Task sets that share one part of the cluster. Holds those that have something to launch.
struct Pool: Sendable {
    struct Entry: Sendable {
        var job: JobID
        var stage: StageID
        var attempt: Int
        /// Slot in `TaskScheduler.sets`.
        var slot: Int

        fileprivate var rank: (Int, Int, Int) { (job.rawValue, stage.rawValue, attempt) }
    }

    let settings: PoolSettings
    /// Attempts of its task sets that haven't ended.
    var runningCount = 0
    /// By job, then by stage.
    private(set) var entries: [Entry] = []
    /// The same, by what they have, without those that were passed over; only in a fair pool.
    private var fair = FairOrder()
    /// Entries before this one were passed over in this offer; only in a FIFO pool.
    private var position = 0
    private var passedOver: [(rank: FairRank, slot: Int)] = []

    init(_ settings: PoolSettings) { self.settings = settings }

    var isFair: Bool { settings.schedulingMode == .fair }

    func rank(name: Int) -> FairRank {
        FairRank(
            running: runningCount, minShare: settings.minShare, weight: settings.weight, name: name)
    }

    /// `running` is what the set has, in any case.
    mutating func insert(_ entry: Entry, running: Int) {
        // Jobs come in order, so the place is nearly always the end.
        var place = entries.count
        while place > 0, entry.rank < entries[place - 1].rank { place -= 1 }
        entries.insert(entry, at: place)
        if isFair { fair.insert(entry.slot, rank(entry, running)) }
    }

    /// `false` when it isn't there.
    mutating func remove(_ entry: Entry) -> Bool {
        guard let place = place(of: entry) else { return false }
        entries.remove(at: place)
        if place < position { position -= 1 }
        if isFair { fair.remove(entry.slot) }
        return true
    }

    private func place(of entry: Entry) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].rank < entry.rank { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].slot == entry.slot ? low : nil
    }

    // MARK: One offer

    /// The set to serve next.
    var next: Int? {
        if isFair { return fair.first?.id }
        return position < entries.count ? entries[position].slot : nil
    }

    /// The set that was next takes nothing more in this offer.
    mutating func passOver() {
        guard let (rank, slot) = fair.first else {
            position += 1
            return
        }
        fair.remove(slot)
        passedOver.append((rank, slot))
    }

    /// A set has more or fewer running tasks.
    mutating func update(_ entry: Entry, running: Int) {
        if isFair { fair.update(entry.slot, rank(entry, running)) }
    }

    mutating func endOffer() {
        position = 0
        for (rank, slot) in passedOver { fair.insert(slot, rank) }
        passedOver.removeAll(keepingCapacity: true)
    }

    /// Between two offers.
    var isConsistent: Bool {
        passedOver.isEmpty && position == 0 && (!isFair || fair.count == entries.count)
    }

    /// A task set has no share and no weight; its name is its stage's number.
    private func rank(_ entry: Entry, _ running: Int) -> FairRank {
        FairRank(
            running: running, minShare: 0, weight: 1,
            name: entry.stage.rawValue << 20 | min(entry.attempt, 1 << 20 - 1))
    }
}
