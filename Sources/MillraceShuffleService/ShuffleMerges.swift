import MillraceBase
import MillraceNet
import MillraceStore
import MillraceWire

/// Merges what executors push: the blocks of many map tasks become one file for each reduce
/// partition, so that a reduce task reads it in a few large pieces.
///
/// The files are in the folders of the application's executors, `merged_<shuffle>_<merge>_<reduce>`
/// with `.data` and `.index`, and go with these. A restart loses nothing: what is in the files is
/// found again when somebody asks. Only who was told that the merge is over is forgotten; a late
/// block then is merged after all, which harms nobody, for a reader believes nothing but the index.
/// Spark: RemoteBlockPushResolver. Belongs to the service's loop.
final class ShuffleMerges {
    /// Counts since the service started.
    struct Counts {
        var blocks = 0
        var bytes = 0
        var duplicates = 0
        /// Pushed after the merge was finalised, or the shuffle removed.
        var late = 0
        /// Pushed for a merge that another one has replaced.
        var stale = 0
        var chunksServed = 0
    }

    private struct Key: Hashable {
        var application: String
        var shuffle: Int
    }
    private enum Merge {
        case open(Merging)
        case removed
    }
    private final class Merging {
        let id: Int
        var isFinal = false
        /// By reduce partition; nil where the disk refused: nothing more is merged there.
        var partitions: [Int: MergedPartition] = [:]
        init(id: Int) { self.id = id }
    }

    private let registry: ShuffleServiceRegistry
    private let fileSystem: any FileSystem
    private var merges: [Key: Merge] = [:]
    /// Those that have files open.
    private var open: [MergedPartition] = []
    private(set) var counts = Counts()

    /// Partitions that keep their two files open.
    private static let openLimit = 256

    init(_ registry: ShuffleServiceRegistry, _ fileSystem: any FileSystem) {
        self.registry = registry
        self.fileSystem = fileSystem
    }

    // MARK: Pushes

    /// Appends the blocks that aren't there yet. Throws `WireError` and `StoreError`; what was
    /// merged before the error stays.
    func push(_ payload: [UInt8], of application: String) throws -> PushedBlocks.Answer {
        guard let registered = registry[application] else { return .closed }
        var start = 0
        let pushed = try PushedBlocks(decoding: payload, start: &start)
        let merging: Merging
        switch merge(pushed.merge, of: pushed.shuffle, registered) {
        case .open(let found) where found.id > pushed.merge:
            counts.stale += pushed.blocks.count
            return .closed
        case .open(let found) where !found.isFinal: merging = found
        case .open, .removed:
            counts.late += pushed.blocks.count
            return .closed
        }
        for block in pushed.blocks {
            let bytes = start..<(start + block.length)
            start = bytes.upperBound
            let partition = try partition(block.reduce, of: merging, pushed.shuffle, registered)
            guard !partition.contains(map: pushed.mapIndex) else {
                counts.duplicates += 1
                continue
            }
            do throws(StoreError) {
                try keepOpen(partition)
                let outcome = payload.withUnsafeBytes { payload in
                    Result { () throws(StoreError) in
                        try partition.append(
                            map: pushed.mapIndex, task: pushed.mapTask, checksum: block.checksum,
                            UnsafeRawBufferPointer(rebasing: payload[bytes]))
                    }
                }
                try outcome.get()
            } catch {
                // To be read again before it's used again: a part may have been written.
                merging.partitions[block.reduce] = nil
                open.removeAll { $0 === partition }
                throw error
            }
            counts.blocks += 1
            counts.bytes += block.length
        }
        return .merged
    }

    /// The shuffle's merge, or a newer one that has replaced it.
    private func merge(
        _ id: Int, of shuffle: ShuffleID, _ application: RegisteredApplication
    ) -> Merge {
        let key = Key(application: application.id, shuffle: shuffle.rawValue)
        switch merges[key] {
        case .removed?: return .removed
        case .open(let known)? where known.id >= id: return .open(known)
        case .open, nil:
            let made = Merging(id: id)
            if registry.isResumed(application.id) { resume(made, shuffle, application) }
            merges[key] = .open(made)
            return .open(made)
        }
    }

    private func partition(
        _ reduce: Int, of merging: Merging, _ shuffle: ShuffleID,
        _ application: RegisteredApplication
    ) throws(StoreError) -> MergedPartition {
        if let known = merging.partitions[reduce] { return known }
        // Over all folders, for these may be on several disks.
        let folders = application.folders.keys.sorted()
        let folder = application.folders[folders[reduce % folders.count]]!
        let made = try MergedPartition(
            fileSystem, folder: folder, name: Self.name(shuffle, merging.id, reduce))
        merging.partitions[reduce] = made
        return made
    }

    private func keepOpen(_ partition: MergedPartition) throws(StoreError) {
        guard !partition.isOpen else { return }
        if open.count >= Self.openLimit {
            for other in open { try other.close() }
            open.removeAll(keepingCapacity: true)
        }
        open.append(partition)
    }

    // MARK: Ends

    /// Nothing more is merged; what is, by reduce partition.
    func finalize(
        _ shuffle: ShuffleID, merge id: Int, of application: RegisteredApplication
    ) throws -> [ShuffleServiceReply.MergedSize] {
        guard case .open(let merging) = merge(id, of: shuffle, application), merging.id == id else {
            return []
        }
        merging.isFinal = true
        let partitions = merging.partitions.sorted { $0.key < $1.key }
        for (_, partition) in partitions { try? partition.close() }
        open.removeAll { !$0.isOpen }
        return partitions.filter { $0.value.bytes > 0 }.map {
            ShuffleServiceReply.MergedSize(reduce: $0.key, bytes: $0.value.bytes)
        }
    }

    /// The files are gone or about to be.
    func forget(_ application: String, shuffles: Set<Int>? = nil) {
        for key in merges.keys where key.application == application {
            guard shuffles == nil else { continue }
            merges[key] = nil
        }
        for shuffle in shuffles ?? [] {
            merges[Key(application: application, shuffle: shuffle)] = .removed
        }
        for partition in open { try? partition.close() }
        open.removeAll()
    }

    // MARK: Files

    private static func name(_ shuffle: ShuffleID, _ merge: Int, _ reduce: Int) -> String {
        "merged_\(shuffle.rawValue)_\(merge)_\(reduce)"
    }

    /// What an earlier run of this service has merged.
    private func resume(
        _ merging: Merging, _ shuffle: ShuffleID, _ application: RegisteredApplication
    ) {
        let prefix = "merged_\(shuffle.rawValue)_\(merging.id)_"
        for executor in application.folders.keys.sorted() {
            let folder = application.folders[executor]!
            for name in (try? fileSystem.namesIfPresent(in: folder)) ?? []
            where name.hasPrefix(prefix) && name.hasSuffix(".index") {
                let words = name.dropFirst(prefix.count).dropLast(6)
                guard let reduce = Int(words), merging.partitions[reduce] == nil else { continue }
                do throws(StoreError) {
                    merging.partitions[reduce] = try MergedPartition(
                        fileSystem, folder: folder, name: Self.name(shuffle, merging.id, reduce))
                } catch {
                    Log.warn("shuffle-service", "merged blocks are lost", ["reason": error])
                }
            }
        }
    }

    /// What is served under a name of this module's: an index, or the merged blocks.
    func content(_ name: String, of application: String) throws -> BlockContent? {
        guard let key = MergedName(name), let registered = registry[application],
            case .open(let merging) = merge(key.merge, of: key.shuffle, registered),
            merging.id == key.merge, let partition = merging.partitions[key.reduce]
        else { return nil }
        if !key.isIndex { counts.chunksServed += 1 }
        let path = key.isIndex ? partition.indexPath : partition.dataPath
        return .file(
            try SharedFile(path: path), offset: 0, length: UInt64(try fileSystem.size(path)))
    }
}

/// `merged_<shuffle>_<merge>_<reduce>.data` or `.index`, read into numbers.
struct MergedName {
    var shuffle: ShuffleID
    var merge: Int
    var reduce: Int
    var isIndex: Bool

    init?(_ name: String) {
        guard name.hasSuffix(".data") || name.hasSuffix(".index") else { return nil }
        isIndex = name.hasSuffix(".index")
        let words = name.dropLast(isIndex ? 6 : 5).split(
            separator: "_", omittingEmptySubsequences: false)
        guard words.count == 4, words[0] == "merged" else { return nil }
        let numbers = words.dropFirst().compactMap { Int($0) }
        guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        shuffle = ShuffleID(numbers[0])
        merge = numbers[1]
        reduce = numbers[2]
    }
}
