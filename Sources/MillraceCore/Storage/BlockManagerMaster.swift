import MillraceBase

/// Who keeps which partitions of the persisted datasets. Spark's BlockManagerMaster.
///
/// A dataset is known from the first job that names it with a storage level until it's released;
/// executors report what they keep and drop. From this come the preferred executors of a partition,
/// the stages that need not run because what they lead to is kept, and copies: as many as the level
/// says, made when a block is first kept, and again when an executor that had one is lost. Always
/// true: `DriverCore+Invariants.swift`.
struct BlockManagerMaster: Sendable {
    /// One persisted dataset.
    struct Dataset: Sendable, SlabElement {
        let id: RDDID
        var level: StorageLevel
        /// By partition, in the order in which they reported.
        var holders: [[Holder]]
        /// Who was asked to copy a partition and hasn't answered.
        var asked: [Asked] = []
        /// Partitions with a holder.
        var available = 0

        var isComplete: Bool { available == holders.count }

        mutating func vacate() {
            holders = []
            asked = []
        }
    }

    struct Holder: Sendable {
        var executor: ExecutorID
        var memoryBytes: Int
        var diskBytes: Int
    }

    struct Asked: Sendable {
        var partition: Int
        var executor: ExecutorID
    }

    var datasets = IdentifierMap<RDDID, Dataset>()

    // MARK: What the scheduler asks

    func holders(of rdd: RDDID) -> [[ExecutorID]]? {
        datasets.slot(of: rdd).map { slot in
            datasets[slot: slot].holders.map { $0.map(\.executor) }
        }
    }

    /// Every dataset of which something is kept, by id.
    var storageInfo: [RDDStorageInfo] {
        var infos: [RDDStorageInfo] = []
        for slot in 0..<datasets.slotBound where datasets.id(at: slot) != nil {
            let dataset = datasets[slot: slot]
            guard dataset.available > 0 else { continue }
            let kept = dataset.holders.joined()
            infos.append(
                RDDStorageInfo(
                    rdd: dataset.id, level: dataset.level, partitions: dataset.holders.count,
                    cachedPartitions: dataset.available, blocks: kept.count,
                    memoryBytes: kept.reduce(0) { $0 + $1.memoryBytes },
                    diskBytes: kept.reduce(0) { $0 + $1.diskBytes }))
        }
        return infos.sorted { $0.rdd < $1.rdd }
    }

    /// Whether every partition is kept somewhere.
    func isComplete(_ rdd: RDDID) -> Bool {
        guard let slot = datasets.slot(of: rdd) else { return false }
        return datasets[slot: slot].isComplete
    }

    // MARK: What happens

    /// Makes the dataset known, or notes its level.
    mutating func register(_ rdd: RDDID, partitions: Int, level: StorageLevel) {
        if let slot = datasets.slot(of: rdd) {
            datasets[slot: slot].level = level
        } else {
            datasets.insert(
                Dataset(
                    id: rdd, level: level,
                    holders: [[Holder]](repeating: [], count: partitions)), for: rdd)
        }
    }

    /// No job will ask for its blocks any more.
    mutating func release(_ rdd: RDDID, _ effects: inout Effects) {
        datasets.remove(rdd)
        effects.append(.removeRDD(rdd))
    }

    /// An executor keeps a block, or does no longer.
    mutating func update(
        _ status: BlockStatus, on executor: ExecutorID, _ executors: ExecutorRegistry,
        _ effects: inout Effects
    ) {
        guard let slot = datasets.slot(of: status.rdd) else {
            // It was released while a task computed it.
            if status.isStored { effects.append(.removeRDD(status.rdd)) }
            return
        }
        guard datasets[slot: slot].holders.indices.contains(status.partition) else { return }
        datasets[slot: slot].asked.removeAll {
            $0.partition == status.partition && $0.executor == executor
        }
        let known = datasets[slot: slot].holders[status.partition]
        let holder = Holder(
            executor: executor, memoryBytes: status.memoryBytes, diskBytes: status.diskBytes)
        if !status.isStored {
            remove(executor, slot, status.partition)
        } else if let place = known.firstIndex(where: { $0.executor == executor }) {
            datasets[slot: slot].holders[status.partition][place] = holder
        } else {
            datasets[slot: slot].holders[status.partition].append(holder)
            if known.isEmpty {
                datasets[slot: slot].available += 1
                copy(slot, status.partition, executors, &effects)
            }
        }
    }

    /// Its blocks are gone; those that had copies are copied again.
    mutating func lose(
        _ executor: ExecutorID, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) {
        for slot in 0..<datasets.slotBound where datasets.id(at: slot) != nil {
            datasets[slot: slot].asked.removeAll { $0.executor == executor }
            for partition in datasets[slot: slot].holders.indices
            where holds(executor, slot, partition) {
                remove(executor, slot, partition)
                copy(slot, partition, executors, &effects)
            }
        }
    }

    /// It will go: what it alone keeps is copied while it's there.
    mutating func decommission(
        _ executor: ExecutorID, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) {
        for slot in 0..<datasets.slotBound where datasets.id(at: slot) != nil {
            for partition in datasets[slot: slot].holders.indices
            where holds(executor, slot, partition) {
                copy(slot, partition, executors, &effects)
            }
        }
    }

    private func holds(_ executor: ExecutorID, _ slot: Int, _ partition: Int) -> Bool {
        datasets[slot: slot].holders[partition].contains { $0.executor == executor }
    }

    private mutating func remove(_ executor: ExecutorID, _ slot: Int, _ partition: Int) {
        guard holds(executor, slot, partition) else { return }
        datasets[slot: slot].holders[partition].removeAll { $0.executor == executor }
        if datasets[slot: slot].holders[partition].isEmpty { datasets[slot: slot].available -= 1 }
    }

    // MARK: Copies

    /// Asks for the copies that a kept partition lacks. Another host is better than another
    /// executor of the same host; among equals partitions take turns.
    private mutating func copy(
        _ slot: Int, _ partition: Int, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) {
        let dataset = datasets[slot: slot]
        let holders = dataset.holders[partition].map(\.executor)
        guard let source = holders.first else { return }
        let staying = holders.filter { executors.takesTasks($0) }
        var taken = dataset.asked.filter { $0.partition == partition }.map(\.executor)
        var missing = dataset.level.replication - staying.count - taken.count
        guard missing > 0 else { return }
        let host = executors.states[source.rawValue].host
        for wantsOtherHost in [true, false] {
            let count = executors.states.count
            for step in 0..<count where missing > 0 {
                let target = ExecutorID((partition + source.rawValue + 1 + step) % count)
                let isElsewhere = executors.states[target.rawValue].host != host
                guard executors.takesTasks(target), isElsewhere == wantsOtherHost,
                    !holders.contains(target), !taken.contains(target)
                else { continue }
                taken.append(target)
                missing -= 1
                datasets[slot: slot].asked.append(Asked(partition: partition, executor: target))
                effects.append(
                    .copyBlock(
                        BlockCopy(
                            rdd: dataset.id, partition: partition, level: dataset.level,
                            from: source), to: target))
            }
        }
    }
}

/// A block that an executor is to fetch from another one and keep.
public struct BlockCopy: Hashable, Sendable {
    public var rdd: RDDID
    public var partition: Int
    public var level: StorageLevel
    public var from: ExecutorID

    public init(rdd: RDDID, partition: Int, level: StorageLevel, from: ExecutorID) {
        self.rdd = rdd
        self.partition = partition
        self.level = level
        self.from = from
    }
}

/// What is kept of one persisted dataset, over all executors. Spark's RDDInfo.
public struct RDDStorageInfo: Hashable, Sendable {
    public var rdd: RDDID
    public var level: StorageLevel
    public var partitions: Int
    /// Partitions that some executor keeps.
    public var cachedPartitions: Int
    /// Copies of partitions, all counted.
    public var blocks: Int
    public var memoryBytes: Int
    public var diskBytes: Int
}
