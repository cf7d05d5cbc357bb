import MillraceBase

/// Which tasks of one task set prefer which executor. Two flat arrays, so that an offer finds its
/// tasks in O(log executors), whatever the number of tasks.
struct LocalityIndex: Sendable {
    struct Group: Sendable {
        var executor: Int
        /// Next task to try, and end, in `indexes`.
        var cursor: Int
        var end: Int
    }

    /// By executor, ascending.
    private(set) var groups: [Group] = []
    /// Task indexes, ascending within a group.
    private(set) var indexes: [Int32] = []

    /// From (executor, task index) pairs in any order, each once.
    init(_ pairs: [(executor: Int, index: Int)]) {
        let sorted = pairs.sorted { ($0.executor, $0.index) < ($1.executor, $1.index) }
        indexes.reserveCapacity(sorted.count)
        for (executor, index) in sorted {
            if groups.last?.executor != executor {
                groups.append(Group(executor: executor, cursor: indexes.count, end: indexes.count))
            }
            indexes.append(Int32(index))
            groups[groups.count - 1].end = indexes.count
        }
    }

    /// Position of an executor's group.
    func group(of executor: Int) -> Int? {
        var low = 0
        var high = groups.count
        while low < high {
            let middle = (low + high) / 2
            if groups[middle].executor < executor { low = middle + 1 } else { high = middle }
        }
        return low < groups.count && groups[low].executor == executor ? low : nil
    }

    /// Takes the next task of a group that the caller hasn't placed elsewhere.
    mutating func pop(group: Int, where isWaiting: (Int) -> Bool) -> Int? {
        while groups[group].cursor < groups[group].end {
            let index = Int(indexes[groups[group].cursor])
            groups[group].cursor += 1
            if isWaiting(index) { return index }
        }
        return nil
    }

    /// Whether a task prefers some executor that takes tasks.
    func hasHome(_ index: Int, takesTasks: (Int) -> Bool) -> Bool {
        for group in groups where takesTasks(group.executor) {
            var low = group.cursor
            var high = group.end
            while low < high {
                let middle = (low + high) / 2
                if indexes[middle] < Int32(index) { low = middle + 1 } else { high = middle }
            }
            if low < group.end, indexes[low] == Int32(index) { return true }
        }
        return false
    }
}
