import MillraceBase
import Synchronization

/// The one ledger of an executor's memory: every sort, table, cached block and broadcast reserves
/// here before it allocates, spills or does without when it is refused, and is named when memory
/// runs out. The rules are in `UnifiedMemory`; Spark's UnifiedMemoryManager.
///
/// Tasks come through `TaskMemory`, everything else through a `StorageAccount`. Reservations cost
/// one uncontended lock: ask per page (64 KiB or more), never per row.
public final class MemoryManager: Sendable {
    /// What the process may use, in bytes, and who says so.
    public let limit: MemoryLimit
    private let unified: Monitor<UnifiedMemory>
    private let tasks = Mutex<[ObjectIdentifier: TaskMemory]>([:])
    private let accounts = Mutex<[StorageAccount]>([])
    private let evictor = SetOnce<any StorageEvictor>()

    /// `total` bytes are shared, `storageRegion` of them safe for storage.
    init(limit: MemoryLimit, total: Int, storageRegion: Int) {
        self.limit = limit
        unified = Monitor(UnifiedMemory(total: total, storageRegion: storageRegion))
    }

    /// The shares of `limit` that the settings say.
    public convenience init(limit: MemoryLimit, conf: Conf) {
        let usable = Double(limit.bytes - MemoryLimit.reserve(of: limit.bytes))
        let total = Int(usable * conf.memory.fraction)
        self.init(
            limit: limit, total: total,
            storageRegion: Int(Double(total) * conf.memory.storageFraction))
    }

    /// For tests and for tools that run a plan in their own process: nothing is ever refused.
    public static func unlimited() -> MemoryManager {
        let total = Int.max / 2
        return MemoryManager(
            limit: MemoryLimit(bytes: total, source: .setting), total: total, storageRegion: 0)
    }

    /// Bytes that execution and storage share.
    public var total: Int { unified.withLock { $0.total } }
    public var executionUsed: Int { unified.withLock { $0.executionUsed } }
    public var storageUsed: Int { unified.withLock { $0.storageUsed } }

    // MARK: Execution

    /// Up to `bytes` for a task: what is free, what storage can be made to give back, at most the
    /// task's share. Waits while the task has less than half of its share and others have more.
    /// Throws `TaskKilled`.
    func acquireExecution(_ bytes: Int, for task: TaskMemory) throws -> Int {
        enum Step {
            case granted(Int)
            case evict(Int)
        }
        let id = ObjectIdentifier(task)
        var mayEvict = true
        while true {
            let step = try unified.wait { unified throws(TaskKilled) -> Step? in
                if task.isCancelled { throw TaskKilled(reason: "while it waited for memory") }
                let needed = mayEvict ? unified.evictionNeeded(forExecution: bytes) : 0
                if needed > 0 { return .evict(needed) }
                switch unified.acquireExecution(bytes, for: id) {
                case .granted(let granted): return .granted(granted)
                case .wait: return nil
                }
            }
            switch step {
            case .granted(let granted): return granted
            case .evict(let needed): mayEvict = evict(needed, for: nil) > 0
            }
        }
    }

    func releaseExecution(_ bytes: Int, of task: TaskMemory) {
        unified.withLock { $0.releaseExecution(bytes, of: ObjectIdentifier(task)) }
        unified.wakeAll()
    }

    func begin(_ task: TaskMemory) {
        tasks.withLock { $0[ObjectIdentifier(task)] = task }
    }

    /// Returns what the task had not given back.
    func end(_ task: TaskMemory) -> Int {
        tasks.withLock { $0[ObjectIdentifier(task)] = nil }
        let left = unified.withLock { $0.end(ObjectIdentifier(task)) }
        unified.wakeAll()
        return left
    }

    /// A task was cancelled: it may be waiting here.
    func wakeWaiting() { unified.wakeAll() }

    // MARK: Storage

    /// Who evicts cached blocks when memory is wanted. Set once, before the first task.
    func setEvictor(_ evictor: any StorageEvictor) { self.evictor.set(evictor) }

    /// An entry in the ledger for something that belongs to no task.
    public func account(_ name: String) -> StorageAccount {
        let account = StorageAccount(name: name)
        accounts.withLock { $0.append(account) }
        return account
    }

    /// The account holds nothing and leaves the ledger.
    func close(_ account: StorageAccount) {
        accounts.withLock { $0.removeAll { $0 === account } }
    }

    /// `bytes` more for an account; cached blocks are evicted for it, but none of the dataset
    /// `rdd`, which is what is being cached. False, and nothing taken, when that is not enough.
    public func acquireStorage(
        _ bytes: Int, for account: StorageAccount, keeping rdd: RDDID? = nil
    ) -> Bool {
        guard let needed = unified.withLock({ $0.evictionNeeded(forStorage: bytes) }) else {
            return false
        }
        _ = evict(needed, for: rdd)
        guard unified.withLock({ $0.acquireStorage(bytes) }) else { return false }
        account.tally.add(bytes)
        return true
    }

    public func releaseStorage(_ bytes: Int, of account: StorageAccount) {
        unified.withLock { $0.releaseStorage(bytes) }
        account.tally.subtract(bytes)
        unified.wakeAll()
    }

    /// Outside the lock, because blocks that are dropped may be written to disk.
    private func evict(_ bytes: Int, for rdd: RDDID?) -> Int {
        bytes > 0 ? evictor.value?.evict(bytes, keeping: rdd) ?? 0 : 0
    }

    // MARK: The ledger

    /// Who holds what now, largest first.
    public func ledger() -> MemoryLedger {
        let (total, execution, storage) = unified.withLock {
            ($0.total, $0.executionUsed, $0.storageUsed)
        }
        var entries: [MemoryLedger.Entry] = []
        for task in tasks.withLock({ $0.values.map { $0 } }) { entries += task.entries }
        for account in accounts.withLock({ $0 }) where account.used > 0 {
            entries.append(.init(account.name, task: nil, account.tally))
        }
        return MemoryLedger(
            limit: limit, total: total, executionUsed: execution, storageUsed: storage,
            entries: entries)
    }
}

/// What the `MemoryManager` asks to make room.
protocol StorageEvictor: AnyObject, Sendable {
    /// Drops least recently used blocks of at least `bytes`, but none of `rdd`; as many as there
    /// are when that is less. Each is released with `releaseStorage`. Returns the bytes.
    func evict(_ bytes: Int, keeping rdd: RDDID?) -> Int
}

/// Memory that belongs to no task: cached blocks, broadcasts, state, small map outputs.
public final class StorageAccount: Sendable {
    public let name: String
    let tally = MemoryTally()
    init(name: String) { self.name = name }
    public var used: Int { tally.used }
}

/// Bytes held now and at most, readable from any thread.
final class MemoryTally: Sendable {
    private let current = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)

    var used: Int { current.load(ordering: .relaxed) }
    var peak: Int { highest.load(ordering: .relaxed) }

    func add(_ bytes: Int) {
        let now = current.wrappingAdd(bytes, ordering: .relaxed).newValue
        _ = highest.max(now, ordering: .relaxed)
    }
    func subtract(_ bytes: Int) { current.wrappingSubtract(bytes, ordering: .relaxed) }
}
