import MillraceExecutor

/// Says which reduce partition a key belongs to. The same in every process and on each call, so it
/// never uses `hashValue`; equal partitioners (`==`) place every key alike, and data already placed
/// by an equal one isn't shuffled.
public protocol Partitioner<Key>: Codable, Equatable, Sendable {
    associatedtype Key
    var numPartitions: Int { get }
    /// From 0 to `numPartitions` - 1; anything else fails the task.
    func partition(for key: Key) throws -> Int
    /// The same, when `KeyHasher<Key>` has hashed the key already. Has a default.
    func partition(for key: Key, hash: UInt64) throws -> Int
    /// `partition(for:)` for many keys, with whatever is worth preparing once. Has a default.
    func placement() throws -> (Key) throws -> Int
}

extension Partitioner {
    @inlinable public func partition(for key: Key, hash: UInt64) throws -> Int {
        try partition(for: key)
    }
    @inlinable public func placement() throws -> (Key) throws -> Int {
        { key in try partition(for: key) }
    }
}

/// Places keys by their stable hash. What all keyed operations use when nothing else is said.
public struct HashPartitioner<Key: Hashable>: Partitioner {
    public let numPartitions: Int

    public init(_ numPartitions: Int) {
        precondition(numPartitions > 0, "a partitioner needs at least one partition")
        self.numPartitions = numPartitions
    }
    @inlinable public func partition(for key: Key) throws -> Int {
        KeyHash.partition(try KeyHasher<Key>().hash(key), of: numPartitions)
    }
    @inlinable public func partition(for key: Key, hash: UInt64) -> Int {
        KeyHash.partition(hash, of: numPartitions)
    }
    @inlinable public func placement() throws -> (Key) throws -> Int {
        let hasher = try KeyHasher<Key>()
        let count = numPartitions
        return { key in KeyHash.partition(try hasher.hash(key), of: count) }
    }
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
