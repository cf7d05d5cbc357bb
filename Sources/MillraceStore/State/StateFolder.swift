/// The durable state of one stateful operator: `state/<operatorId>/` of a checkpoint.
///
/// State is keyed, and each key belongs to one key group (0 to 255 by default); a partition owns a
/// range of groups. Version 0 is empty; batch N makes version N + 1 of version N. Each batch writes one
/// *delta* per range: the keys it changed. Every ten or so versions a *snapshot* holds all keys of a
/// range. File names say version and groups: `<version>.<first>-<last>.delta` (`.snapshot`), so that a
/// version can be read in other ranges than it was written in. The pieces:
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

    /// `millrace.state.keyGroups`' default.
    public static let defaultKeyGroups = 256

    /// Makes the folder if it isn't there. `root` is `CheckpointDirectory.stateFolder`; `operatorID`
    /// is one path component (letters, digits, ".", "_", "-"), else `.unsupported` is thrown.
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
    /// together 0..<keyGroups. `index` of a key group: `groups(of:in:)`'s inverse is not needed by
    /// callers that hash to a group first.
    public func groups(of index: Int, in count: Int) -> Range<Int> {
        precondition(count > 0 && index >= 0 && index < count, "partition \(index) of \(count)")
        return (index * keyGroups / count)..<((index + 1) * keyGroups / count)
    }

    /// Makes `writer`'s file durable under its name and returns its size. A second attempt of the
    /// same batch replaces the first one's file by its own, atomically.
    @discardableResult
    public func publish(_ writer: consuming DeltaWriter) throws(StoreError) -> Int {
        preconditionFailure("to come")
    }

    /// The newest version that a snapshot of exactly these groups holds, or nil: decides when the
    /// next snapshot is due.
    public func latestSnapshot(of groups: Range<Int>) throws(StoreError) -> Int? {
        preconditionFailure("to come")
    }

    /// Deletes what no version from `version` on needs. Keeps everything if that version itself
    /// cannot be put together.
    public func purge(neededFrom version: Int) throws(StoreError) { preconditionFailure("to come") }

    /// Deletes all versions after `version`: what a batch that was never committed left behind. To be
    /// called once when a query starts, before its first batch, with the last committed version.
    public func deleteVersions(after version: Int) throws(StoreError) {
        preconditionFailure("to come")
    }
}
