/// Where the rows of a persisted dataset are kept, in what form, and how often. Spark's
/// StorageLevel.
public struct StorageLevel: Hashable, Sendable, CustomStringConvertible {
    public var usesDisk: Bool
    public var usesMemory: Bool
    /// As values; otherwise as bytes, which take less room and more time.
    public var isDeserialized: Bool
    /// Executors that keep a copy.
    public var replication: Int

    /// `replication` is from 1 to 40, as in Spark.
    public init(
        usesDisk: Bool, usesMemory: Bool, isDeserialized: Bool = false, replication: Int = 1
    ) {
        precondition((1...40).contains(replication), "\(replication) copies of a block")
        self.usesDisk = usesDisk
        self.usesMemory = usesMemory
        self.isDeserialized = isDeserialized
        self.replication = replication
    }

    /// Not persisted.
    public static let none = StorageLevel(usesDisk: false, usesMemory: false)
    public static let diskOnly = StorageLevel(usesDisk: true, usesMemory: false)
    public static let diskOnly2 = diskOnly.replicated(2)
    public static let diskOnly3 = diskOnly.replicated(3)
    /// What does not fit is computed again. The level of `cache()`.
    public static let memoryOnly = StorageLevel(
        usesDisk: false, usesMemory: true, isDeserialized: true)
    public static let memoryOnly2 = memoryOnly.replicated(2)
    public static let memoryOnlySer = StorageLevel(usesDisk: false, usesMemory: true)
    public static let memoryOnlySer2 = memoryOnlySer.replicated(2)
    /// What does not fit goes to disk.
    public static let memoryAndDisk = StorageLevel(
        usesDisk: true, usesMemory: true, isDeserialized: true)
    public static let memoryAndDisk2 = memoryAndDisk.replicated(2)
    public static let memoryAndDiskSer = StorageLevel(usesDisk: true, usesMemory: true)
    public static let memoryAndDiskSer2 = memoryAndDiskSer.replicated(2)
    /// Here all memory is outside of a garbage collector's heap.
    public static let offHeap = memoryAndDiskSer

    /// The same with another number of copies.
    public func replicated(_ copies: Int) -> StorageLevel {
        StorageLevel(
            usesDisk: usesDisk, usesMemory: usesMemory, isDeserialized: isDeserialized,
            replication: copies)
    }

    /// Whether anything is kept.
    public var isStored: Bool { usesDisk || usesMemory }
    /// Whether rows must be able to become bytes: for the disk, for another executor, or by choice.
    public var needsBytes: Bool { isStored && (usesDisk || !isDeserialized || replication > 1) }

    /// "disk, memory, deserialized, 2 replicas".
    public var description: String {
        var parts: [String] = []
        if usesDisk { parts.append("disk") }
        if usesMemory { parts.append("memory") }
        if isDeserialized { parts.append("deserialized") }
        parts.append("\(replication) replica\(replication == 1 ? "" : "s")")
        return isStored ? parts.joined(separator: ", ") : "none"
    }
}
