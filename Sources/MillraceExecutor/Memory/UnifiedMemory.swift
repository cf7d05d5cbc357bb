/// Who may have how much: the rules of Spark's UnifiedMemoryManager as a plain value.
///
/// Execution (sorting, aggregation, shuffle buffers) and storage (cached blocks, broadcasts) share
/// `total` bytes. Each borrows what the other leaves free. Execution may also have what storage
/// holds above `storageRegion`, after eviction; storage never takes anything from execution. Among
/// N tasks each may hold up to 1/N of what execution can have, and waits while it holds less than
/// 1/2N and there is nothing left to give it.
///
/// Always true: `executionUsed <= executionPool`, `storageUsed <= storagePool`, both pools together
/// are `total`.
struct UnifiedMemory {
    let total: Int
    /// Bytes of storage that execution cannot evict.
    let storageRegion: Int
    private(set) var storagePool: Int
    private(set) var storageUsed = 0
    private(set) var executionUsed = 0
    /// Bytes by active task.
    private(set) var tasks: [ObjectIdentifier: Int] = [:]

    var executionPool: Int { total - storagePool }
    var free: Int { total - executionUsed - storageUsed }

    init(total: Int, storageRegion: Int) {
        precondition(storageRegion >= 0 && storageRegion <= total, "a part of the whole")
        self.total = total
        self.storageRegion = storageRegion
        storagePool = storageRegion
    }

    // MARK: Execution

    enum ExecutionAnswer: Equatable {
        case granted(Int)
        /// Others hold more than their share: ask again when something was released.
        case wait
    }

    /// Bytes that storage is to evict so that execution can have `bytes` more; 0 when there is
    /// enough without, or nothing may be evicted.
    func evictionNeeded(forExecution bytes: Int) -> Int {
        let missing = bytes - (executionPool - executionUsed)
        guard missing > 0 else { return 0 }
        let storageFree = storagePool - storageUsed
        let reclaimable = max(storageFree, storagePool - storageRegion)
        return max(0, min(missing, reclaimable) - storageFree)
    }

    mutating func acquireExecution(_ bytes: Int, for task: ObjectIdentifier) -> ExecutionAnswer {
        let held = tasks[task, default: 0]
        tasks[task] = held
        // The pool grows by what storage leaves free.
        let missing = bytes - (executionPool - executionUsed)
        if missing > 0 { storagePool -= min(missing, storagePool - storageUsed) }
        let largestPool = total - min(storageUsed, storageRegion)
        let mayHave = max(0, largestPool / tasks.count - held)
        let granted = min(bytes, mayHave, executionPool - executionUsed)
        if granted < bytes, held + granted < executionPool / (2 * tasks.count) { return .wait }
        tasks[task] = held + granted
        executionUsed += granted
        return .granted(granted)
    }

    mutating func releaseExecution(_ bytes: Int, of task: ObjectIdentifier) {
        let held = tasks[task, default: 0]
        precondition(bytes >= 0 && bytes <= held, "\(bytes) bytes released, \(held) held")
        // A task that holds nothing takes no share from the others.
        tasks[task] = held == bytes ? nil : held - bytes
        executionUsed -= bytes
    }

    /// The task is over; what it still held is free. Returns those bytes.
    mutating func end(_ task: ObjectIdentifier) -> Int {
        let held = tasks.removeValue(forKey: task) ?? 0
        executionUsed -= held
        return held
    }

    // MARK: Storage

    /// Bytes that storage is to evict of its own to hold `bytes` more; nil when that can never be.
    func evictionNeeded(forStorage bytes: Int) -> Int? {
        guard bytes <= total - executionUsed else { return nil }
        return max(0, bytes - free)
    }

    /// False, and nothing taken, when there is not that much free.
    mutating func acquireStorage(_ bytes: Int) -> Bool {
        guard bytes <= free else { return false }
        storageUsed += bytes
        storagePool = max(storagePool, storageUsed)
        return true
    }

    mutating func releaseStorage(_ bytes: Int) {
        precondition(bytes >= 0 && bytes <= storageUsed, "\(bytes) of \(storageUsed) released")
        storageUsed -= bytes
    }
}
