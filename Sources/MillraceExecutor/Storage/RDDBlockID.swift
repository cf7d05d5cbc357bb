import MillraceBase

/// One partition of a persisted dataset, kept by an executor.
public struct RDDBlockID: Hashable, Sendable, CustomStringConvertible {
    public var rdd: RDDID
    public var partition: Int
    public init(rdd: RDDID, partition: Int) {
        self.rdd = rdd
        self.partition = partition
    }

    /// Spark's name of the block; also its name on the data plane and on disk.
    public var description: String { "rdd_\(rdd.rawValue)_\(partition)" }

    /// Reads `description`. Nil for anything else.
    public init?(_ name: some StringProtocol) {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "rdd", let rdd = Int(parts[1]),
            let partition = Int(parts[2]), rdd >= 0, partition >= 0
        else { return nil }
        self.init(rdd: RDDID(rdd), partition: partition)
    }
}
