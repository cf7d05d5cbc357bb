import MillraceBase
import MillraceExecutor
import MillraceStore

/// The lines of the files that appear in a folder: each file once, the oldest first. Spark's file
/// source with format text.
///
/// Which file went into which batch is written to `sources/<i>/` before the batch's offset is given
/// out, so a batch that is repeated reads the same files. A file is to be moved into the folder
/// whole; names that begin with "." or "_" are not looked at.
struct FileSourceProvider: StreamSourceProvider {
    var path: String
    var maxFilesPerTrigger: Int?

    func open(_ place: SourcePlace) throws -> any MicroBatchSource {
        try FileSource(self, place)
    }
}

final class FileSource: MicroBatchSource {
    private let settings: FileSourceProvider
    private let fileSystem: any FileSystem
    private let parallelism: Int
    private let log: FileSourceLog
    private var last: Int
    private var seen: Set<String>
    /// Files that were there when the query started, for `Trigger.availableNow`.
    private var available: [SourceFileEntry]?
    /// Files that were there and didn't fit in the last batch, and those that did.
    private var pending = 0
    private var taken = 0

    init(_ settings: FileSourceProvider, _ place: SourcePlace) throws {
        self.settings = settings
        fileSystem = place.fileSystem
        parallelism = place.parallelism
        log = try FileSourceLog(place.fileSystem, folder: place.folder)
        last = try log.latestOffset()
        seen = try log.seenPaths()
    }

    var description: String { "FileStreamSource[\(settings.path)]" }
    func initialOffset() -> String { json(-1) }
    var newestOffset: String? { last < 0 ? nil : json(last) }
    private func json(_ offset: Int) -> String { "{\"logOffset\":\(offset)}" }

    private func parse(_ json: String) throws -> Int {
        guard let value = (try? JSONValue(parsing: json))?["logOffset"]?.integerValue else {
            throw MillraceError(
                .incompatibleState,
                "\(json) is no offset of \(description): {\"logOffset\":…} is expected")
        }
        return Int(value)
    }

    func latestOffset(from start: String) throws -> String? {
        // A batch of the source that no batch of the query has read yet: from before a crash.
        if last > (try parse(start)) { return json(last) }
        let files = try next()
        if files.isEmpty { return nil }
        try log.add(last + 1, files)
        last += 1
        for file in files { seen.insert(file.path) }
        return json(last)
    }

    private func next() throws -> [SourceFileEntry] {
        let limit = settings.maxFilesPerTrigger ?? Int.max
        let found =
            try available ?? FileListing.newFiles(fileSystem, settings.path, seen: seen)
        let files = Array(found.prefix(limit))
        if available != nil { available = Array(found.dropFirst(files.count)) }
        pending = found.count - files.count
        taken = files.count
        return files
    }

    /// The files that wait, as large as those of the last batch.
    func backlog(after end: String, rows: Int64) -> Int64? {
        pending == 0 ? 0 : taken == 0 ? nil : rows * Int64(pending) / Int64(taken)
    }

    func prepareAvailableNow(from start: String) throws {
        available = try FileListing.newFiles(fileSystem, settings.path, seen: seen)
    }

    func plan(from start: String, to end: String) throws -> [[UInt8]] {
        let from = try parse(start)
        let to = try parse(end)
        guard from < to else { return [TextFileLines.encode([])] }
        let paths = try log.files(in: (from + 1)...to).map { try StorePath.resolve($0.path) }
        let partitions = max(min(paths.count, parallelism), 1)
        return (0..<partitions).map { partition in
            let first = partition * paths.count / partitions
            let end = (partition + 1) * paths.count / partitions
            return TextFileLines.encode(Array(paths[first..<end]))
        }
    }
}
