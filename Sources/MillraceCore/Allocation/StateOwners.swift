import MillraceBase

/// An executor that may be given tasks, and how many at once.
public struct ExecutorSlots: Hashable, Sendable {
    public var executor: ExecutorID
    public var cores: Int
    public init(executor: ExecutorID, cores: Int) {
        self.executor = executor
        self.cores = cores
    }
}

/// Who keeps which partitions of a streaming query's state in memory.
///
/// A batch prefers the executors that have its state. If that were all, an executor that joins
/// would never get any: so before each batch those that have more than their share, by cores, give
/// partitions up, and partitions whose owner is gone or leaving get a new one. What needn't move
/// doesn't. A partition that moves is read from the checkpoint by its new owner.
public enum StateOwners {
    /// The owners of the next batch, by partition; one executor each. `owners` are those of the
    /// last batch: an empty list where a partition had none. Unchanged if nobody can be given
    /// tasks.
    public static func balanced(
        _ owners: [[ExecutorID]], over executors: [ExecutorSlots]
    ) -> [[ExecutorID]] {
        guard !owners.isEmpty, !executors.isEmpty else { return owners }
        let places = owners.map { list in
            list.first.flatMap { owner in executors.firstIndex { $0.executor == owner } }
        }
        var room = shares(of: owners.count, among: executors, now: places)
        var result = [Int?](repeating: nil, count: owners.count)
        for (partition, place) in places.enumerated() {
            guard let place, room[place] > 0 else { continue }
            room[place] -= 1
            result[partition] = place
        }
        // Those without a place, in turn to whoever has most room.
        for partition in result.indices where result[partition] == nil {
            let place = room.indices.max { (room[$0], $1) < (room[$1], $0) }!
            room[place] -= 1
            result[partition] = place
        }
        return result.map { [executors[$0!].executor] }
    }

    /// Partitions for each executor: by cores, and what is left over to those that have most now,
    /// so that it stays where it is.
    private static func shares(
        of count: Int, among executors: [ExecutorSlots], now places: [Int?]
    ) -> [Int] {
        let cores = max(executors.reduce(0) { $0 + $1.cores }, 1)
        var shares = executors.map { count * $0.cores / cores }
        var held = [Int](repeating: 0, count: executors.count)
        for case let place? in places { held[place] += 1 }
        let left = count - shares.reduce(0, +)
        let order = executors.indices.sorted {
            (held[$1] - shares[$1], $0) < (held[$0] - shares[$0], $1)
        }
        for place in order.prefix(left) { shares[place] += 1 }
        return shares
    }
}
