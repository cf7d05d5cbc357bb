import MillraceBase

/// Finds the files that make up one version of a range of key groups, checks them, and plays their
/// records back.
///
/// For each group: the newest snapshot that covers it, then every delta up to the version. When a
/// file is damaged, an older snapshot with more deltas serves as well; when nothing does, the
/// error names the file and the offset. Files are checked before the first record is handed out.
public struct StateLoader: Sendable {
    /// A record as it lies in a file. Slices are valid for the call only.
    public typealias Visitor = (
        _ group: Int, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?
    ) throws -> Void

    public let folder: StateFolder
    public let groups: Range<Int>
    public let version: Int

    public init(_ folder: StateFolder, groups: Range<Int>, version: Int) {
        precondition(version >= 0, "versions count from 0")
        self.folder = folder
        self.groups = groups
        self.version = version
    }

    /// Calls `visit` for each record, oldest first: put (`value`) or removal (nil). Applied in this
    /// order to an empty map they give the version's content ("newest wins" is the caller's
    /// assignment). Version 0 visits nothing. Throws `StoreError`, or what `visit` throws.
    public func replay(_ visit: Visitor) throws {
        for (reader, isWanted) in try openFiles() { try reader.visit(isWanted, visit) }
    }

    /// Opens and checks every file of the plan; a file that fails is left out and the plan made
    /// anew, until one holds or none is left.
    private func openFiles() throws(StoreError) -> [(StateFileReader, [Bool])] {
        guard version > 0, !groups.isEmpty else { return [] }
        var unusable: Set<StateFileName> = []
        var firstFailure: StoreError?
        while true {
            let plan: StatePlan
            do {
                let files = try folder.files().filter { !unusable.contains($0) }
                plan = try StatePlan(folder, files, groups: groups, version: version)
            } catch {
                throw firstFailure ?? error
            }
            var readers: [(StateFileReader, [Bool])] = []
            var failed = false
            for step in plan.steps where !failed {
                do {
                    let reader = try StateFileReader(
                        folder.fileSystem, folder: folder.path, step.name, isWanted: step.isWanted)
                    readers.append((reader, step.isWanted))
                } catch let error where error.isCorrupt || error.kind == .notFound {
                    unusable.insert(step.name)
                    firstFailure = firstFailure ?? error
                    failed = true
                }
            }
            guard failed else {
                if let firstFailure {
                    Log.warn("store", "state read from older files", ["because": firstFailure])
                }
                return readers
            }
        }
    }
}
