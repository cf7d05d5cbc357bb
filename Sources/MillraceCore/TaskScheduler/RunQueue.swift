import MillraceBase

/// The task sets that have something to launch, in the order in which they're served: FIFO, by job,
/// then by stage.
///
/// Sets without pending tasks aren't in it, so a step never looks at a set for nothing. Other
/// policies (pools with weight and minimum share) take its place without touching the offers.
struct RunQueue: Sendable {
    struct Entry: Sendable {
        var job: JobID
        var stage: StageID
        var attempt: Int
        /// Slot in `TaskScheduler.sets`.
        var slot: Int

        fileprivate var rank: (Int, Int, Int) { (job.rawValue, stage.rawValue, attempt) }
    }

    private(set) var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    mutating func insert(_ entry: Entry) {
        // Jobs come in order, so the place is nearly always the end.
        var place = entries.count
        while place > 0, entry.rank < entries[place - 1].rank { place -= 1 }
        entries.insert(entry, at: place)
    }

    mutating func remove(at position: Int) { entries.remove(at: position) }

    mutating func remove(slot: Int) {
        if let position = entries.firstIndex(where: { $0.slot == slot }) {
            entries.remove(at: position)
        }
    }
}
