/// Finds the files that make up one version of a range of key groups, checks them, and plays their
/// records back.
///
/// For each group: the newest snapshot that covers it, then every delta up to the version. When a file
/// is damaged, an older snapshot with more deltas serves as well; when nothing does, the error names
/// the file and the offset. Files are checked before the first record is handed out.
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
    public func replay(_ visit: Visitor) throws { preconditionFailure("to come") }
}
