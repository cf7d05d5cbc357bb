import MillraceBase
import MillraceExecutor

/// Places keys in ranges: every key of a partition comes before every key of the next one. The
/// bounds come from a sample (`RDD.rangePartitioner`).
public struct RangePartitioner<Key: Comparable & Codable & Sendable>: Partitioner {
    /// The last key of each partition but the last, in ascending order.
    public let bounds: [Key]
    public let ascending: Bool
    public var numPartitions: Int { bounds.count + 1 }

    public init(bounds: [Key], ascending: Bool = true) {
        self.bounds = bounds
        self.ascending = ascending
    }

    @inlinable public func partition(for key: Key) -> Int {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < key { low = middle + 1 } else { high = middle }
        }
        return ascending ? low : bounds.count - low
    }

    /// Bounds that cut weighted keys into up to `partitions` ranges of nearly equal weight; equal
    /// keys are never cut. Spark's `determineBounds`.
    static func bounds(of sample: [(key: Key, weight: Double)], partitions: Int) -> [Key] {
        let sorted = sample.sorted { $0.key < $1.key }
        let step = sorted.reduce(0) { $0 + $1.weight } / Double(partitions)
        var bounds: [Key] = []
        var total = 0.0
        var target = step
        for entry in sorted where bounds.count < partitions - 1 {
            total += entry.weight
            if total >= target, bounds.last.map({ $0 < entry.key }) ?? true {
                bounds.append(entry.key)
                target += step
            }
        }
        return bounds
    }
}

/// A uniform sample of a partition's keys of at most `capacity`: reservoir sampling.
@usableFromInline struct Reservoir<Key> {
    @usableFromInline let capacity: Int
    @usableFromInline var keys: [Key] = []
    @usableFromInline var seen = 0
    @usableFromInline var random: SplitMix64

    @inlinable init(capacity: Int, seed: UInt64, stream: UInt64) {
        self.capacity = capacity
        random = SplitMix64(seed: seed, stream: stream)
    }

    @inlinable mutating func add(_ key: Key) {
        seen += 1
        if keys.count < capacity {
            keys.append(key)
        } else {
            let place = Int(random.nextUnit() * Double(seen))
            if place < capacity { keys[place] = key }
        }
    }
}
