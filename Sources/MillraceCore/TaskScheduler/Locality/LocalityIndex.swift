import MillraceBase

/// Which tasks of one task set prefer which executor, or which host. Two flat arrays, so that an
/// offer finds its tasks in O(log homes), whatever the number of tasks.
struct LocalityIndex: Sendable {
    struct Group: Sendable {
        /// The executor or host.
        var home: Int
        /// Next task to try, and end, in `indexes`.
        var cursor: Int
        var end: Int
    }

    /// By home, ascending.
    private(set) var groups: [Group] = []
    /// Task indexes, ascending within a group.
    private(set) var indexes: [Int32] = []

    /// From (home, task index) pairs in any order; one that comes twice counts once.
    init(_ pairs: [(home: Int, index: Int)]) {
        let sorted = pairs.sorted { ($0.home, $0.index) < ($1.home, $1.index) }
        indexes.reserveCapacity(sorted.count)
        for (home, index) in sorted {
            if groups.last?.home != home {
                groups.append(Group(home: home, cursor: indexes.count, end: indexes.count))
            } else if indexes.last == Int32(index) {
                continue
            }
            indexes.append(Int32(index))
            groups[groups.count - 1].end = indexes.count
        }
    }

    /// Position of a home's group.
    func group(of home: Int) -> Int? {
        var low = 0
        var high = groups.count
        while low < high {
            let middle = (low + high) / 2
            if groups[middle].home < home { low = middle + 1 } else { high = middle }
        }
        return low < groups.count && groups[low].home == home ? low : nil
    }

    /// The next task of a group, taken or not.
    func next(in group: Int) -> Int? {
        let group = groups[group]
        return group.cursor < group.end ? Int(indexes[group.cursor]) : nil
    }

    mutating func advance(group: Int) { groups[group].cursor += 1 }

    /// The tasks of a home that weren't tried yet.
    func rest(of home: Int) -> ArraySlice<Int32> {
        guard let group = group(of: home) else { return [] }
        return indexes[groups[group].cursor..<groups[group].end]
    }
}
