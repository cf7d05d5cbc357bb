import MillraceBase

/// Who is served first among pools, or among the task sets of a fair pool. Spark's
/// FairSchedulingAlgorithm: those below their minimum share come first, the one with the smallest
/// part of it; then the others, the one with the fewest tasks for its weight; then by name.
struct FairRank: Hashable, Comparable, Sendable {
    private var hasShare: Bool
    private var ratio: Double
    /// Place of the name among all names.
    var name: Int

    init(running: Int, minShare: Int, weight: Int, name: Int) {
        hasShare = running >= minShare
        ratio = Double(running) / Double(hasShare ? weight : max(minShare, 1))
        self.name = name
    }

    static func < (left: FairRank, right: FairRank) -> Bool {
        if left.hasShare != right.hasShare { return right.hasShare }
        if left.ratio != right.ratio { return left.ratio < right.ratio }
        return left.name < right.name
    }
}

/// Small dense numbers (pools, slots of task sets) by `FairRank`: a binary heap that knows where
/// each number stands, so that one whose running tasks changed is put right in O(log n).
struct FairOrder: Sendable {
    private var entries: [(rank: FairRank, id: Int)] = []
    /// By number; -1 for those that aren't in.
    private var places: [Int] = []

    var count: Int { entries.count }
    var first: (rank: FairRank, id: Int)? { entries.first }

    func contains(_ id: Int) -> Bool { id < places.count && places[id] >= 0 }

    mutating func insert(_ id: Int, _ rank: FairRank) {
        while places.count <= id { places.append(-1) }
        precondition(places[id] < 0, "a member is queued twice")
        places[id] = entries.count
        entries.append((rank, id))
        rise(entries.count - 1)
    }

    /// Nothing when it isn't in.
    mutating func remove(_ id: Int) {
        guard contains(id) else { return }
        let place = places[id]
        swap(place, entries.count - 1)
        entries.removeLast()
        places[id] = -1
        if place < entries.count { settle(place) }
    }

    /// Nothing when it isn't in.
    mutating func update(_ id: Int, _ rank: FairRank) {
        guard contains(id) else { return }
        entries[places[id]].rank = rank
        settle(places[id])
    }

    private mutating func settle(_ place: Int) {
        rise(place)
        sink(place)
    }

    private mutating func rise(_ place: Int) {
        var place = place
        while place > 0, entries[place].rank < entries[(place - 1) / 2].rank {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ place: Int) {
        var place = place
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count {
                if entries[child].rank < entries[least].rank { least = child }
            }
            if least == place { return }
            swap(place, least)
            place = least
        }
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        entries.swapAt(left, right)
        places[entries[left].id] = left
        places[entries[right].id] = right
    }
}
