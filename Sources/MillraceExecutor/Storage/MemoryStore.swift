import MillraceBase
import MillraceCore
import Synchronization

/// Cached partitions in memory, dropped least recently used first when memory is wanted. Spark's
/// MemoryStore.
///
/// A block that is being read stays: whoever reads holds a `Pin`. What an evicted block is to
/// become (a file, nothing) is the owner's business.
final class MemoryStore: Sendable {
    private struct Entry {
        var rows: any StoredRows
        var level: StorageLevel
        var pins = 0
        var lastUse: UInt64
    }
    private struct State {
        var entries: [RDDBlockID: Entry] = [:]
        var uses: UInt64 = 0
        /// The ledger's entry for each dataset that has blocks here.
        var accounts: [RDDID: (account: StorageAccount, users: Int)] = [:]
    }

    private let memory: MemoryManager
    private let state = Mutex(State())

    init(memory: MemoryManager) { self.memory = memory }

    // MARK: Accounts

    /// Where the memory of a dataset's blocks is booked, until `leave` was called as often.
    func account(of rdd: RDDID) -> StorageAccount {
        state.withLock { state in
            if let known = state.accounts[rdd] {
                state.accounts[rdd]!.users = known.users + 1
                return known.account
            }
            let account = memory.account("cached \(rdd)")
            state.accounts[rdd] = (account, 1)
            return account
        }
    }

    func leave(_ rdd: RDDID) {
        let empty: StorageAccount? = state.withLock { state in
            guard let known = state.accounts[rdd] else { return nil }
            state.accounts[rdd] = known.users > 1 ? (known.account, known.users - 1) : nil
            return known.users > 1 ? nil : known.account
        }
        if let empty { memory.close(empty) }
    }

    // MARK: Blocks

    /// Keeps a block whose bytes the caller has reserved in `account(of:)`; false, and nothing kept
    /// or released, when there is one already.
    func put(_ block: RDDBlockID, _ rows: any StoredRows, level: StorageLevel) -> Bool {
        let isNew = state.withLock { state in
            guard state.entries[block] == nil else { return false }
            state.uses += 1
            state.entries[block] = Entry(rows: rows, level: level, lastUse: state.uses)
            return true
        }
        if isNew { _ = account(of: block.rdd) }
        return isNew
    }

    func pin(_ block: RDDBlockID) -> Pin? {
        let rows: (any StoredRows)? = state.withLock { state in
            guard let entry = state.entries[block] else { return nil }
            state.uses += 1
            state.entries[block]!.pins += 1
            state.entries[block]!.lastUse = state.uses
            return entry.rows
        }
        return rows.map { Pin(block, $0, self) }
    }

    /// A block that is being read.
    final class Pin: Sendable {
        let rows: any StoredRows
        private let block: RDDBlockID
        private let store: MemoryStore
        fileprivate init(_ block: RDDBlockID, _ rows: any StoredRows, _ store: MemoryStore) {
            self.block = block
            self.rows = rows
            self.store = store
        }
        deinit { store.unpin(block, rows) }
    }

    private func unpin(_ block: RDDBlockID, _ rows: any StoredRows) {
        state.withLock { state in
            // It may have been removed meanwhile, and another have come.
            if let entry = state.entries[block], entry.rows === rows {
                state.entries[block]!.pins = entry.pins - 1
            }
        }
    }

    func size(_ block: RDDBlockID) -> Int? {
        state.withLock { $0.entries[block]?.rows.bytes }
    }

    /// Even when it is being read: readers keep what they have. Whether it was there.
    @discardableResult func remove(_ block: RDDBlockID) -> Bool {
        guard let entry = state.withLock({ $0.entries.removeValue(forKey: block) }) else {
            return false
        }
        release(block, entry.rows)
        return true
    }

    private func release(_ block: RDDBlockID, _ rows: any StoredRows) {
        guard let account = state.withLock({ $0.accounts[block.rdd]?.account }) else { return }
        memory.releaseStorage(rows.bytes, of: account)
        leave(block.rdd)
    }

    func blocks(of rdd: RDDID) -> [RDDBlockID] {
        state.withLock { $0.entries.keys.filter { $0.rdd == rdd } }
    }

    // MARK: Eviction

    /// A block that must go, with what it holds, taken out of the store but not yet released.
    struct Victim {
        var block: RDDBlockID
        var rows: any StoredRows
        var level: StorageLevel
    }

    /// The least recently used blocks of at least `bytes`, none of `rdd` and none that is being
    /// read. All there are when they are fewer, or none if that is `allOrNothing`.
    func takeVictims(_ bytes: Int, keeping rdd: RDDID?, allOrNothing: Bool) -> [Victim] {
        state.withLock { state in
            var candidates = state.entries.filter { $0.value.pins == 0 && $0.key.rdd != rdd }
                .map { ($0.key, $0.value) }
            candidates.sort { $0.1.lastUse < $1.1.lastUse }
            var sum = 0
            var count = 0
            while sum < bytes, count < candidates.count {
                sum += candidates[count].1.rows.bytes
                count += 1
            }
            if allOrNothing, sum < bytes { return [] }
            return candidates[..<count].map { block, entry in
                state.entries[block] = nil
                return Victim(block: block, rows: entry.rows, level: entry.level)
            }
        }
    }

    /// What a victim held is free.
    func release(_ victim: Victim) { release(victim.block, victim.rows) }
}
