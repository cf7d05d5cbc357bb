/// What is new in a directory: the listing half of the directory source.
public enum FileListing {
    /// The files at `location` (a path, a `file://` URI, or a glob; of a folder the files directly
    /// in it) that are not in `seen`, oldest first, then by path; at most `limit`.
    ///
    /// Names that begin with "." or "_" are left out (files being written, manifests). A folder
    /// that a file sink wrote is read through its manifest: committed files only. `batchId` is 0
    /// in the result; `FileSourceLog.add` sets it. Throws `.notFound` if a location without
    /// pattern is not there.
    public static func newFiles(
        _ fileSystem: any FileSystem, _ location: String, seen: Set<String>, limit: Int? = nil
    ) throws(StoreError) -> [SourceFileEntry] {
        let pattern = try StorePath.resolve(location)
        let roots = try Glob.expand(fileSystem, pattern)
        guard !roots.isEmpty || Glob.isPattern(pattern) else {
            throw StoreError(.notFound, "list", pattern, "no such file or folder")
        }
        var found: [SourceFileEntry] = []
        for root in roots {
            found += try newFiles(fileSystem, in: root, seen)
        }
        found.sort { ($0.timestamp, $0.path) < ($1.timestamp, $1.path) }
        return limit.map { Array(found.prefix(max($0, 0))) } ?? found
    }

    /// Asks for the status of unseen files only: a folder may have collected very many.
    private static func newFiles(
        _ fileSystem: any FileSystem, in root: String, _ seen: Set<String>
    ) throws(StoreError) -> [SourceFileEntry] {
        guard let status = try fileSystem.status(root) else { return [] }
        if status.isFolder, try FileSinkLog.isPresent(fileSystem, output: root) {
            return try FileSinkLog(fileSystem, output: root).allFiles()
                .filter { !seen.contains($0.path) }
                .map {
                    SourceFileEntry(path: $0.path, timestamp: $0.modificationTime, batchId: 0)
                }
        }
        let paths =
            status.isFolder
            ? try fileSystem.names(in: root).map { StorePath.join(root, $0) } : [root]
        var found: [SourceFileEntry] = []
        for path in paths where isVisible(StorePath.name(of: path)) {
            let uri = StorePath.fileURI(path)
            guard !seen.contains(uri), let file = try fileSystem.status(path), !file.isFolder else {
                continue
            }
            found.append(SourceFileEntry(path: uri, timestamp: file.modifiedMs, batchId: 0))
        }
        return found
    }

    private static func isVisible(_ name: String) -> Bool {
        !name.hasPrefix(".") && !name.hasPrefix("_")
    }
}
