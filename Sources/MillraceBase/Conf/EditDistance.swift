/// How far one word is from another: what a message about an unknown name needs.
public enum EditDistance {
    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment),
    /// over UTF-8, upper and lower case alike. Stops counting above `limit`.
    public static func between(_ left: String, _ right: String, limit: Int = .max) -> Int {
        let a = Array(left.lowercased().utf8)
        let b = Array(right.lowercased().utf8)
        if abs(a.count - b.count) > limit { return limit + 1 }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            var best = i + 1
            for j in 0..<b.count {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
                best = min(best, cost)
            }
            if best > limit { return limit + 1 }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }

    /// The candidate nearest to the word, the first of equals; nil when none is near enough to
    /// be what was meant: at most `allowance` edits, which is a third of the word's length (at
    /// least two) if not given. Words over 200 bytes have no neighbours: comparing is quadratic,
    /// and the word may come from outside.
    public static func nearest(
        to word: String, among candidates: [String], allowance: Int? = nil
    ) -> String? {
        guard word.utf8.count <= 200 else { return nil }
        var limit = allowance ?? max(2, word.utf8.count / 3)
        var found: String?
        for candidate in candidates {
            let distance = between(word, candidate, limit: limit)
            if distance <= limit {
                found = candidate
                limit = distance - 1
                if limit < 0 { break }
            }
        }
        return found
    }
}
