import MillraceBase
import Synchronization

/// One task's way to memory. Spark's TaskMemoryManager.
///
///     let table = task.memory.consumer("combine table") { wanted in try spill(wanted) }
///     try table.reserve(pageBytes)        // before allocating; others of the task spill for it
///     table.release(pageBytes)            // after freeing
///
/// Used by the task's thread; `cancel` and the ledger by any.
public final class TaskMemory: Sendable {
    public let task: TaskID
    let manager: MemoryManager
    private let consumers = Mutex<[MemoryConsumer]>([])
    private let cancelled = Atomic<Bool>(false)

    init(manager: MemoryManager, task: TaskID) {
        self.manager = manager
        self.task = task
        manager.begin(self)
    }

    /// Of a task that nothing is refused to.
    public static func unlimited() -> TaskMemory {
        TaskMemory(manager: .unlimited(), task: TaskID(0))
    }

    /// Registers who will hold memory, under a name for the ledger. `spill` is called on the task's
    /// thread, from within another consumer's reservation and never from its own: it frees about
    /// the bytes asked for (less, or 0, when it has not got them), calls `release` for them, and
    /// returns how many they were. nil: it cannot spill.
    public func consumer(
        _ name: String, spill: ((_ bytes: Int) throws -> Int)? = nil
    ) -> MemoryConsumer {
        let consumer = MemoryConsumer(name: name, owner: self, spill: spill)
        consumers.withLock { $0.append(consumer) }
        return consumer
    }

    /// Up to `bytes` for `consumer`. The task's other consumers are asked to spill when that is not
    /// free, smallest sufficient one first. What is granted stays; when it is less than asked, the
    /// caller spills what it holds itself and asks again, or does with less. May wait for other
    /// tasks. Throws `TaskKilled`, and what spilling throws.
    public func acquireExecution(_ bytes: Int, for consumer: MemoryConsumer) throws -> Int {
        precondition(bytes >= 0, "a reservation of \(bytes) bytes")
        var granted = try manager.acquireExecution(bytes, for: self)
        consumer.tally.add(granted)
        var asked: [ObjectIdentifier] = []
        while granted < bytes, let other = spillable(for: bytes - granted, not: consumer, asked) {
            asked.append(ObjectIdentifier(other))
            guard let spill = other.spill, try spill(bytes - granted) > 0 else { continue }
            let more = try manager.acquireExecution(bytes - granted, for: self)
            consumer.tally.add(more)
            granted += more
        }
        return granted
    }

    /// The smallest consumer that has the missing bytes, else the largest.
    private func spillable(
        for missing: Int, not consumer: MemoryConsumer, _ asked: [ObjectIdentifier]
    ) -> MemoryConsumer? {
        let others = consumers.withLock { consumers in
            consumers.filter {
                $0 !== consumer && $0.used > 0 && $0.spill != nil
                    && !asked.contains(ObjectIdentifier($0))
            }
        }
        return others.filter { $0.used >= missing }.min { $0.used < $1.used }
            ?? others.max { $0.used < $1.used }
    }

    func release(_ bytes: Int, of consumer: MemoryConsumer) {
        consumer.tally.subtract(bytes)
        manager.releaseExecution(bytes, of: self)
    }

    func remove(_ consumer: MemoryConsumer) {
        consumers.withLock { $0.removeAll { $0 === consumer } }
    }

    /// A reservation that waits ends with `TaskKilled`.
    func cancel() {
        cancelled.store(true, ordering: .relaxed)
        manager.wakeWaiting()
    }
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// The task is over: what it still holds is free for others.
    func end() {
        let held = consumers.withLock { consumers in
            defer { consumers = [] }
            return consumers.filter { $0.used > 0 }
        }
        let left = manager.end(self)
        if left > 0 {
            Log.debug(
                "executor", "a task ended with memory in hand",
                ["task": task, "bytes": left, "by": held.map(\.name).joined(separator: ", ")])
        }
    }

    var entries: [MemoryLedger.Entry] {
        consumers.withLock { consumers in
            consumers.filter { $0.used > 0 }.map { .init($0.name, task: task, $0.tally) }
        }
    }
}

/// What holds memory within a task: a sort's pages, a hash table, shuffle buffers. Spark's
/// MemoryConsumer.
public final class MemoryConsumer: Sendable {
    public let name: String
    let tally = MemoryTally()
    /// Called on the task's thread only, which is the one that made it.
    nonisolated(unsafe) fileprivate let spill: ((Int) throws -> Int)?
    private let owner: TaskMemory

    init(name: String, owner: TaskMemory, spill: ((Int) throws -> Int)?) {
        self.name = name
        self.owner = owner
        self.spill = spill
    }

    /// Bytes reserved now, and at most so far.
    public var used: Int { tally.used }
    public var peak: Int { tally.peak }

    /// See `TaskMemory.acquireExecution`.
    public func acquire(_ bytes: Int) throws -> Int {
        try owner.acquireExecution(bytes, for: self)
    }

    /// All of `bytes` or nothing. Throws `MemoryExhausted`, with the ledger, when they cannot be
    /// had though everybody else in the task has spilled.
    public func reserve(_ bytes: Int) throws {
        let granted = try acquire(bytes)
        guard granted < bytes else { return }
        let ledger = owner.manager.ledger()
        release(granted)
        throw MemoryExhausted(
            consumer: name, task: owner.task, wanted: bytes, granted: granted, ledger: ledger)
    }

    /// Gives back bytes that were granted.
    public func release(_ bytes: Int) { if bytes > 0 { owner.release(bytes, of: self) } }

    /// Gives back all, and leaves the ledger.
    public func close() {
        release(used)
        owner.remove(self)
    }
}
