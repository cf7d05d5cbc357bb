import MillraceBase
import MillraceExecutor
import MillraceStore
import MillraceWire
import Synchronization

extension RDD {
    /// Writes the rows to files of the checkpoint folder when the next job over this dataset has
    /// ended, and reads them there ever after: what it was computed from is forgotten. The rows are
    /// computed a second time for it, unless they are persisted. Throws `invalidArgument` without
    /// `setCheckpointDir`. Spark's `rdd.checkpoint`.
    public func checkpoint() throws {
        let folder = try context.checkpoints.folder(of: id)
        try mark(
            RDDCheckpoint.Request(
                folder: folder, check: { _ = try RowCodec<Element>() },
                sink: { CheckpointSink<Element>(folder: folder) },
                origin: { RDDOrigin(op: CheckpointRows<Element>(), input: $0) }))
    }

    /// Forgets what the dataset is computed from when the next job over it has ended, and trusts
    /// the rows that executors keep: they are persisted to memory and disk. Quicker than
    /// `checkpoint`, but when an executor is lost jobs over this dataset fail. Spark's
    /// `rdd.localCheckpoint`.
    @discardableResult public func localCheckpoint() -> RDD {
        node.persistence.withLock { $0.keepForever(Element.self) }
        context.storageChanged()
        let id = id
        try? mark(
            RDDCheckpoint.Request(
                folder: nil, check: {}, sink: { CountSink<Element>() },
                origin: { _ in
                    RDDOrigin(
                        op: LostRows<Element>(),
                        input: { $1.writeRaw(RDDBlockID(rdd: id, partition: $0).description.utf8) })
                }))
        return self
    }

    /// Whether the rows come from a checkpoint.
    public var isCheckpointed: Bool {
        if case .done = node.checkpoint.withLock({ $0 }) { return true }
        return false
    }

    /// The folder of the files, once the dataset is checkpointed; nil too for a local checkpoint.
    public var checkpointFile: String? {
        guard case .done(let folder) = node.checkpoint.withLock({ $0 }) else { return nil }
        return folder
    }

    private func mark(_ request: RDDCheckpoint.Request) throws {
        let isNew = node.checkpoint.withLock { checkpoint in
            guard case .none = checkpoint else { return false }
            checkpoint = .asked(request)
            return true
        }
        if isNew { context.checkpoints.asked() }
    }
}
