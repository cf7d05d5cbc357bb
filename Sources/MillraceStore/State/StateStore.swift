/// One range of key groups at one version as a map from bytes to bytes, in memory, durable by
/// version.
///
/// For operators without a typed map of their own. `commit` writes what changed since `open` and
/// leads to the next version; without it nothing is kept.
public struct StateStore {
    public let folder: StateFolder
    public let groups: Range<Int>
    public private(set) var version: Int

    /// Reads that version. Throws if a file is missing or damaged and no other chain serves.
    public static func open(
        _ folder: StateFolder, groups: Range<Int>, version: Int
    ) throws(StoreError) -> StateStore {
        preconditionFailure("to come")
    }

    public var count: Int { preconditionFailure("to come") }
    public func get(_ key: [UInt8]) -> [UInt8]? { preconditionFailure("to come") }
    public mutating func put(group: Int, _ key: [UInt8], _ value: [UInt8]) {
        preconditionFailure("to come")
    }
    public mutating func remove(_ key: [UInt8]) { preconditionFailure("to come") }
    /// In no particular order.
    public func forEach(
        _ body: (_ group: Int, _ key: [UInt8], _ value: [UInt8]) throws -> Void
    ) rethrows { preconditionFailure("to come") }
    /// Makes the next version durable (and, every `snapshotInterval` versions, a snapshot of it) and
    /// returns it.
    public mutating func commit(snapshotInterval: Int = 10) throws(StoreError) -> Int {
        preconditionFailure("to come")
    }
    /// Back to the version that was opened or committed last.
    public mutating func abort() { preconditionFailure("to come") }
}
