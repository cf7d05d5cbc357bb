/// Paths by pattern, as Hadoop's: `*` and `?` within a name, `[a-c]`, `[^a]`, `{one,two}`, and `\`
/// before a character that is meant as it is.
public enum Glob {
    /// Whether the text has a character that makes it a pattern.
    public static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { "*?[{\\".utf8.contains($0) }
    }

    /// The existing paths that match, sorted. A text without pattern is itself if it exists. `*`
    /// does not match a leading ".".
    public static func expand(
        _ fileSystem: any FileSystem, _ pattern: String
    ) throws(StoreError) -> [String] {
        guard isPattern(pattern) else { return try fileSystem.exists(pattern) ? [pattern] : [] }
        var found: Set<String> = []
        for alternative in alternatives(pattern, limit: 1000) {
            var paths = [alternative.hasPrefix("/") ? "/" : ""]
            for part in alternative.split(separator: "/") {
                var next: [String] = []
                for folder in paths { next += try matches(fileSystem, folder, String(part)) }
                paths = next
            }
            found.formUnion(paths)
        }
        return found.sorted()
    }

    /// Whether a name matches a pattern without "/" and "{}".
    public static func matches(_ name: String, _ pattern: String) -> Bool {
        if name.hasPrefix("."), !pattern.hasPrefix("."), !pattern.hasPrefix("\\.") { return false }
        return matches(Array(name.unicodeScalars), Array(pattern.unicodeScalars))
    }

    private static func matches(
        _ fileSystem: any FileSystem, _ folder: String, _ part: String
    ) throws(StoreError) -> [String] {
        guard isPattern(part) else {
            let path = StorePath.join(folder, part)
            return try fileSystem.exists(path) ? [path] : []
        }
        if !folder.isEmpty, try fileSystem.status(folder)?.isFolder != true { return [] }
        return try fileSystem.names(in: folder.isEmpty ? "." : folder)
            .filter { matches($0, part) }.map { StorePath.join(folder, $0) }
    }

    /// Greedy with one step back: linear in practice, at most name times pattern.
    private static func matches(_ name: [Unicode.Scalar], _ pattern: [Unicode.Scalar]) -> Bool {
        var at = 0
        var next = 0
        var retry: (at: Int, next: Int)?
        while at < name.count {
            if next < pattern.count, pattern[next] == "*" {
                next += 1
                retry = (at, next)
            } else if let end = matchesOne(name[at], pattern, next) {
                at += 1
                next = end
            } else if let last = retry {
                at = last.at + 1
                next = last.next
                retry = (at, next)
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == "*" }
    }

    /// Behind the pattern's element at `start` if it matches the character.
    private static func matchesOne(
        _ character: Unicode.Scalar, _ pattern: [Unicode.Scalar], _ start: Int
    ) -> Int? {
        guard start < pattern.count else { return nil }
        switch pattern[start] {
        case "?": return start + 1
        case "\\" where start + 1 < pattern.count:
            return pattern[start + 1] == character ? start + 2 : nil
        case "[":
            guard let end = pattern[(start + 1)...].dropFirst().firstIndex(of: "]") else {
                return character == "[" ? start + 1 : nil
            }
            var set = pattern[(start + 1)..<end]
            let isInverted = set.first == "^" || set.first == "!"
            if isInverted { set = set.dropFirst() }
            return contains(Array(set), character) != isInverted ? end + 1 : nil
        case let other: return other == character ? start + 1 : nil
        }
    }

    private static func contains(_ set: [Unicode.Scalar], _ character: Unicode.Scalar) -> Bool {
        var index = 0
        while index < set.count {
            if index + 2 < set.count, set[index + 1] == "-" {
                if set[index] <= character, character <= set[index + 2] { return true }
                index += 3
            } else {
                if set[index] == character { return true }
                index += 1
            }
        }
        return false
    }

    /// `a{b,c}d` as `abd`, `acd`. Beyond the limit the rest is left as it is.
    private static func alternatives(_ pattern: String, limit: Int) -> [String] {
        guard limit > 1, let open = pattern.firstIndex(of: "{"),
            let close = pattern[open...].firstIndex(of: "}")
        else { return [pattern] }
        let head = pattern[..<open]
        let tail = pattern[pattern.index(after: close)...]
        return pattern[pattern.index(after: open)..<close]
            .split(separator: ",", omittingEmptySubsequences: false)
            .flatMap { alternatives(String(head + $0 + tail), limit: limit / 2) }
    }
}
