import Glibc
import MillraceBase
import MillraceKafka
import MillraceStore

/// Counts of words, from the text itself and from what the job published.
struct WordCounts {
    private(set) var counts: [String: Int] = [:]

    /// A plain loop over the same lines: nothing of the job's code.
    init(lines count: Int) throws {
        for line in try TextLines(count: count) {
            for word in line.text.split(separator: UInt8(ascii: " ")) {
                counts[String(decoding: word, as: UTF8.self), default: 0] += 1
            }
        }
    }

    /// The files of the job: rows {"word", "count"} of every batch, of which the largest count of a
    /// word is its last (a running count only grows). A line counted twice makes that too large, a
    /// lost one too small.
    init(publishedIn folder: String) throws {
        let fileSystem = PosixFileSystem()
        for status in try fileSystem.list(folder) where status.name.hasSuffix(".json") {
            let file = StorePath.join(folder, status.name)
            let text = String(decoding: try fileSystem.read(file), as: UTF8.self)
            for line in text.split(separator: "\n") {
                let row = try JSONValue(parsing: String(line))
                guard let word = row["word"]?.stringValue, let count = row["count"]?.integerValue
                else {
                    throw MillraceError(
                        .corruptData, "\(file): not a row of the word count: \(line)")
                }
                counts[word] = max(counts[word] ?? 0, Int(count))
            }
        }
    }

    var total: Int { counts.values.reduce(0, +) }

    /// A line for each word on which the two differ, at most `limit`.
    func differences(from other: WordCounts, limit: Int = 10) -> [String] {
        let words = Set(counts.keys).union(other.counts.keys).sorted()
        return words.filter { counts[$0] != other.counts[$0] }.prefix(limit).map {
            "\($0): \(other.counts[$0] ?? 0) instead of \(counts[$0] ?? 0)"
        }
    }
}
