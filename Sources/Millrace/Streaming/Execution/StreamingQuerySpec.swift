import Glibc
import MillraceBase
import MillraceCore
import MillraceStore

/// All that a query is, when it is started.
struct StreamingQuerySpec: Sendable {
    var context: MillraceContext
    /// The last node of its lineage, without the sink.
    var node: RDDNode
    var stream: StreamLineage
    var sink: StreamSink
    var mode: OutputMode
    var trigger: Trigger
    var name: String?
    /// Scheduling pool of its jobs: that of who started it.
    var pool: String
    /// What its tasks find with `TaskContext.localProperty`: those of who started it.
    var localProperties: [LocalProperty]
    /// A path or URI.
    var checkpoint: String
    /// Whether the checkpoint goes when the query has been stopped.
    var isTemporary: Bool
    /// For tests: called at each step of a batch; what it throws is a crash there.
    var fault: (@Sendable (StreamingStep) throws -> Void)?

    /// Keys of `offsets/`' `conf`.
    static let keyGroupsKey = "millrace.state.keyGroups"
    static let partitionsKey = "spark.sql.shuffle.partitions"
}

/// Points between the steps of a batch, at which a process may die. Those of offsets and commits
/// are reached on the log's thread, beside the others.
package enum StreamingStep: Hashable, Sendable {
    case beforeOffsets(Int)
    case afterOffsets(Int)
    case afterJob(Int)
    case afterSinkCommit(Int)
    case beforeCommit(Int)
    case afterCommit(Int)
}

/// Names of folders for queries that were given none.
enum QueryFolders {
    static func random() -> String { UUIDText.random() }

    /// A checkpoint for one run.
    static func temporary() -> String {
        "\(LaunchEnvironment.temporaryFolder)/millrace-temporary-\(UUIDText.random())"
    }
}
