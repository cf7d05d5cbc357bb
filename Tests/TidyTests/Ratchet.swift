import Foundation
import Testing

/// A rule with a committed list of what breaks it today: `Exceptions/NAME.txt`, lines of a count
/// and a subject. Nothing may be added to the list, and counts only go down:
/// `MILLRACE_REWRITE=1 swift test --filter TidyTests` takes out what is better by now.
struct Ratchet {
    var name: String
    /// What the rule wants, to complete "must …".
    var rule: String

    func check(_ found: [String: Int]) throws {
        let path = "Tests/TidyTests/Exceptions/\(name).txt"
        let allowed = Self.parse(SourceTree.text(path) ?? "")
        let over = found.filter { $0.value > allowed[$0.key] ?? 0 }.sorted { $0.key < $1.key }
            .map { "\($0.key): \($0.value), allowed are \(allowed[$0.key] ?? 0)" }
        #expect(over.isEmpty, "must \(rule):\n\(over.joined(separator: "\n"))")
        if ProcessInfo.processInfo.environment["MILLRACE_REWRITE"] == "1" {
            let isNew = SourceTree.text(path) == nil
            let kept = found.compactMap { subject, count -> (String, Int)? in
                let limit = isNew ? count : min(count, allowed[subject] ?? 0)
                return limit > 0 ? (subject, limit) : nil
            }
            let text = kept.sorted { $0.0 < $1.0 }.map { "\($0.1) \($0.0)\n" }.joined()
            try Data(text.utf8).write(to: SourceTree.root.appendingPathComponent(path))
        }
    }

    private static func parse(_ text: String) -> [String: Int] {
        var result: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2, let count = Int(parts[0]) { result[String(parts[1])] = count }
        }
        return result
    }
}
