import MillraceStore

/// There is no room on the disk where this executor keeps map outputs and spills: the executor's
/// fault, not the task's, which is tried on another one (`TaskEnd.isExecutorAtFault`).
struct LocalDiskFull: Error, Hashable, Sendable, CustomStringConvertible {
    var folder: String
    /// For whom there is none.
    var purpose: String
    /// What was to be written in all.
    var bytes: Int

    var description: String {
        """
        no room in \(folder) for \(purpose): \(bytes) bytes wanted, No space left on device; make \
        room there, or set millrace.local.dir to a folder on a larger disk
        """
    }

    /// Does what `write` does, and says it so when there is no room.
    static func whileWriting<Result>(
        _ purpose: @autoclosure () -> String, bytes: Int, to folder: String,
        _ write: () throws -> Result
    ) throws -> Result {
        do { return try write() } catch let error as StoreError where error.kind == .noSpace {
            throw LocalDiskFull(folder: folder, purpose: purpose(), bytes: bytes)
        }
    }
}
