import MillraceBase

/// The durable state of one stateful operator: `state/<operatorId>/` of a checkpoint.
///
/// State is keyed, and each key belongs to one key group (0 to 255 by default); a partition owns a
/// range of groups. Version 0 is empty; batch N makes version N + 1 of version N. Each batch
/// writes one *delta* per range: the keys it changed. Every ten or so versions a *snapshot* holds
/// all keys of a range. File names say version, groups and the query's run:
/// `<version>.<first>-<last>.<run>.delta` (`.snapshot`), so that a version can be read in other
/// ranges than it was written in, and nothing that an older run left behind is taken for it
/// (`StateFolder+Runs.swift`). The pieces:
///
/// - `DeltaWriter` collects a delta's or a snapshot's records and makes the file;
/// - `StateLoader` finds the files that make up a version and plays their records back;
/// - `StateStore` is a plain map from bytes to bytes over both, for what has no typed map.
///
/// A partition that changed nothing still writes its (empty) delta: a gap means a lost file.
public struct StateFolder: Sendable {
    public let fileSystem: any FileSystem
    /// The POSIX path of the operator's folder.
    public let path: String
    /// How many key groups there are in all.
    public let keyGroups: Int
    /// The run whose files `publish` writes; 0 for none. The driver's `beginRun` sets it, executors
    /// are told.
    public var run = 0

    /// `millrace.state.keyGroups`' default.
    public static let defaultKeyGroups = 256

    /// Makes the folder if it isn't there. `root` is `CheckpointDirectory.stateFolder`;
    /// `operatorID` is one path component (letters, digits, ".", "_", "-"), else `.unsupported` is
    /// thrown.
    public init(
        _ fileSystem: any FileSystem, root: String, operatorID: String,
        keyGroups: Int = StateFolder.defaultKeyGroups
    ) throws(StoreError) {
        precondition(keyGroups > 0, "there is at least one key group")
        let isName =
            !operatorID.isEmpty && !operatorID.hasPrefix(".") && operatorID.utf8.count <= 200
            && operatorID.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                    || (0x61...0x7A).contains($0) || [0x2D, 0x2E, 0x5F].contains($0)
            }
        path = StorePath.join(root, operatorID)
        guard isName else {
            throw StoreError(
                .unsupported, "use", path,
                "an operator's id is made of letters, digits, \".\", \"_\" and \"-\"")
        }
        self.fileSystem = fileSystem
        self.keyGroups = keyGroups
        try fileSystem.makeFolders(path)
    }

    /// The range of groups that partition `index` of `count` owns: as even as can be, all of them
    /// together 0..<keyGroups. Empty for some when there are more partitions than groups.
    public func groups(of index: Int, in count: Int) -> Range<Int> {
        precondition(count > 0 && index >= 0 && index < count, "partition \(index) of \(count)")
        return (index * keyGroups / count)..<((index + 1) * keyGroups / count)
    }

    /// Makes `writer`'s file durable under its name and returns its size. A second attempt of the
    /// same batch replaces the first one's file by its own, atomically.
    @discardableResult
    public func publish(_ writer: DeltaWriter) throws(StoreError) -> Int {
        precondition(writer.groups.upperBound <= keyGroups, "there are \(keyGroups) key groups")
        var name = writer.name
        name.run = run
        let target = StorePath.join(path, name.text)
        let bytes = try writer.encode(path: target)
        try fileSystem.writeDurably(bytes, to: target)
        return bytes.count
    }

    /// The newest version of which a snapshot holds all of these groups, or nil: decides when the
    /// next one is due.
    public func latestSnapshot(of groups: Range<Int>) throws(StoreError) -> Int? {
        try files().filter { $0.kind == .snapshot && $0.groups.contains(groups) }
            .map(\.version).max()
    }

    /// Makes a snapshot of that version out of the files that are there, for a background thread.
    /// Right where keys that are equal are equal as bytes too, and each record holds one key; an
    /// operator with a typed map writes its snapshots from the map.
    @discardableResult
    public func compact(groups: Range<Int>, version: Int) throws(StoreError) -> Int {
        var folder = self
        folder.run = try runs().run(of: version)
        let store = try StateStore.open(folder, groups: groups, version: version)
        return try folder.publish(store.snapshot())
    }

    /// Deletes what no version from `version` on needs. Keeps everything if that version itself
    /// cannot be put together.
    public func purge(neededFrom version: Int) throws(StoreError) {
        guard version > 0 else { return }
        let files = try files()
        let all = try everyFile()
        let plan: StatePlan
        do {
            plan = try StatePlan(self, files, groups: 0..<keyGroups, version: version)
        } catch {
            Log.warn(
                "store", "old state kept, for it cannot be told what is needed", ["error": error])
            return
        }
        let needed = Set(plan.steps.map(\.name))
        for name in all where name.version <= version && !needed.contains(name) {
            try fileSystem.delete(StorePath.join(path, name.text))
        }
        try purgeRuns(neededFrom: needed.map(\.version).min() ?? version)
    }

    /// Deletes all versions after `version`, and temporary files: what a batch that was never
    /// committed left behind, so that its next attempt (perhaps with other ranges) stands alone.
    /// What is deleted must not come back: see `beginRun`.
    public func deleteVersions(after version: Int) throws(StoreError) {
        for name in try everyFile() where name.version > version {
            try fileSystem.delete(StorePath.join(path, name.text))
        }
        try fileSystem.deleteTemporaries(in: path)
        try fileSystem.syncFolder(path)
    }

    /// The state files that are there, of whatever run.
    private func everyFile() throws(StoreError) -> [StateFileName] {
        try fileSystem.namesIfPresent(in: path).compactMap { StateFileName($0) }
    }
}
