import MillraceBase
import Synchronization

/// The plans that this executor keeps, by content hash: each sent once, decoded once (by the first
/// task that runs it), then shared by all tasks of all stages and batches, until the driver says
/// that no job at work needs it (`PlanStore` in the driver bounds what is kept).
public final class ResidentPlans: Sendable {
    /// A plan on its way in (`received` of `total` bytes), complete, or decoded. One that is the
    /// value of a broadcast has no bytes here: they are fetched to be decoded.
    private struct Entry {
        var bytes: [UInt8]
        var total: Int
        var broadcast: BroadcastID?
        var decoded: Result<ExecutablePlan, any Error>?
    }

    private let entries = Mutex<[PlanHash: Entry]>([:])

    public init() {}

    /// Of all that are here, in no order.
    var names: [PlanHash] { entries.withLock { Array($0.keys) } }

    /// Adds a whole plan; does nothing when it is there already.
    public func add(_ plan: PlanHash, bytes: [UInt8]) {
        entries.withLock { entries in
            if entries[plan] == nil {
                entries[plan] = Entry(bytes: bytes, total: bytes.count, decoded: nil)
            }
        }
    }

    /// Adds a plan that is to be fetched; does nothing when it is there already.
    func add(_ plan: PlanHash, total: Int, in broadcast: BroadcastID) {
        entries.withLock { entries in
            guard entries[plan] == nil else { return }
            entries[plan] = Entry(bytes: [], total: total, broadcast: broadcast, decoded: nil)
        }
    }

    /// Tasks that are at work on one go on.
    public func remove(_ plans: [PlanHash]) {
        entries.withLock { entries in for plan in plans { entries[plan] = nil } }
    }

    /// Adds the next piece of a plan. Pieces come in order; throws when they don't. One that is
    /// here, whole, is the same whoever sends it.
    public func add(
        _ plan: PlanHash, total: Int, offset: Int, piece: [UInt8]
    ) throws(PlanError) {
        let problem: String? = entries.withLock { entries in
            var entry = entries[plan] ?? Entry(bytes: [], total: total, decoded: nil)
            if entry.total == total, entry.bytes.count == total, offset + piece.count <= total,
                total > 0
            {
                return nil
            }
            guard entry.total == total, entry.bytes.count == offset, offset + piece.count <= total
            else { return "piece at \(offset) of \(total) bytes after \(entry.bytes.count)" }
            entry.bytes.append(contentsOf: piece)
            entries[plan] = entry
            return nil
        }
        if let problem { throw PlanError("plan \(plan): \(problem)") }
    }

    /// The plan, decoded. Waits for one that is broadcast. Throws `PlanMissing`, `TaskKilled`, or
    /// why it cannot be decoded.
    func executable(_ plan: PlanHash) throws -> ExecutablePlan {
        let entry = entries.withLock { $0[plan] }
        guard let entry else { throw PlanMissing(plan: plan) }
        if let decoded = entry.decoded { return try decoded.get() }
        if let broadcast = entry.broadcast {
            // A fetch that failed may succeed the next time, so only success is kept.
            let fetched = try BroadcastRegistry.shared.plan(broadcast, bytes: entry.total)
            entries.withLock { entries in entries[plan]?.decoded = .success(fetched) }
            return fetched
        }
        guard entry.bytes.count == entry.total else { throw PlanMissing(plan: plan) }
        // Outside the lock: decoding runs user code (`init(from:)`). Two threads may both do it
        // once; either serves.
        let result = Result { try ExecutablePlan(decoding: entry.bytes) }
        entries.withLock { entries in entries[plan]?.decoded = result }
        return try result.get()
    }
}

/// The plan isn't here any more, or never was: it's asked for, and the task is run again.
struct PlanMissing: Error, Hashable, Sendable, CustomStringConvertible {
    var plan: PlanHash
    var description: String { "plan \(plan) is not on this executor" }
}
