import MillraceBase
import MillraceNet
import MillraceStore
import MillraceWire

/// Serves registered executors' shuffle blocks from their files. A client is let in as an
/// application (`<application>:<secret>`) and sees that one's blocks only, under the key
/// `<executor>/shuffle_<shuffle>_<map task>_<reduce>`. Merged blocks are served, and taken, by
/// `ShuffleMerges`.
///
/// Nothing of a key becomes part of a path but numbers. Belongs to the service's loop.
final class ShuffleServiceBlocks: BlockProvider {
    private struct Output: Hashable {
        var application: String
        var executor: Int
        var shuffle: Int
        var task: Int
    }

    private let registry: ShuffleServiceRegistry
    private let fileSystem: any FileSystem
    let merges: ShuffleMerges
    private(set) var blocks = 0
    private(set) var bytes = 0
    private(set) var missing = 0
    /// Indexes that were read, so that the many reducers of a map output cost one read.
    private var indexes: [Output: ShuffleDataFile] = [:]
    private var cachedSegments = 0

    /// About 32 bytes a segment: 64 MiB at most. Spark: `spark.shuffle.service.index.cache.size`,
    /// 100 MiB.
    private static let segmentLimit = 2 << 20

    init(_ registry: ShuffleServiceRegistry, _ fileSystem: any FileSystem) {
        self.registry = registry
        self.fileSystem = fileSystem
        merges = ShuffleMerges(registry, fileSystem)
    }

    func content(of request: BlockRequest) -> BlockContent {
        .failure(.notFound("blocks of no application"))
    }

    func content(of request: BlockRequest, for principal: String?) -> BlockContent {
        let content = (merged(request, principal) ?? find(request, principal)).part(request)
        if case .failure = content {
            missing += 1
        } else {
            blocks += 1
            bytes += Int(clamping: content.length ?? 0)
        }
        return content
    }

    func take(_ pushed: [UInt8], from principal: String?) -> BlockContent {
        guard let principal else { return .failure(.failed("blocks of no application")) }
        do { return .bytes([try merges.push(pushed, of: principal).rawValue]) } catch {
            Log.warn(
                "shuffle-service", "pushed blocks are not merged",
                ["application": principal, "reason": error])
            return .failure(.failed("\(error)"))
        }
    }

    /// nil when that is the name of something else.
    private func merged(_ request: BlockRequest, _ principal: String?) -> BlockContent? {
        guard let principal, request.key.starts(with: "merged_".utf8) else { return nil }
        let name = String(decoding: request.key.prefix(200), as: UTF8.self)
        do { return try merges.content(name, of: principal) ?? .failure(.notFound(name)) } catch {
            return .failure(.failed("\(name): \(error)"))
        }
    }

    private func find(_ request: BlockRequest, _ principal: String?) -> BlockContent {
        let name = String(decoding: request.key.prefix(200), as: UTF8.self)
        guard let principal, let application = registry[principal], let key = Self.parse(name)
        else { return .failure(.notFound(name)) }
        guard let folder = application.folders[ExecutorID(key.executor)] else {
            return .failure(.notFound("\(name): the executor is not registered"))
        }
        let output = Output(
            application: principal, executor: key.executor, shuffle: key.shuffle, task: key.task)
        do {
            let file = try index(of: output, in: folder)
            guard file.segments.indices.contains(key.reduce) else {
                return .failure(.notFound(name))
            }
            let segment = file.segments[key.reduce]
            guard segment.length > 0 else { return .bytes([]) }
            return .file(
                try SharedFile(path: segment.path), offset: UInt64(segment.offset),
                length: UInt64(segment.length))
        } catch let error as StoreError where error.kind == .notFound {
            return .failure(.notFound(name))
        } catch {
            indexes[output] = nil
            return .failure(.failed("\(name): \(error)"))
        }
    }

    private func index(of output: Output, in folder: String) throws(StoreError) -> ShuffleDataFile {
        if let known = indexes[output] { return known }
        let file = try ShuffleFiles(fileSystem, folder: folder).open(
            ShuffleID(output.shuffle), TaskID(output.task))
        cachedSegments += file.segments.count
        if cachedSegments > Self.segmentLimit {
            indexes.removeAll()
            cachedSegments = file.segments.count
        }
        indexes[output] = file
        return file
    }

    /// The files are gone or about to be.
    func forget(_ application: String, shuffles: Set<Int>? = nil) {
        indexes = indexes.filter { output, _ in
            output.application != application || !(shuffles?.contains(output.shuffle) ?? true)
        }
        cachedSegments = indexes.values.reduce(0) { $0 + $1.segments.count }
        merges.forget(application, shuffles: shuffles)
    }

    private struct Key {
        var executor: Int
        var shuffle: Int
        var task: Int
        var reduce: Int
    }

    private static func parse(_ name: String) -> Key? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let words = parts[1].split(separator: "_", omittingEmptySubsequences: false)
        guard words.count == 4, words[0] == "shuffle" else { return nil }
        let numbers = [parts[0], words[1], words[2], words[3]].compactMap { Int($0) }
        guard numbers.count == 4, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        return Key(
            executor: numbers[0], shuffle: numbers[1], task: numbers[2], reduce: numbers[3])
    }
}
