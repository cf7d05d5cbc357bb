import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceStore
import Synchronization

/// How far a node's checkpoint is.
enum RDDCheckpoint: Sendable {
    /// What a checkpoint of a dataset needs to know of the type of its rows.
    struct Request: Sendable {
        /// nil: the executors' blocks are the checkpoint.
        var folder: String?
        var check: @Sendable () throws -> Void
        var sink: @Sendable () -> any PlanSink
        /// The node's new origin, given what the sink sent for each partition.
        var origin: @Sendable (_ input: @escaping RDDNode.Input) -> RDDOrigin
    }

    /// Nobody asked for one.
    case none
    /// From the next job on.
    case asked(Request)
    /// A job writes it.
    case running(Request)
    case done(folder: String?)
}

/// The folder for an application's checkpoints, and whether some dataset waits for one.
final class CheckpointPlace: Sendable {
    private let directory = Mutex<String?>(nil)
    private let waiting = Atomic<Int>(0)

    /// Jobs look for waiting datasets only when there are some.
    var isWaitedFor: Bool { waiting.load(ordering: .relaxed) > 0 }
    func asked() { waiting.wrappingAdd(1, ordering: .relaxed) }
    func done() { waiting.wrappingSubtract(1, ordering: .relaxed) }

    var path: String? { directory.withLock { $0 } }
    func set(_ path: String) { directory.withLock { $0 = path } }

    func folder(of rdd: RDDID) throws -> String {
        guard let path else {
            throw MillraceError(
                .invalidArgument,
                "a checkpoint needs a folder: call setCheckpointDir first")
        }
        return StorePath.join(path, "rdd-\(rdd.rawValue)")
    }
}

extension MillraceContext {
    /// Where `checkpoint` writes: a folder of this application's own is made in it. Every executor
    /// must see it under the same path. Throws `MillraceError` when it cannot be made.
    public func setCheckpointDir(_ directory: String) throws {
        do {
            let own = StorePath.join(try StorePath.resolve(directory), applicationID)
            try PosixFileSystem().makeFolders(own)
            checkpoints.set(own)
        } catch {
            throw error.asMillraceError
        }
    }

    /// The folder that `setCheckpointDir` made.
    public var checkpointDir: String? { checkpoints.path }

    /// Writes the checkpoints that were asked for among a node and what it is computed from; called
    /// when a job over the node has ended.
    func writeCheckpoints(below node: RDDNode) async throws {
        guard checkpoints.isWaitedFor else { return }
        var seen: Set<ObjectIdentifier> = []
        var stack = [node]
        while let node = stack.popLast() {
            guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
            if let request = node.takeCheckpointRequest() {
                try await write(request, of: node)
                continue
            }
            for dependency in node.dependencies { stack.append(dependency.parent) }
        }
    }

    private func write(_ request: RDDCheckpoint.Request, of node: RDDNode) async throws {
        do {
            try request.check()
            if let folder = request.folder { try PosixFileSystem().makeFolders(folder) }
            let files = try await runJob(
                "checkpoint", node, request.sink(), writesCheckpoints: false)
            let names = files.map { String(decoding: $0, as: UTF8.self) }
            node.cutLineage(request.origin { $1.writeRaw(names[$0].utf8) })
            node.checkpoint.withLock { $0 = .done(folder: request.folder) }
            checkpoints.done()
            storageChanged()
        } catch {
            node.checkpoint.withLock { $0 = .asked(request) }
            if let folder = request.folder { try? PosixFileSystem().deleteTree(folder) }
            throw (error as? StoreError)?.asMillraceError ?? error
        }
    }
}

extension RDDNode {
    /// The request, once: two jobs that end together write one checkpoint.
    fileprivate func takeCheckpointRequest() -> RDDCheckpoint.Request? {
        checkpoint.withLock { checkpoint in
            guard case .asked(let request) = checkpoint else { return nil }
            checkpoint = .running(request)
            return request
        }
    }
}

extension RDDDependency {
    /// The node that this one is computed from.
    var parent: RDDNode {
        switch self {
        case .oneToOne(let parent), .range(let parent, _), .groups(let parent, _): parent
        case .shuffle(let shuffle): shuffle.parent
        }
    }
}
