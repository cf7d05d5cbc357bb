/// Says which reduce partition a key belongs to. The same in every process and on each call, so it never uses
/// `hashValue`; equal partitioners (`==`) place every key alike, and data already placed by an equal one isn't shuffled.
public protocol Partitioner<Key>: Codable, Hashable, Sendable {
    associatedtype Key
    var numPartitions: Int { get }
    /// From 0 to `numPartitions` - 1.
    func partition(for key: Key) -> Int
}

/// A partitioner without its type, for comparison and reuse.
public struct AnyPartitioner: Equatable, Sendable {
    public let base: any Partitioner
    public var numPartitions: Int { base.numPartitions }

    public init(_ base: any Partitioner) { self.base = base }

    public static func == (left: AnyPartitioner, right: AnyPartitioner) -> Bool {
        func equal<P: Partitioner>(_ one: P) -> Bool { (right.base as? P) == one }
        return equal(left.base)
    }
}
