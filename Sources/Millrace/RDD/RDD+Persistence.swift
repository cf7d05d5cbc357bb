import MillraceCore
import Synchronization

extension RDD {
    /// Keeps the rows in the executors' memory once they are computed: `persist(.memoryOnly)`.
    @discardableResult public func cache() -> RDD { persist(.memoryOnly) }

    /// Keeps the rows once a job computes them, partition by partition, at the level's places. What
    /// is dropped for want of memory, or lost with an executor, is computed again. Nothing happens
    /// before a job runs; a level other than one given before makes that job throw
    /// `invalidArgument`, and so does a level that needs bytes of rows that are not Codable
    /// (`notSerializable`). Spark's `rdd.persist`.
    @discardableResult public func persist(_ level: StorageLevel = .memoryOnly) -> RDD {
        precondition(level.isStored, "unpersist() says that rows are not kept")
        let isNew = node.persistence.withLock { $0.keep(Element.self, as: level, of: id) }
        if isNew { context.storageChanged() }
        return self
    }

    /// Keeps the rows no longer. Returns at once; they are removed behind it. Nothing when they are
    /// not persisted.
    @discardableResult public func unpersist() -> RDD {
        if forgetPersistence() { context.runner.unpersist(id) {} }
        return self
    }

    /// As `unpersist()`, and when `blocking` waits until no executor keeps anything of them.
    @discardableResult public func unpersist(blocking: Bool) async -> RDD {
        guard blocking else { return unpersist() }
        if forgetPersistence() {
            await withCheckedContinuation { continuation in
                context.runner.unpersist(id) { continuation.resume() }
            }
        }
        return self
    }

    private func forgetPersistence() -> Bool {
        let wasKept = node.persistence.withLock { persistence in
            defer { persistence.forget() }
            return persistence.isKept
        }
        if wasKept { context.storageChanged() }
        return wasKept
    }

    /// How the rows are kept; `.none` when they are not. Spark's `getStorageLevel`.
    public var storageLevel: StorageLevel { node.persistence.withLock { $0.level } ?? .none }
}
