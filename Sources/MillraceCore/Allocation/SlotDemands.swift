import MillraceBase

/// The slots that streaming queries want, by query. They run side by side, so they add up.
struct SlotDemands: Sendable {
    private var entries: [(query: String, slots: Int)] = []

    var isEmpty: Bool { entries.isEmpty }
    var slots: Int { entries.reduce(0) { $0 + $1.slots } }

    /// `nil`: the query says nothing, or has ended.
    subscript(query: String) -> Int? {
        get { entries.first { $0.query == query }?.slots }
        set {
            let place = entries.firstIndex { $0.query == query }
            switch (place, newValue) {
            case (let place?, let slots?): entries[place].slots = max(slots, 0)
            case (let place?, nil): entries.remove(at: place)
            case (nil, let slots?): entries.append((query, max(slots, 0)))
            case (nil, nil): break
            }
        }
    }

    func executors(_ slotsPerExecutor: Int) -> Int {
        (slots + slotsPerExecutor - 1) / slotsPerExecutor
    }
}
