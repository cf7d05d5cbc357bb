import MillraceBase
import MillraceNet
import MillraceStore

/// Deletes shuffle files in slices, so that a folder of a hundred thousand files doesn't hold up
/// the blocks that others wait for. Belongs to the service's loop.
final class FileRemoval {
    private struct Work {
        var folder: String
        var names: [String]
        /// Whether the folder goes too, and the ones above it that are then empty.
        var removesFolder: Bool
    }

    private let loop: EventLoop
    private let fileSystem: any FileSystem
    private var queue: [Work] = []
    private var isScheduled = false
    private(set) var deleted = 0

    /// Files of one turn of the loop: some milliseconds of a slow disk.
    private static let slice = 32

    init(_ loop: EventLoop, _ fileSystem: any FileSystem) {
        self.loop = loop
        self.fileSystem = fileSystem
    }

    /// All shuffle files of the folder, or those of some shuffles. Nothing else in it is touched.
    func remove(_ folder: String, shuffles: Set<Int>? = nil) {
        do {
            let names = try fileSystem.namesIfPresent(in: folder).filter {
                Self.isShuffleFile($0, of: shuffles)
            }
            queue.append(Work(folder: folder, names: names, removesFolder: shuffles == nil))
            schedule()
        } catch { warn(folder, error) }
    }

    private static func isShuffleFile(_ name: String, of shuffles: Set<Int>?) -> Bool {
        let plain = name.hasPrefix(".") ? name.dropFirst() : name[...]
        let words = plain.split(separator: "_", maxSplits: 2)
        guard words.count == 3, words[0] == "shuffle" || words[0] == "merged",
            let shuffle = Int(words[1])
        else { return false }
        return shuffles?.contains(shuffle) ?? true
    }

    private func schedule() {
        guard !isScheduled, !queue.isEmpty else { return }
        isScheduled = true
        _ = loop.schedule(after: .zero) { [weak self] in self?.deleteSlice() }
    }

    private func deleteSlice() {
        isScheduled = false
        var left = Self.slice
        while left > 0, var work = queue.first {
            while left > 0, let name = work.names.popLast() {
                left -= 1
                do {
                    try fileSystem.delete(StorePath.join(work.folder, name))
                    deleted += 1
                } catch { warn(StorePath.join(work.folder, name), error) }
            }
            if work.names.isEmpty {
                if work.removesFolder { removeIfEmpty(work.folder) }
                queue.removeFirst()
            } else {
                queue[0] = work
            }
        }
        schedule()
    }

    /// The executor's folder and the application's above it.
    private func removeIfEmpty(_ folder: String) {
        try? fileSystem.delete(folder)
        let parent = StorePath.folder(of: folder)
        if StorePath.name(of: parent).hasPrefix("millrace-") { try? fileSystem.delete(parent) }
    }

    private func warn(_ path: String, _ error: any Error) {
        Log.warn("shuffle-service", "cannot delete", ["path": path, "reason": error])
    }
}
