import MillraceBase

/// One JSON object on a line of a `SegmentedLog`.
protocol SegmentedLogEntry: Sendable {
    var json: JSONValue { get }
    /// Throws a `StoreError` that names the line.
    init(_ object: JSONObject, _ lines: LogLines, _ line: Int) throws(StoreError)
}

/// A log that grows for a query's whole life: a file of lines per batch, merged into segments.
///
/// A batch is `<batch>`, a segment `<first>-<last>.compact`; both hold `v1`, then one JSON object
/// a line. Ten files in a row of about one age become one segment, as long as that is no larger
/// than `maximumSegmentSize`: so each entry is rewritten a few times at most, no batch pays for
/// the whole history (what Spark's `.compact` files do every tenth batch), and a reader opens few
/// files. A file whose batches lie within another's was merged already and is ignored.
struct SegmentedLog<Entry: SegmentedLogEntry>: Sendable {
    let fileSystem: any FileSystem
    let folder: String
    /// As many files of one age are merged. Spark's `compactInterval`.
    let mergeWidth: Int
    /// In bytes.
    var maximumSegmentSize = 8 << 20

    init(
        _ fileSystem: any FileSystem, folder: String, mergeWidth: Int = 10
    ) throws(StoreError) {
        precondition(mergeWidth >= 2, "merging \(mergeWidth) files gains nothing")
        self.fileSystem = fileSystem
        self.folder = folder
        self.mergeWidth = mergeWidth
        try fileSystem.makeFolders(folder)
        // What is found is relied on, and its writer may have failed before the name was durable.
        try fileSystem.syncFolder(folder)
    }

    /// One file of the log.
    struct Segment: Equatable {
        var name: String
        var batches: ClosedRange<Int>
        var size: Int
        /// 0 for a batch, 1 for about ten, 2 for about a hundred.
        func age(_ width: Int) -> Int {
            var age = 0
            var span = batches.count
            while span >= width {
                span /= width
                age += 1
            }
            return age
        }
    }

    /// Writes a batch's entries; durable on return. False if the log reaches that batch already.
    func add(_ batch: Int, _ entries: [Entry]) throws(StoreError) -> Bool {
        let segments = try segments()
        guard batch > segments.last?.batches.upperBound ?? -1 else { return false }
        let bytes = SegmentedLog.encode(entries)
        let path = StorePath.join(folder, String(batch))
        do {
            try fileSystem.writeDurably(bytes, to: path, replacing: false)
        } catch let error where error.kind == .alreadyExists {
            return false  // another writer was faster
        }
        let new = Segment(name: String(batch), batches: batch...batch, size: bytes.count)
        do {
            try merge(segments + [new])
        } catch {  // the batch is in; merging is tried again with the next one
            Log.warn("store", "log not merged", ["folder": folder, "because": error])
        }
        return true
    }

    func latestBatch() throws(StoreError) -> Int? { try segments().last?.batches.upperBound }

    /// The entries of all files that hold a batch of `batches`, in order. (A segment's other
    /// batches are among them: the caller knows which it wants.)
    func entries(of batches: ClosedRange<Int>) throws(StoreError) -> [Entry] {
        for attempt in 0... {
            do {
                var entries: [Entry] = []
                for segment in try segments() where segment.batches.overlaps(batches) {
                    entries += try read(segment)
                }
                return entries
            } catch let error where error.kind == .notFound && attempt < 10 {
                continue  // merged away since it was listed
            }
        }
        preconditionFailure("the loop above ends by return or throw")
    }

    /// Whole files in order, without those that another one holds.
    func segments() throws(StoreError) -> [Segment] {
        var all: [Segment] = []
        for file in try fileSystem.listIfPresent(folder) where !file.isFolder {
            guard let batches = SegmentedLog.batches(of: file.name) else { continue }
            all.append(Segment(name: file.name, batches: batches, size: file.size))
        }
        all.sort {
            ($0.batches.lowerBound, $1.batches.upperBound)
                < ($1.batches.lowerBound, $0.batches.upperBound)
        }
        var whole: [Segment] = []
        for segment in all {
            if let last = whole.last, segment.batches.upperBound <= last.batches.upperBound {
                continue
            }
            whole.append(segment)
        }
        return whole
    }

    /// Merges the newest files of one age while there are `mergeWidth` of them in a row.
    private func merge(_ segments: [Segment]) throws(StoreError) {
        var segments = segments
        while segments.count >= mergeWidth, let newest = segments.last {
            let age = newest.age(mergeWidth)
            let run = segments.suffix(mergeWidth)
            let size = run.reduce(0) { $0 + $1.size }
            guard run.allSatisfy({ $0.age(mergeWidth) == age }), size <= maximumSegmentSize else {
                return
            }
            let batches = run[run.startIndex].batches.lowerBound...newest.batches.upperBound
            var entries: [Entry] = []
            for segment in run { entries += try read(segment) }
            let bytes = SegmentedLog.encode(entries)
            let name = "\(batches.lowerBound)-\(batches.upperBound).compact"
            try fileSystem.writeDurably(bytes, to: StorePath.join(folder, name))
            for segment in run { try fileSystem.delete(StorePath.join(folder, segment.name)) }
            segments.removeLast(mergeWidth)
            segments.append(Segment(name: name, batches: batches, size: bytes.count))
        }
    }

    private func read(_ segment: Segment) throws(StoreError) -> [Entry] {
        let path = StorePath.join(folder, segment.name)
        let lines = try LogLines(try fileSystem.read(path), path: path, version: "v1")
        var entries: [Entry] = []
        entries.reserveCapacity(lines.count - 1)
        for line in 1..<max(lines.count, 1) {
            entries.append(try Entry(try lines.object(line, "a file"), lines, line))
        }
        return entries
    }

    private static func encode(_ entries: [Entry]) -> [UInt8] {
        var bytes = Array("v1".utf8)
        for entry in entries {
            bytes.append(0x0A)
            entry.json.write(into: &bytes)
        }
        return bytes
    }

    private static func batches(of name: String) -> ClosedRange<Int>? {
        if let batch = batchNumber(name) { return batch...batch }
        guard name.hasSuffix(".compact") else { return nil }
        let bounds = name.dropLast(".compact".count)
            .split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = batchNumber(String(bounds[0])),
            let last = batchNumber(String(bounds[1])), first <= last
        else { return nil }
        return first...last
    }
}

/// A batch's number as a file's name: digits as `String(Int)` writes them.
func batchNumber(_ name: String) -> Int? {
    guard let number = Int(name), (0..<(1 << 62)).contains(number), String(number) == name else {
        return nil
    }
    return number
}
